"""Axes of histograms in the layout of histpy.

Axes and contents are read with h5py: importing histpy takes longer than everything else that
preparing a burst does. The tests compare with histpy.
"""

from typing import NamedTuple

import h5py
import numpy as np

from skyquilt.errors import InputError
from skyquilt.instruments.channels import EDGE_RTOL

_UNITS = {"Ei": "keV", "Em": "keV", "Phi": "deg", "Time": "s"}
_FRAMES = {None: None, "spacecraftframe": "local", "galactic": "galactic", "g": "galactic"}
_CLASSES = ("Axis", "HealpixAxis", "TimeAxis")
_SCALES = ("linear", "log", "symmetric")
_ORDERINGS = {"ring": "RING", "nested": "NESTED", "nest": "NESTED"}
_RANGES = {"Ei": (0, 1e9), "Em": (0, 1e9), "Phi": (0, 180)}
"""Lowest and highest edge in skyquilt's unit: energies up to 1 TeV are in reach of no telescope."""


class Axis(NamedTuple):
    """One axis as stored.

    Attributes
    ----------
    label : str
        Name, as "Em".
    edges : ndarray, shape (n_bin + 1,)
        Edges in `unit`; pixel numbers of a HEALPix axis.
    unit : str or None
        Unit of the edges.
    nside, ordering, frame : int, str, str or None
        Of a HEALPix axis; None where the file does not say.
    """

    label: str
    edges: np.ndarray
    unit: str | None = None
    nside: int | None = None
    ordering: str | None = None
    frame: str | None = None

    @property
    def n_bins(self) -> int:
        """Number of bins, without under- and overflow."""
        return len(self.edges) - 1


def read_axes(group: h5py.Group) -> dict[str, Axis]:
    """Axes by label, in the order of the contents (datasets "0", "1", ...).

    Raises
    ------
    InputError
        If the numbers of the axes have a gap, a label is missing or there twice, or an axis says
        something of itself that is not known.
    """
    path = group.file.filename
    names = sorted(group, key=lambda name: (len(name), name))
    if names != [str(number) for number in range(len(names))]:
        raise InputError(
            f"{path}: axes are stored as {', '.join(names)}; they must be 0 to {len(names) - 1}."
        )
    axes = [_read_axis(group[name], f"{path}: axis {name}") for name in names]
    labels = [axis.label for axis in axes]
    if "" in labels or len(set(labels)) < len(labels):
        raise InputError(
            f"{path}: labels of the axes are {labels}; each axis needs one of its own."
        )
    return {axis.label: axis for axis in axes}


def axis_edges(axis: Axis, path: str) -> np.ndarray:
    """Edges of an axis in skyquilt's unit (Ei, Em: keV, Phi: deg, Time: UNIX s).

    Raises
    ------
    InputError
        If the axis has no unit, or one of another kind, or edges out of the range of its quantity.
    """
    if axis.nside is not None:
        raise InputError(f"{path}: axis {axis.label} is a HEALPix axis; edges are needed.")
    if axis.edges.dtype.kind not in "fiu":
        raise InputError(
            f"{path}: edges of axis {axis.label} are of type {axis.edges.dtype}; they must be "
            "numbers."
        )
    edges = axis.edges.astype(np.float64) * _unit_factor(axis, path)
    low, high = _RANGES.get(axis.label, (-np.inf, np.inf))
    if not (edges[0] >= low and edges[-1] <= high * (1 + EDGE_RTOL)):
        raise InputError(
            f"{path}: axis {axis.label} has edges {edges[0]:g} to {edges[-1]:g} "
            f"{_UNITS[axis.label]}; they must lie between {low:g} and {high:g}: mend its unit or "
            "its edges."
        )
    return edges


