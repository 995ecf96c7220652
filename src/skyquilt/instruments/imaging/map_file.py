"""Maps as gammapy writes them: an image, or a table of a region, and a table of its axes."""

from typing import Any, NamedTuple

import numpy as np

from skyquilt.instruments.imaging.projection import Projection, read_projection
from skyquilt.instruments.imaging.quantities import FaultError, get_column, get_image, join_bins

_NAMES = {"E": "ENERGY", "THETA": "RAD"}  # of axes, in files of some versions
_UNITS = {"RAD": "deg", "MIGRA": None}  # of axes; keV of others
_SAME = 1e-6


class MapAxis(NamedTuple):
    """One axis besides the sky.

    Attributes
    ----------
    edges : ndarray of float64, shape (n + 1,)
        Edges of the bins, ascending: [keV], [deg] or pure numbers.
    nodes : ndarray of float64, shape (n,), optional
        Where the values are given at nodes, these; bins end half-way between them.
    """

    edges: np.ndarray
    nodes: np.ndarray | None = None

    @property
    def centers(self) -> np.ndarray:
        """Nodes, or the roots of the products of the edges, shape (n,)."""
        return np.sqrt(self.edges[1:] * self.edges[:-1]) if self.nodes is None else self.nodes

    def is_same(self, other: "MapAxis") -> bool:
        """Whether the bins of two axes agree."""
        return self.edges.shape == other.edges.shape and np.allclose(
            self.edges, other.edges, rtol=_SAME
        )


