"""Read any of skyquilt's files in full, whatever its kind, and compare it with its checksums."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np

from skyquilt.errors import ProductError
from skyquilt.io.digest import blocks_digest
from skyquilt.io.fits_table import open_checked
from skyquilt.io.hdf5_file import open_to_read
from skyquilt.io.hdf5_seal import is_sealed
from skyquilt.io.json_file import is_intact
from skyquilt.io.provenance import read_provenance
from skyquilt.io.seal import check_seal, read_seal

SEALED = (".png", ".pdf", ".html", ".reg")
"""Endings of files that hold their provenance and checksum in a line of JSON."""

_BLOCK_BYTES = 1 << 24


class Inspected(NamedTuple):
    """What a whole file says of itself.

    Attributes
    ----------
    schema : str
        Kind and version, as "skyquilt/chunk 1.0"; "" if it does not say.
    labels : dict
        Identities and numbers at its root, as `problem_identity`.
    record : dict
        Provenance; empty if there is none.
    """

    schema: str
    labels: dict[str, Any]
    record: dict[str, Any]


def inspect_file(path: str | Path) -> Inspected:
    """Read a file in full, as its name's ending tells; memory stays small.

    Raises
    ------
    ProductError
        If it is missing, truncated or damaged, or its kind is not known.
    """
    path = Path(path)
    readers = {".h5": _inspect_hdf5, ".fits": _inspect_fits, ".json": _inspect_json}
    readers |= {".ecsv": _inspect_ecsv} | dict.fromkeys(SEALED, _inspect_sealed)
    if path.suffix not in readers:
        raise ProductError(f"{path}: allowed are files that end in {', '.join(readers)}.")
    if not path.is_file():
        raise ProductError(f"{path}: no such file.")
    try:
        return readers[path.suffix](path)
    except ProductError:
        raise
    except PermissionError as error:
        raise ProductError(f"{path}: no permission to read it; ask its owner.") from error
    except Exception as error:  # HDF5 and FITS meet damage with errors of many kinds
        raise ProductError(f"{path}: damaged: {' '.join(str(error).split())}.") from error


def _inspect_hdf5(path: Path) -> Inspected:
    with open_to_read(path, ProductError) as file:
        if not is_sealed(file, path):
            raise ProductError(f"{path}: damaged: its checksum differs, or it has none.")
        names: list[str] = []
        file.visititems(
            lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None
        )
        for name in names:
            dataset = file[name]
            digest = blocks_digest(dataset.dtype, dataset.shape, _blocks(dataset))
            if digest != dataset.attrs.get("sha256", digest):
                raise ProductError(f"{path}: damaged: the checksum of {dataset.name} differs.")
        labels = {key: _plain(value) for key, value in file.attrs.items()}
        record = read_provenance(file) if "provenance" in file else {}
        return Inspected(_schema(labels), labels, record)


def _inspect_fits(path: Path) -> Inspected:
    labels: dict[str, Any] = {}
    record: dict[str, Any] = {}
    with open_checked(path) as file:
        for number, hdu in enumerate(file):
            if number and "SIMPLE" in hdu.header:
                raise ProductError(f"{path}: damaged: another file stands behind its end.")
            hdu.data  # noqa: B018 - reads it
            labels |= {key: hdu.header[key] for key in ("SCHEMA", "SCHEMAV") if key in hdu.header}
            if hdu.name == "PROVENANCE":
                record = {row["KEY"]: json.loads(row["VALUE"]) for row in hdu.data}
    schema = f"{labels.get('SCHEMA', '')} {labels.get('SCHEMAV', '')}".strip()
    return Inspected(schema, {"problem_identity": record.get("problem_identity")}, record)


def _inspect_json(path: Path) -> Inspected:
    content = json.loads(path.read_text(encoding="utf-8"))
    labels = content if isinstance(content, dict) else {}
    if not is_intact(labels):
        raise ProductError(f"{path}: damaged: its checksum differs, or it has none.")
    return Inspected(_schema(labels), labels, labels.get("provenance", {}))


def _inspect_ecsv(path: Path) -> Inspected:
    from astropy.table import Table

    check_seal(path)
    return _labelled(Table.read(path, format="ascii.ecsv").meta)


def _inspect_sealed(path: Path) -> Inspected:
    return _labelled(read_seal(path))


def _labelled(content: Mapping[str, Any]) -> Inspected:
    record = content["provenance"]
    labels = {"problem_identity": record.get("problem_identity")}
    labels["fit_identity"] = content.get("fit_identity")
    return Inspected(_schema(content), labels, record)


def _blocks(dataset: h5py.Dataset) -> Iterator[np.ndarray]:
    if not dataset.shape or not dataset.size:
        yield np.asarray(dataset[()])
        return
    n_rows = max(1, _BLOCK_BYTES * dataset.shape[0] // max(dataset.nbytes, 1))
    for start in range(0, dataset.shape[0], n_rows):
        yield dataset[start : start + n_rows]


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _schema(labels: Mapping[str, Any]) -> str:
    return f"{labels.get('schema', '')} {labels.get('schema_version', '')}".strip()
