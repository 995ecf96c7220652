"""How dense contents are stored: the order of their axes, under- and overflow."""

from collections.abc import Callable, Mapping

import h5py
import numpy as np

from skyquilt.errors import InputError
from skyquilt.instruments.compton.response.checks import ORDER

# A block of rows in memory stays below this; a DC2 row of all channels has 11 MB.
_BLOCK_BYTES = 128 << 20

Reader = Callable[[int, int, slice], np.ndarray]


def dense_reader(
    contents: h5py.Dataset, n_bins: Mapping[str, int], path: str, *, overflow: bool = False
) -> Reader:
    """Reader of blocks of rows with the axes in the order of a response; others are summed.

    Parameters
    ----------
    contents : h5py.Dataset
        The contents.
    n_bins : mapping of str to int
        Bins of each axis, in the order of the contents.
    path : str
        File, for messages.
    overflow : bool
        Whether an axis may be stored with two more bins, its under- and overflow.

    Returns
    -------
    callable
        ``read(start, stop, channels)``, as of `Response`.

    Raises
    ------
    InputError
        If the contents do not have the shape of the axes, or are no numbers.
    """
    first = _first_bins(contents, n_bins, path, overflow)
    kept = [name for name in n_bins if name in ORDER]
    summed = tuple(at for at, name in enumerate(n_bins) if name not in ORDER)
    order = [kept.index(name) for name in ORDER]

    def read(start: int, stop: int, channels: slice) -> np.ndarray:
        ranges = {name: (0, size) for name, size in n_bins.items()}
        ranges |= {"NuLambda": (start, stop), "Em": (channels.start, channels.stop)}
        begins = [first[name] for name in ranges]
        wanted = zip(begins, ranges.values(), strict=True)
        block = contents[tuple(slice(begin + low, begin + high) for begin, (low, high) in wanted)]
        if summed:
            block = block.sum(axis=summed)
        return block if order == sorted(order) else block.transpose(order)

    return read


def rows_per_read(contents: h5py.Dataset, names: list[str], itemsize: int | None = None) -> int:
    """Rows (source directions) to read at a time, as long as they fit in memory.

    Those of a stored chunk; as many as fit where rows are not stored one after the other.
    """
    axis = names.index("NuLambda")
    n_rows = contents.shape[axis]
    row_bytes = contents.size // max(n_rows, 1) * (itemsize or contents.dtype.itemsize)
    fit = max(1, _BLOCK_BYTES // max(row_bytes, 1))
    if contents.chunks:
        return max(1, min(contents.chunks[axis], fit))
    return 1 if axis == 0 else max(1, min(n_rows, fit))


def _first_bins(
    contents: h5py.Dataset, n_bins: Mapping[str, int], path: str, overflow: bool
) -> dict[str, int]:
    """Storage index of the first regular bin of each axis."""
    wanted = tuple(n_bins.values())
    extra = (0, 2) if overflow else (0,)
    differences = [stored - size for stored, size in zip(contents.shape, wanted, strict=False)]
    if contents.ndim != len(wanted) or any(one not in extra for one in differences):
        also = ", or 2 more in an axis with under- and overflow" if overflow else ""
        raise InputError(
            f"{path}: contents have shape {contents.shape}; the axes ask for {wanted} "
            f"({', '.join(n_bins)}){also}."
        )
    if contents.dtype.kind not in "fiu":
        raise InputError(f"{path}: contents are of type {contents.dtype}; numbers are needed.")
    return {name: one // 2 for name, one in zip(n_bins, differences, strict=True)}
