"""List of the files of a folder that is made as a whole, so that a deleted one is missed."""

from collections.abc import Iterable
from pathlib import Path

from skyquilt.errors import ProductError
from skyquilt.io.json_file import read_json, write_json
from skyquilt.io.provenance import Provenance
from skyquilt.io.schema import Schema
from skyquilt.products import LISTING

# 1.0  first version
SCHEMA = Schema("skyquilt/figures", "1.0", "skyquilt plot")


def write_listing(folder: str | Path, files: Iterable[Path], provenance: Provenance) -> None:
    """List files of a folder in it; each has a checksum of its own.

    Files of an earlier list that are not made any more are removed.
    """
    files = list(files)
    for old in set(read_listing(Path(folder))) - set(files):
        old.unlink(missing_ok=True)
    content = {
        "files": sorted(path.name for path in files),
        "provenance": provenance.record(),
    }
    write_json(Path(folder) / LISTING, SCHEMA, content)


def read_listing(folder: Path) -> list[Path]:
    """Files that the list of a folder names, there or not; none if it cannot be read."""
    try:
        return [folder / Path(name).name for name in read_json(folder / LISTING, SCHEMA)["files"]]
    except (ProductError, KeyError, TypeError):
        return []
