"""Axes of histograms in the layout of histpy.

Axes and contents are read with h5py: importing histpy takes longer than everything else that
preparing a burst does. The tests compare with histpy.
"""

from typing import NamedTuple

import h5py
import numpy as np

from skyquilt.errors import InputError

_UNITS = {"Ei": "keV", "Em": "keV", "Phi": "deg", "Time": "s"}
_FRAMES = {None: None, "spacecraftframe": "local", "galactic": "galactic"}


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
    """Axes by label, in the order of the contents (datasets "0", "1", ...)."""
    datasets = [group[name] for name in sorted(group, key=int)]
    axes = [_read_axis(dataset) for dataset in datasets]
    return {axis.label: axis for axis in axes}


def axis_edges(axis: Axis, path: str) -> np.ndarray:
    """Edges of an axis in skyquilt's unit (Ei, Em: keV, Phi: deg, Time: UNIX s).

    Raises
    ------
    InputError
        If the axis has no unit, or one of another kind.
    """
    unit = _UNITS[axis.label]
    if axis.unit is None:
        raise InputError(f"{path}: axis {axis.label} has no unit; it must be in {unit}.")
    if axis.unit == unit:
        return axis.edges.astype(np.float64)
    from astropy.units import Unit

    try:
        return axis.edges * Unit(axis.unit).to(unit)
    except ValueError as error:
        raise InputError(
            f"{path}: axis {axis.label} is in {axis.unit}; it must be convertible to {unit}."
        ) from error


def healpix_space(axis: Axis, path: str) -> tuple[int, str, str | None]:
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
    if axis.n_bins != npix:
        raise InputError(
            f"{path}: axis {axis.label} has {axis.n_bins} of {npix} pixels; the full sphere is "
            "needed."
        )
    if axis.frame not in _FRAMES:
        raise InputError(
            f"{path}: axis {axis.label} is in frame {axis.frame!r}; allowed are 'spacecraftframe' "
            "and 'galactic'."
        )
    return axis.nside, axis.ordering, _FRAMES[axis.frame]


def _read_axis(dataset: h5py.Dataset) -> Axis:
    attributes = dict(dataset.attrs)
    label, edges = str(attributes.get("label", "")), dataset[()]
    if "time_scale" in attributes:
        return Axis(label, _unix_seconds(edges, str(attributes["time_scale"])), "s")
    if "nside" not in attributes:
        return Axis(label, edges, attributes.get("unit"))
    ordering = {"R": "RING", "N": "NESTED"}[str(attributes["scheme"])[0].upper()]
    return Axis(
        label,
        edges,
        nside=int(attributes["nside"]),
        ordering=ordering,
        frame=attributes.get("coordsys"),
    )


def _unix_seconds(edges: np.ndarray, scale: str) -> np.ndarray:
    """Time stamps of a time axis, stored as Julian date in two parts."""
    from astropy.time import Time

    return Time(edges[0], edges[1], format="jd", scale=scale).unix