def _unit_factor(axis: Axis, path: str) -> float:
    unit = _UNITS[axis.label]
    if axis.unit is None:
        raise InputError(f"{path}: axis {axis.label} has no unit; it must be in {unit}.")
    if axis.unit == unit:
        return 1.0
    from astropy.units import Unit

    try:
        return float(Unit(axis.unit).to(unit))
    except ValueError as error:
        raise InputError(
            f"{path}: axis {axis.label} is in {axis.unit}; it must be convertible to {unit}."
        ) from error


def healpix_space(axis: Axis, path: str) -> tuple[int, str | None, str | None]:
    """Resolution, ordering and frame of a HEALPix axis.

    Raises
    ------
    InputError
        If it is no HEALPix axis of the full sphere, or its frame is neither the spacecraft's nor
        galactic.
    """
    if axis.nside is None:
        raise InputError(f"{path}: axis {axis.label} is no HEALPix axis.")
    npix = 12 * axis.nside**2
    if axis.n_bins != npix or not np.array_equal(axis.edges, np.arange(npix + 1)):
        raise InputError(
            f"{path}: axis {axis.label} has {axis.n_bins} of {npix} pixels; the full sphere is "
            "needed, its pixels in ascending order."
        )
    frame = None if axis.frame is None else axis.frame.lower()
    if frame not in _FRAMES:
        raise InputError(
            f"{path}: axis {axis.label} is in frame {axis.frame!r}; allowed are 'spacecraftframe' "
            "and 'galactic'."
        )
    return axis.nside, axis.ordering, _FRAMES[frame]


def text(value) -> str:
    """Text of an attribute, stored with variable or fixed length."""
    return value.decode() if isinstance(value, bytes) else str(value)


def ordering_of(scheme, what: str) -> str:
    """Ordering of pixels, as "RING", from the name of a scheme.

    Raises
    ------
    InputError
        If the scheme is not known.
    """
    name = text(scheme).lower()
    if name not in _ORDERINGS:
        raise InputError(f"{what}: scheme is {name!r}; allowed are {', '.join(_ORDERINGS)}.")
    return _ORDERINGS[name]


def _read_axis(dataset: h5py.Dataset, what: str) -> Axis:
    attributes = dict(dataset.attrs)
    label = text(attributes.get("label", ""))
    what = f"{what} ({label})"
    plain = "HealpixAxis" if "nside" in attributes else "Axis"
    kind = text(attributes.get("__class__", [plain])[-1])
    scale = text(attributes.get("scale", "linear"))
    for name, value, allowed in (("class", kind, _CLASSES), ("scale", scale, _SCALES)):
        if value not in allowed:
            raise InputError(f"{what}: {name} is {value!r}; allowed are {', '.join(allowed)}.")
    if kind == "TimeAxis":
        edges = _unix_seconds(dataset[()], text(attributes["time_scale"]))
        _check_ascending(edges, what)
        return Axis(label, edges, "s")
    edges = dataset[()]
    _check_ascending(edges, what)
    if kind == "Axis":
        unit = attributes.get("unit")
        return Axis(label, edges, None if unit is None else text(unit))
    nside = int(attributes["nside"])
    if nside < 1:
        raise InputError(f"{what}: nside is {nside}; it must be 1 or more.")
    frame = attributes.get("coordsys")
    return Axis(
        label,
        edges,
        nside=nside,
        ordering=ordering_of(attributes["scheme"], what),
        frame=None if frame is None else text(frame),
    )


def _check_ascending(edges: np.ndarray, what: str) -> None:
    is_edges = edges.ndim == 1 and edges.size >= 2 and edges.dtype.kind in "fiu"
    if not (is_edges and np.isfinite(edges).all() and np.all(np.diff(edges) > 0)):
        raise InputError(
            f"{what}: edges are {np.array2string(edges, threshold=8, edgeitems=3)}; at least two "
            "finite numbers are needed, in ascending order."
        )


def _unix_seconds(edges: np.ndarray, scale: str) -> np.ndarray:
    """Time stamps of a time axis, stored as Julian date in two parts."""
    from astropy.time import Time

    return Time(edges[0], edges[1], format="jd", scale=scale).unix
