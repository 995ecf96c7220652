"""Write a sparse histogram in the layout of histpy, some cells at a time."""

from collections.abc import Iterable
from typing import Any

import h5py
import numpy as np

from skyquilt.io.hdf5_file import check_written

# Cells per HDF5 chunk: 512 kB of coordinates.
_CHUNK = 1 << 16


def write_sparse_counts(
    file: h5py.File, axes: Any, blocks: Iterable[tuple[np.ndarray, np.ndarray]]
) -> None:
    """Write counts as `histpy.Histogram.write` does for sparse contents.

    histpy needs all cells in memory at once, 40 bytes each; this holds one block.

    Parameters
    ----------
    file : h5py.File
        Open file; it gets the group ``hist``.
    axes : histpy.Axes
        Axes of the histogram.
    blocks : iterable of (ndarray of int64, ndarray)
        Flat index of cells (C order), ascending over all blocks, and their counts.
    """
    group = file.create_group("hist")
    group.attrs["format"] = "coo"
    axes.write(group.create_group("axes"))
    contents = group.create_group("contents")
    contents["shape"] = np.array(axes.nbins, dtype=np.int64)
    contents["fill_value"] = 0.0
    coords = _growing(contents, "coords", np.int64, (axes.ndim,))
    data = _growing(contents, "data", np.float64, ())
    for cells, counts in blocks:
        _append(coords, np.unravel_index(cells, axes.nbins))
        _append(data, counts)


def _growing(group: h5py.Group, name: str, dtype: type, leading: tuple[int, ...]) -> h5py.Dataset:
    """Dataset that is empty along its last axis and can grow there."""
    return group.create_dataset(
        name,
        shape=(*leading, 0),
        maxshape=(*leading, None),
        chunks=(*(1 for _ in leading), _CHUNK),
        dtype=dtype,
        compression="gzip",
        shuffle=True,
    )


def _append(dataset: h5py.Dataset, values: Any) -> None:
    start = dataset.shape[-1]
    values = np.asarray(values)
    dataset.resize(start + values.shape[-1], axis=dataset.ndim - 1)
    dataset[..., start:] = values
    check_written(dataset)