class StoredMap(NamedTuple):
    """One map of a dataset.

    Attributes
    ----------
    name : str
        Its extension.
    values : ndarray of float64, shape (..., n_rows, n_columns)
        Values, by the axes from the last to the first; one row and column for a region.
    projection : Projection or None
        Its sky; None for a region.
    axes : dict of str to MapAxis
        Axes, first to last, as ENERGY, ENERGY_TRUE, RAD, MIGRA.
    """

    name: str
    values: np.ndarray
    projection: Projection | None
    axes: dict[str, MapAxis]

    @property
    def image(self) -> Projection:
        """Its sky.

        Raises
        ------
        FaultError
            If it is that of a region.
        """
        if self.projection is None:
            raise FaultError(f"{self.name} is that of a region; an image is needed.")
        return self.projection

    def axis(self, name: str) -> MapAxis:
        """An axis by its name.

        Raises
        ------
        FaultError
            If there is none.
        """
        if name not in self.axes:
            raise FaultError(f"{self.name} has no axis {name}; it has {', '.join(self.axes)}.")
        return self.axes[name]

    def by_axes(self, *names: str) -> "StoredMap":
        """The same with its axes in another order, given from the last to the first.

        Raises
        ------
        FaultError
            If it has other axes.
        """
        if sorted(names) != sorted(self.axes):
            raise FaultError(
                f"{self.name} has the axes {', '.join(self.axes)}; needed are {', '.join(names)}."
            )
        stored = list(reversed(self.axes))
        order = [stored.index(name) for name in names]
        values = np.moveaxis(self.values, order, range(len(order)))
        return self._replace(values=values, axes={name: self.axes[name] for name in names[::-1]})

    def in_the_middle(self) -> np.ndarray:
        """Values in the middle of the map, by its axes."""
        shape = self.values.shape[-2:]
        row, column = (np.array([(n - 1) // 2, n // 2]) for n in shape)
        return self.values[..., row[:, np.newaxis], column].mean(axis=(-2, -1))


def read_map(hdus: Any, name: str, path: str, unit: str | None = None) -> StoredMap:
    """Read a map in the unit that is given.

    Parameters
    ----------
    hdus : astropy.io.fits.HDUList
        The open file.
    name : str
        Extension of the map.
    path : str
        Name of the file, for messages.
    unit : str, optional
        Unit wanted; of pure numbers none.

    Raises
    ------
    FaultError
        If values or axes are missing, have another unit, or do not fit each other.
    """
    hdu = hdus[name]
    bands_name = str(hdu.header.get("BANDSHDU", f"{name}_BANDS"))
    if bands_name not in hdus:
        raise FaultError(f"{name} has no table {bands_name} of its axes.")
    bands = hdus[bands_name]
    parts = _axis_columns(hdu, bands)
    if hdu.is_image:
        values, projection = get_image(hdu, unit), read_projection(hdu.header, path)
        if values.ndim != len(parts) + 2:
            raise FaultError(
                f"{name} has {values.ndim} axes; {bands_name} has {len(parts)} besides the sky."
            )
        shape = values.shape[:-2]
    elif "DATA" in hdu.columns.names:
        values, projection = get_column(hdu, "DATA", unit), None
        shape = _region_shape(bands, parts)
        if values.size != np.prod(shape):
            raise FaultError(f"{name} has {values.size} rows; its axes are {shape}.")
        values = values.reshape(*shape, 1, 1)
    else:
        raise FaultError(
            f"{name} is no image and no table of a region (column DATA); maps in HEALPix pixels "
            "and sparse ones are not read: write images."
        )
    axes = {
        axis: _read_axis(bands, axis, columns, shape, len(shape) - 1 - number)
        for number, (axis, columns) in enumerate(parts.items())
    }
    return StoredMap(name, values, projection, axes)


def _axis_columns(hdu: Any, bands: Any) -> dict[str, list[str]]:
    """Columns of the ends, or of the nodes, of each axis, first to last."""
    parts: dict[str, list[str]] = {}
    number = 1
    while f"AXCOLS{number}" in bands.header:
        columns = [part.strip() for part in str(bands.header[f"AXCOLS{number}"]).split(",")]
        if len(columns) > 2 or not all(columns):
            raise FaultError(f"AXCOLS{number} of {bands.name} is {','.join(columns)!r}.")
        axis = columns[0].upper().removesuffix("_MIN") if len(columns) == 2 else columns[0].upper()
        parts[_NAMES.get(axis, axis)] = columns
        number += 1
    if not parts:
        raise FaultError(
            f"{bands.name} has no AXCOLS1, so that the axes of {hdu.name} are unknown."
        )
    return parts


def _region_shape(bands: Any, parts: dict[str, list[str]]) -> tuple[int, ...]:
    """Number of bins of each axis, last to first."""
    columns = [get_column(bands, names[0]) for names in parts.values()]
    return tuple(len(np.unique(column)) for column in reversed(columns))


def _read_axis(
    bands: Any, axis: str, columns: list[str], shape: tuple[int, ...], number: int
) -> MapAxis:
    """One axis, from a table of all combinations of the bins of all axes."""
    unit = _UNITS.get(axis, "keV")
    found = []
    for name in columns:
        values = get_column(bands, name, unit)
        if values.size != np.prod(shape):
            raise FaultError(f"{bands.name} has {values.size} rows; its map has the axes {shape}.")
        along = np.moveaxis(values.reshape(shape), number, -1).reshape(-1, shape[number])
        if not np.allclose(along, along[0], rtol=_SAME):
            raise FaultError(f"{name} of {bands.name} differs along the other axes.")
        found.append(along[0])
    what = f"{' and '.join(columns)} of {bands.name}"
    if not all(np.all(np.isfinite(values)) for values in found):
        raise FaultError(f"{what} must be finite.")
    is_log = axis.startswith("ENERGY")
    if is_log and min(values[0] for values in found) <= 0:
        raise FaultError(f"{what} must be above 0.")
    if len(found) == 2:
        return MapAxis(join_bins(found[0], found[1], what))
    return _from_nodes(found[0], what, is_log=is_log)


def _from_nodes(nodes: np.ndarray, what: str, *, is_log: bool) -> MapAxis:
    """Axis of nodes; its bins end half-way between them, of energies in the logarithm."""
    if len(nodes) < 2 or np.any(np.diff(nodes) <= 0):
        raise FaultError(f"{what}: nodes must ascend, and be two or more; they are {nodes}.")
    scaled = np.log(nodes) if is_log else nodes
    middle = (scaled[1:] + scaled[:-1]) / 2
    ends = 2 * scaled[0] - middle[0], 2 * scaled[-1] - middle[-1]
    edges = np.concatenate([ends[:1], middle, ends[1:]])
    return MapAxis(np.exp(edges) if is_log else np.maximum(edges, 0.0), nodes)
