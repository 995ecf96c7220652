"""The files of a tree of results: analyses, their chunks, their products."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from skyquilt.errors import ConfigError, ProductError
from skyquilt.fit.file import read_plan
from skyquilt.fit.plan import Plan
from skyquilt.sky.chunks import chunk_name

WANTED = (
    *("problem.h5", "plan.json", "maps.fits", "refined.fits"),
    *("skymap.multiorder.fits", "skymap.fits", "summary.json"),
)
"""What every finished analysis has, besides its chunks."""


class Folder(NamedTuple):
    """Folder of an analysis.

    Attributes
    ----------
    path : Path
        The folder; its name is that of the analysis.
    plan : Plan or None
        Its plan, None if there is no whole one.
    chunks : dict of str to Path
        Files of all chunks of the plan, by name as "003-of-012", there or not.
    """

    path: Path
    plan: Plan | None
    chunks: dict[str, Path]


def open_tree(results: str | Path) -> list[Folder]:
    """Folders of all analyses, by name.

    Raises
    ------
    ConfigError
        If there is none.
    """
    path = Path(results)
    if (path / "config.yaml").is_file():
        return [_open_folder(path)]
    found = sorted(entry.parent for entry in path.glob("[!._]*/config.yaml"))
    if not found:
        raise ConfigError(
            f"{path}: no results; give the folder that the configuration names as `results`, or "
            "that of one analysis in it."
        )
    return [_open_folder(folder) for folder in found]


def products(folder: Folder) -> Iterator[Path]:
    """All files of an analysis that skyquilt can check, chunks included."""
    for path in sorted(folder.path.rglob("*")):
        inner = path.relative_to(folder.path).parts
        is_hidden = any(part.startswith(".") for part in inner)
        if path.suffix in (".h5", ".fits", ".json") and not is_hidden and path.is_file():
            yield path


def _open_folder(path: Path) -> Folder:
    try:
        plan = read_plan(path / "plan.json")
    except ProductError:
        return Folder(path, None, {})
    names = [chunk_name(index, plan.n_chunks) for index in plan.chunks]
    return Folder(path, plan, {Path(name).stem: path / "chunks" / name for name in names})
