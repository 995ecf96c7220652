"""Columns of an event file in HDF5: one dataset per column at the root, without attributes."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from skyquilt.errors import InputError
from skyquilt.instruments.compton.event_files.columns import Columns, find_column
from skyquilt.io.reading import describe, reading


@contextmanager
def open_hdf5_columns(path: Path, units: Mapping[str, str], block_bytes: int) -> Iterator[Columns]:
    """Open columns that are datasets at the root of a file; see `open_columns`."""
    from skyquilt.io.hdf5_file import open_to_read

    try:
        file = open_to_read(path)
    except OSError as error:
        raise InputError(f"{path}: damaged or cut short: {error}. Copy it again.") from error
    with file:
        with reading(path, "events in HDF5"):
            datasets = {name: _dataset(path, file, name) for name in units}
            n_rows = _common_length(path, datasets)
            row_bytes = sum(dataset.nbytes for dataset in datasets.values()) // max(n_rows, 1)
        size = max(block_bytes // max(row_bytes, 1), 1)
        yield Columns(n_rows, _hdf5_blocks(path, datasets, n_rows, size), Counter())


def _dataset(path: Path, file, name: str):
    import h5py

    dataset = file[find_column(path, name, list(file))]
    if not isinstance(dataset, h5py.Dataset) or dataset.dtype.kind not in "fiu":
        raise InputError(f"{path}: {name!r} is no dataset of numbers.")
    if dataset.ndim == 0:
        raise InputError(f"{path}: {name!r} is a single number, not a column.")
    return dataset


def _common_length(path: Path, datasets: Mapping) -> int:
    lengths = {name: len(dataset) for name, dataset in datasets.items()}
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"{name!r} {length}" for name, length in lengths.items())
        raise InputError(f"{path}: columns differ in length: {listed}. The file is incomplete.")
    return next(iter(lengths.values()))


def _hdf5_blocks(
    path: Path, datasets: Mapping, n_rows: int, size: int
) -> Iterator[dict[str, np.ndarray]]:
    for start in range(0, n_rows, size):
        rows = slice(start, start + size)
        try:
            block = {name: dataset[rows].astype(float) for name, dataset in datasets.items()}
        except Exception as error:  # of many kinds
            raise InputError(
                f"{path}: rows from {start} are damaged: {describe(error)}. Copy the file again."
            ) from error
        yield block
