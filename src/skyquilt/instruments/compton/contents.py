"""Contents of histograms in the layout of histpy, summed onto some of their axes."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import h5py
import numpy as np

from skyquilt.instruments.compton.axes import Axis, text

_BLOCK = 1 << 22  # sparse entries read at a time


def project(
    hist: h5py.Group, axes: dict[str, Axis], onto: list[str], cuts: dict[str, slice]
) -> tuple[np.ndarray, float]:
    """Contents summed over all axes but some.

    Parameters
    ----------
    hist : h5py.Group
        Group with `contents` and the attribute `format`.
    axes : dict of str to Axis
        Axes in the order of the contents.
    onto : list of str
        Axes to keep, in the order of the result.
    cuts : dict of str to slice
        Ranges of bins of other axes; those without one are summed with under- and overflow.

    Returns
    -------
    inside : ndarray of float64
        Contents without under- and overflow. Where a negative entry would be added, the lowest
        one stands instead of the sum: others must not hide it.
    lost : float
        Sum of the under- and overflow of the kept axes.

    Raises
    ------
    ValueError
        If the stored shape fits neither the axes nor the axes with under- and overflow, or the
        format is not known.
    """
    store = _open(hist, axes)
    return store.split(store.reader(hist["contents"], list(axes), onto, store.ranges(cuts)), onto)


def project_each(
    hist: h5py.Group, axes: dict[str, Axis], onto: list[str], axis: str, cuts: Sequence[slice]
) -> Iterator[tuple[np.ndarray, float]]:
    """What `project` gives for each of some ranges of bins of one axis; all is read once.

    Parameters
    ----------
    hist, axes, onto
        As of `project`.
    axis : str
        The axis.
    cuts : sequence of slice
        The ranges, which do not overlap.

    Raises
    ------
    ValueError
        As `project`.
    """
    store, names = _open(hist, axes), list(axes)
    contents: Any = hist["contents"]
    if store.kind == "gcxs":
        contents = _as_coo(contents)
    if store.kind == "dense":
        for cut in cuts:
            found = _project_dense(contents, names, onto, store.ranges({axis: cut}))
            yield store.split(found, onto)
        return
    parts = {name: contents[name][()] for name in ("fill_value", "shape", "coords", "data")}
    along = parts["coords"][names.index(axis)]
    order = np.argsort(along, kind="stable")
    for cut in cuts:
        ranges = store.ranges({axis: cut})
        ends = ranges[axis].start, ranges[axis].stop
        own = order[slice(*np.searchsorted(along, ends, sorter=order))]
        part = parts | {"coords": parts["coords"][:, own], "data": parts["data"][own]}
        yield store.split(_project_coo(part, names, onto, ranges), onto)


class _Store(NamedTuple):
    """How contents are stored."""

    kind: str
    reader: Callable[..., np.ndarray]
    axes: dict[str, Axis]
    first: dict[str, int]
    stored: dict[str, int]

    def ranges(self, cuts: dict[str, slice]) -> dict[str, slice]:
        """Stored bins of each axis; all but where there is a cut."""
        ranges = {name: slice(0, stored) for name, stored in self.stored.items()}
        for name, cut in cuts.items():
            ranges[name] = slice(self.first[name] + cut.start, self.first[name] + cut.stop)
        return ranges

    def split(self, full: np.ndarray, onto: list[str]) -> tuple[np.ndarray, float]:
        """Regular bins, and the sum of under- and overflow."""
        first, axes = self.first, self.axes
        regular = tuple(slice(first[name], first[name] + axes[name].n_bins) for name in onto)
        inside = full[regular].copy()
        full[regular] = 0
        return inside, float(np.nansum(full))


def _open(hist: h5py.Group, axes: dict[str, Axis]) -> _Store:
    kind = text(hist.attrs.get("format", "dense"))
    readers = {"dense": _project_dense, "coo": _project_coo, "gcxs": _project_gcxs}
    if kind not in readers:
        raise ValueError(f"contents have format {kind!r}; allowed are {', '.join(readers)}")
    shape = hist["contents"].shape if kind == "dense" else tuple(hist["contents/shape"][()])
    first = {
        name: _first_bin(stored, axis)
        for stored, (name, axis) in zip(shape, axes.items(), strict=True)
    }
    return _Store(kind, readers[kind], axes, first, dict(zip(axes, map(int, shape), strict=True)))


def _first_bin(stored: int, axis: Axis) -> int:
    """Storage index of the first regular bin: 1 with under- and overflow."""
    extra = stored - axis.n_bins
    if extra not in (0, 2):
        raise ValueError(f"axis {axis.label} has {axis.n_bins} bins, but {stored} are stored")
    return extra // 2


def _project_dense(
    contents: h5py.Dataset, names: list[str], onto: list[str], ranges: dict[str, slice]
) -> np.ndarray:
    values = contents[tuple(ranges[name] for name in names)].astype(np.float64, copy=False)
    others = tuple(at for at, name in enumerate(names) if name not in onto)
    summed = _show_negative(values.sum(axis=others), values.min(axis=others, initial=0))
    kept = [name for name in names if name in onto]
    return summed.transpose([kept.index(name) for name in onto])


def _project_coo(
    contents: Mapping[str, Any], names: list[str], onto: list[str], ranges: dict[str, slice]
) -> np.ndarray:
    """Sum of sparse entries, a block of them at a time."""
    if contents["fill_value"][()] != 0:
        raise ValueError(f"sparse contents are {contents['fill_value'][()]} elsewhere, not 0")
    stored = np.asarray(contents["shape"][()])
    shape = [ranges[name].stop for name in onto]
    total, lowest = np.zeros((2, math.prod(shape)))
    n_entries = contents["data"].shape[0]
    for start in range(0, n_entries, _BLOCK):
        coords = contents["coords"][:, start : start + _BLOCK]
        if np.any(coords.min(axis=1) < 0) or np.any(coords.max(axis=1) >= stored):
            raise ValueError(f"sparse entries lie outside the stored shape {stored.tolist()}")
        data = contents["data"][start : start + _BLOCK].astype(np.float64, copy=False)
        flat, data = _flatten(coords, data, names, onto, ranges, shape)
        total += np.bincount(flat, weights=data, minlength=total.size)
        is_negative = data < 0
        np.minimum.at(lowest, flat[is_negative], data[is_negative])
    return _show_negative(total, lowest).reshape(shape)


def _flatten(coords, data, names, onto, ranges, shape) -> tuple[np.ndarray, np.ndarray]:
    """Flat index in the result and value of the sparse entries that enter it."""
    is_in = np.ones(data.size, dtype=bool)
    for at, name in enumerate(names):
        is_in &= (coords[at] >= ranges[name].start) & (coords[at] < ranges[name].stop)
    kept = [coords[names.index(name)][is_in] for name in onto]
    return np.ravel_multi_index(kept, shape), data[is_in]


def _show_negative(total: np.ndarray, lowest: np.ndarray) -> np.ndarray:
    """Sums, or the lowest entry where that is negative."""
    return np.where(lowest < 0, lowest, total)


def _project_gcxs(
    contents: h5py.Group, names: list[str], onto: list[str], ranges: dict[str, slice]
) -> np.ndarray:
    return _project_coo(_as_coo(contents), names, onto, ranges)


def _as_coo(contents: h5py.Group) -> dict[str, np.ndarray]:
    """Contents in a format of old files, read by the library that wrote them."""
    import sparse

    parts = tuple(contents[name][()] for name in ("data", "indices", "indptr"))
    order = contents["compressed_axes"][()] if "compressed_axes" in contents else None
    stored = sparse.GCXS(
        parts,
        shape=tuple(contents["shape"][()]),
        compressed_axes=None if order is None else tuple(order),
        fill_value=contents["fill_value"][()],
    ).tocoo()
    return {
        "coords": stored.coords,
        "data": stored.data,
        "shape": np.array(stored.shape),
        "fill_value": np.array(stored.fill_value),
    }
