"""Numbers of a map for people and programs: what `summary.json` holds."""

import platform
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from typing import Any

import numpy as np

from skyquilt.errors import RunError
from skyquilt.maps.containment import find_region
from skyquilt.maps.multiorder import MultiOrderMap
from skyquilt.maps.region import Region
from skyquilt.maps.skymap import SkyMap
from skyquilt.sky.frames import position_to_vec, rotation, separation, vec_to_lonlat
from skyquilt.sky.healpix import nest_to_vec, vec_to_nest
from skyquilt.sky.pixels import nest_to_ring
from skyquilt.status import STATUS_NAMES

_QUANTITIES = ("ts", "sqrt_ts", "flux", "flux_err", "photon_flux", "npred")
_PACKAGES = ("skyquilt", "astropy", "h5py", "healpy", "histpy", "numpy", "scipy")


def summarise(
    skymap: SkyMap,
    problem_info: Mapping[str, Any],
    levels: Iterable[float],
    true_position,
    stages: Iterable[Mapping[str, Any]],
) -> dict[str, Any]:
    """Everything that `summary.json` says of an analysis.

    Parameters
    ----------
    skymap : SkyMap
        Map with the columns ts, sqrt_ts, flux, flux_err, photon_flux, npred and status.
    problem_info : dict
        What to tell of the fit problem, put in front as it is; the plots use its `analysis`
        (name) and `energy_range_keV` (low, high), people its `spectrum`.
    levels : iterable of float
        Containment levels.
    true_position : object with `lon`, `lat` [deg] and `frame`, or None
        Position to compare with.
    stages : iterable of dict
        One record per stage, with its name `stage`, and `wall_s` and `cpu_s` [s].

    Returns
    -------
    dict
        Plain values only, NaN as None: strict JSON. `best` is None when no pixel prefers a
        source (TS = 0 everywhere), and so is `offset_deg`, also without a true position.

    Raises
    ------
    RunError
        If no pixel has a TS.
    ValueError
        If a status or a level is not known or allowed.
    """
    by_status = count_status(skymap.columns["status"])
    if np.all(np.isnan(skymap.ts)):
        found = ", ".join(f"{n} {name}" for name, n in by_status.items() if n)
        raise RunError(
            f"none of the {skymap.ipix.size} pixels of the map has a TS ({found}); check the "
            "interval, the orientation and the region of the analysis."
        )
    place = _best_place(skymap)
    cells = MultiOrderMap.from_skymap(skymap)
    summary = {
        **problem_info,
        "nside": skymap.nside,
        "frame": skymap.frame,
        "best": None if place is None else _best(skymap, place),
        "true_position": _true_position(true_position),
        "offset_deg": _offset(skymap, place, true_position),
        "containment": [
            _containment(find_region(cells, level), skymap, true_position) for level in levels
        ],
        "pixels": {
            "n_pixels": skymap.ipix.size,
            "area_deg2": skymap.ipix.size * skymap.pixel_area,
            "by_status": by_status,
        },
        "stages": list(stages),
        "versions": {"python": platform.python_version()}
        | {name: version(name) for name in _PACKAGES},
    }
    return _plain(summary)


def count_status(status: np.ndarray) -> dict[str, int]:
    """Number of pixels of each status, by its name.

    Parameters
    ----------
    status : ndarray of integer, shape (n,)
        Status of each pixel.

    Raises
    ------
    ValueError
        If a status has no name.

    Examples
    --------
    >>> count_status(np.array([0, 1, 0]))["good"]
    2
    """
    if unknown := set(np.unique(status).tolist()) - STATUS_NAMES.keys():
        raise ValueError(
            f"status {max(unknown)} has no name: allowed are "
            f"{', '.join(f'{value} {name}' for value, name in STATUS_NAMES.items())}."
        )
    return {name: int(np.sum(status == value)) for value, name in STATUS_NAMES.items()}


def _best_place(skymap: SkyMap) -> int | None:
    """Index of the pixel of largest TS; None if that is 0, where any pixel is as good."""
    place = int(np.nanargmax(skymap.ts))
    return place if skymap.ts[place] > 0 else None


def _best(skymap: SkyMap, place: int) -> dict[str, Any]:
    ipix = skymap.ipix[place : place + 1]
    return {
        "ipix_nested": ipix[0],
        "ipix_ring": nest_to_ring(skymap.nside, ipix)[0],
        **_coordinates(_centre(skymap, place), skymap.frame),
        **{name: skymap.columns[name][place] for name in _QUANTITIES},
    }


def _centre(skymap: SkyMap, place: int) -> np.ndarray:
    return nest_to_vec(skymap.nside, skymap.ipix[place : place + 1])[0]


def _coordinates(vec: np.ndarray, frame: str) -> dict[str, dict[str, float]]:
    """Longitude and latitude of a direction [deg] in the galactic and ICRS frames."""
    coordinates = {}
    for name in ("galactic", "icrs"):
        lon, lat = vec_to_lonlat(rotation(frame, name) @ vec)
        coordinates[name] = {"lon": lon, "lat": lat}
    return coordinates


def _true_position(position) -> dict[str, Any] | None:
    if position is None:
        return None
    given = {"lon": position.lon, "lat": position.lat, "frame": position.frame}
    vec = position_to_vec(position.lon, position.lat, position.frame, "icrs")
    return {**given, **_coordinates(vec, "icrs")}


def _offset(skymap: SkyMap, place: int | None, position) -> float | None:
    if position is None or place is None:
        return None
    vec = position_to_vec(position.lon, position.lat, position.frame, skymap.frame)
    return separation(vec, _centre(skymap, place))


def _containment(region: Region, skymap: SkyMap, position) -> dict[str, Any]:
    return {
        "level": region.level,
        "threshold": region.threshold,
        "area_deg2": region.area,
        "n_pixels": region.cells.size,
        "n_parts": len(region.parts),
        "is_resolved": region.is_resolved,
        "is_cut": region.is_cut,
        "contains_true_position": _contains(region, skymap, position),
    }


def _contains(region: Region, skymap: SkyMap, position) -> bool | None:
    """Whether the pixel of a position is in a region; None without a position."""
    if position is None:
        return None
    vec = position_to_vec(position.lon, position.lat, position.frame, skymap.frame)
    return bool(np.isin(vec_to_nest(skymap.nside, vec[None]), skymap.ipix[region.cells])[0])


def _plain(value: Any) -> Any:
    """Nested values as JSON knows them: plain numbers, lists, None for what is not finite."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value
