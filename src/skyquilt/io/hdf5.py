"""Read and write skyquilt's HDF5 files: schema, units, descriptions, checksums.

Every root has the attributes `schema` ("skyquilt/chunk") and `schema_version` ("1.0": the first
number rises when readers must change, the second when something was added). Every dataset has
`unit` ("" if none), `description` and `sha256`, the digest of its values, so that a flipped bit
is found when it is read; all else is covered by the seal of the file (`hdf5_seal`).
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import DTypeLike

from skyquilt.errors import ProductError
from skyquilt.io.digest import array_digest, blocks_digest
from skyquilt.io.hdf5_file import check_written, new_file, open_to_read
from skyquilt.io.hdf5_seal import is_sealed, make_room, seal_file
from skyquilt.io.products import new_product
from skyquilt.io.provenance import Provenance, write_provenance
from skyquilt.io.schema import Schema


class _DamageError(Exception):
    """Stored values are not those that were written; `open_hdf5` adds what to do."""


@contextmanager
def new_hdf5(path: str | Path, schema: Schema, provenance: Provenance) -> Iterator[h5py.File]:
    """Open a new HDF5 product; it gets its name and its provenance when the block ends well.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    with new_product(path) as partial:
        with new_file(partial, libver="v110") as file:
            file.attrs["schema"] = schema.name
            file.attrs["schema_version"] = schema.version
            yield file
            write_provenance(file, provenance)
            spans = make_room(file)
        seal_file(partial, spans)


def put(
    group: h5py.Group, name: str, values: np.ndarray, unit: str, description: str
) -> h5py.Dataset:
    """Write one dataset with unit, description and checksum."""
    values = np.asarray(values)
    dataset = group.create_dataset(name, data=values)
    check_written(group)
    _describe(dataset, unit, description, array_digest(values))
    return dataset


def put_rows(
    group: h5py.Group,
    name: str,
    rows: Iterable[np.ndarray],
    shape: tuple[int, int],
    dtype: DTypeLike,
    unit: str,
    description: str,
) -> h5py.Dataset:
    """Write a two-dimensional dataset row by row, contiguous, so that it can be mapped.

    Parameters
    ----------
    rows : iterable of ndarray
        Exactly ``shape[0]`` arrays of shape ``(shape[1],)``; only one is held at a time.
    """
    dataset = group.create_dataset(name, shape=shape, dtype=dtype)

    def written() -> Iterator[np.ndarray]:
        for index, row in enumerate(rows):
            row = np.ascontiguousarray(row, dtype=dtype)
            if row.size:
                dataset[index] = row
                check_written(group)
            yield row

    _describe(dataset, unit, description, blocks_digest(dtype, shape, written()))
    return dataset


@contextmanager
def open_hdf5(path: str | Path, schema: Schema) -> Iterator[h5py.File]:
    """Open a product for reading and check that it is of the wanted kind.

    Raises
    ------
    ProductError
        If the file is missing, truncated, no HDF5, of another kind, or of a version that this
        skyquilt does not read; also if a dataset or attribute read in the block is missing or
        damaged, and at the end of the block if anything else but values is.
    """
    path = Path(path)
    again = schema.again
    if path.is_dir():
        raise ProductError(f"{path}: a folder; name the file in it that `{schema.made_by}` made.")
    if not path.is_file():
        raise ProductError(f"{path}: no such file; {again}.")
    try:
        file = open_to_read(path, ProductError)
    except PermissionError as error:
        raise ProductError(f"{path}: no permission to read it; ask its owner.") from error
    except OSError as error:
        raise ProductError(f"{path}: not a whole HDF5 file ({error}); {again}.") from error
    with file:
        try:
            schema.check(
                *(path, file.attrs.get("schema", "none"), file.attrs.get("schema_version", "none"))
            )
            yield file
            _check_seal(file, path)
        except ProductError:
            raise
        except KeyError as error:
            raise ProductError(f"{path}: incomplete: {error.args[0]}; {again}.") from error
        except (_DamageError, OSError, RuntimeError) as error:
            raise ProductError(f"{path}: damaged: {error}; {again}.") from error
        except Exception as error:  # of a file that is whole it is a fault of ours
            if is_sealed(file, path):
                raise
            raise ProductError(f"{path}: damaged: {error}; {again}.") from error


def get(group: h5py.Group, name: str) -> np.ndarray:
    """Read one dataset of a file opened by `open_hdf5` and compare it with its checksum.

    Raises
    ------
    ProductError
        At the end of the block of `open_hdf5`, if the values are not those that were written.
    """
    dataset = group[name]
    values = dataset[()]
    if array_digest(values) != dataset.attrs["sha256"]:
        raise _DamageError(f"the checksum of {dataset.name} differs")
    return values


def map_rows(group: h5py.Group, name: str) -> np.ndarray:
    """Map a contiguous dataset read-only; all processes of a node share its memory.

    One that lies at an address that its type does not allow is read instead: kernels may not load
    it there. The checksum is not compared: that would read rows nobody asked for.

    Raises
    ------
    ProductError
        At the end of the block of `open_hdf5`, if the dataset is not stored in one piece.
    """
    dataset = group[name]
    if dataset.size == 0:
        return np.empty(dataset.shape, dataset.dtype)
    offset = dataset.id.get_offset()
    if offset is None:
        raise _DamageError(f"{dataset.name} is not stored in one piece and cannot be mapped")
    rows = np.memmap(
        group.file.filename, dataset.dtype, mode="r", offset=offset, shape=dataset.shape
    )
    return rows if rows.flags.aligned else np.array(rows)


def _describe(dataset: h5py.Dataset, unit: str, description: str, digest: str) -> None:
    dataset.attrs.update({"unit": unit, "description": description, "sha256": digest})


def _check_seal(file: h5py.File, path: Path) -> None:
    if not is_sealed(file, path):
        raise _DamageError("the checksum of all but its values differs")
