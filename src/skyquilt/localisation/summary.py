"""Numbers of a map for people and programs: what `summary.json` holds."""

import platform
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from skyquilt.errors import InputError
from skyquilt.localisation.describe import coordinates, describe_regions, describe_standing
from skyquilt.localisation.file import FLAT, MULTIORDER
from skyquilt.localisation.posterior import Posterior
from skyquilt.localisation.standing import find_standing
from skyquilt.maps.multiorder import MultiOrderMap
from skyquilt.maps.plateau import best_index
from skyquilt.maps.skymap import SkyMap
from skyquilt.sky.frames import position_to_vec, separation
from skyquilt.sky.healpix import nest_to_vec
from skyquilt.sky.pixels import nest_to_ring
from skyquilt.spectra.energies import ERG
from skyquilt.status import STATUS_NAMES

_PACKAGES = ("skyquilt", "astropy", "h5py", "healpy", "numpy", "scipy")


def summarise(
    skymap: SkyMap,
    localisation: Posterior,
    problem_info: Mapping[str, Any],
    options,
    stages: Iterable[Mapping[str, Any]],
) -> dict[str, Any]:
    """Everything that `summary.json` says of an analysis.

    Parameters
    ----------
    skymap : SkyMap
        The full map, with the columns ts and status.
    localisation : Posterior
        Posterior and regions; best position and regions are those of its cells.
    problem_info : dict
        What to tell of the fit problem, put in front as it is; the plots use its `analysis`
        (name) and `energy_range_keV` (low, high), people its `spectrum`; the energy flux
        comes from `mean_photon_energy_keV`, of each spectrum by its name.
    options : object with `prior` and `true_position`
        Section `localise` of the analysis: the prior of the posterior, and the position to
        compare with (`lon`, `lat` [deg] and `frame`) or None.
    stages : iterable of dict
        One record per stage, with its name `stage`, and `wall_s` and `cpu_s` [s].

    Returns
    -------
    dict
        Plain values only, NaN as None: strict JSON. `best` is None when no pixel prefers a
        source (TS = 0 everywhere), and so is `offset_deg`, also without a true position.

    Raises
    ------
    ValueError
        If a status is not known.
    """
    cells, position = localisation.cells, options.true_position
    index = best_index(cells)
    standing = None if position is None else find_standing(cells, _vec(position, cells.frame))
    summary = {
        **problem_info,
        "nside": skymap.nside,
        "frame": skymap.frame,
        "n_spectra": max(1, len(problem_info.get("templates", {}))),
        "best": None if index is None else _best(cells, index, problem_info),
        "best_pixel": None if index is None else _best_pixel(skymap),
        "true_position": _true_position(position),
        "offset_deg": _offset(cells, index, position),
        "searched": describe_standing(standing),
        "prior": options.prior,
        **describe_regions(localisation, standing, position is not None),
        "files": {"multiorder": MULTIORDER, "flat": FLAT},
        "cells": {
            "n_cells": int(np.sum(~np.isnan(cells.ts))),
            "max_order": cells.max_order,
            "smallest_deg": float(np.sqrt(cells.pixel_area.min())),
        },
        "pixels": {
            "n_pixels": skymap.ipix.size,
            "area_deg2": skymap.ipix.size * skymap.pixel_area,
            "by_status": count_status(skymap.columns["status"]),
        },
        "stages": list(stages),
        "versions": {"python": platform.python_version()}
        | {name: version(name) for name in _PACKAGES},
    }
    return _plain(summary)


def check_fitted(skymap: SkyMap, source: str | Path) -> None:
    """Refuse a map, read from the file `source`, in which nothing was fitted.

    Raises
    ------
    InputError
        If no pixel has a TS; the message tells how many ended how.
    """
    if np.all(np.isnan(skymap.ts)):
        by_status = count_status(skymap.columns["status"])
        found = ", ".join(f"{n} {name}" for name, n in by_status.items() if n)
        raise InputError(
            f"{source}: none of the {skymap.ipix.size} pixels of the map has a TS ({found}); check "
            "region, exposure, interval and orientation of the analysis."
        )


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


def _best(cells: MultiOrderMap, index: int, problem_info: Mapping[str, Any]) -> dict[str, Any]:
    """Position of a cell and all that was fitted there."""
    fitted = {name: column[index] for name, column in cells.columns.items()}
    del fitted["probdensity"]
    if "template" in fitted:
        fitted["template"] = list(problem_info["templates"])[int(fitted["template"])]
    energies = problem_info.get("mean_photon_energy_keV", {})
    if (energy := energies.get(fitted.get("template", ""))) and "photon_flux" in fitted:
        fitted["energy_flux"] = fitted["photon_flux"] * energy * ERG
    return {"uniq": cells.uniq[index], **coordinates(cells.centres[index], cells.frame), **fitted}


def _best_pixel(skymap: SkyMap) -> dict[str, Any]:
    index = best_index(MultiOrderMap.from_skymap(skymap))
    index = 0 if index is None else index
    ipix = skymap.ipix[index : index + 1]
    return {
        "ipix_nested": ipix[0],
        "ipix_ring": nest_to_ring(skymap.nside, ipix)[0],
        **coordinates(nest_to_vec(skymap.nside, ipix)[0], skymap.frame),
        "ts": skymap.ts[index],
    }


def _true_position(position) -> dict[str, Any] | None:
    if position is None:
        return None
    given = {"lon": position.lon, "lat": position.lat, "frame": position.frame}
    return {**given, **coordinates(_vec(position, "icrs"), "icrs")}


def _offset(cells: MultiOrderMap, index: int | None, position) -> float | None:
    if position is None or index is None:
        return None
    return float(separation(_vec(position, cells.frame), cells.centres[index]))


def _vec(position, frame: str) -> np.ndarray:
    return position_to_vec(position.lon, position.lat, position.frame, frame)


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
