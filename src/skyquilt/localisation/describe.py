"""Regions of a localisation in plain words and numbers, for `summary.json`."""

from typing import Any

import numpy as np

from skyquilt.localisation.file import KINDS, region_files
from skyquilt.localisation.posterior import Posterior
from skyquilt.localisation.standing import Standing
from skyquilt.maps.credible import probability_inside
from skyquilt.maps.region import Region, RegionPart
from skyquilt.sky.frames import rotation, vec_to_lonlat

MAX_LISTED = 10
"""Parts of a region, and maxima of a part, that are listed; their numbers are always told."""


def describe_regions(
    localisation: Posterior, standing: Standing | None, is_position_known: bool
) -> dict[str, list[dict[str, Any]]]:
    """Entries `containment` and `credible` of the summary, one per level each.

    Parameters
    ----------
    localisation : Posterior
        The regions.
    standing : Standing or None
        That of the true position; None if it is not known, or nothing was fitted there.
    is_position_known : bool
        Whether there is a true position.
    """
    index = -1 if standing is None else standing.cell
    return {
        kind: [
            _region(region, localisation)
            | {
                "contains_true_position": index in region.cells if is_position_known else None,
                "files": region_files(kind, region.level),
            }
            for region in getattr(localisation, kind)
        ]
        for kind in KINDS
    }


def describe_standing(standing: Standing | None) -> dict[str, float] | None:
    """Entry `searched` of the summary: when the true position enters the regions."""
    if standing is None:
        return None
    return {
        "probability": standing.probability,
        "area_deg2": standing.area,
        "ts_drop": standing.ts_drop,
        "containment_level": standing.containment_level,
    }


def coordinates(vec: np.ndarray, frame: str) -> dict[str, dict[str, float]]:
    """Longitude and latitude of a direction [deg] in the galactic and ICRS frames."""
    coordinates = {}
    for name in ("galactic", "icrs"):
        lon, lat = vec_to_lonlat(rotation(frame, name) @ vec)
        coordinates[name] = {"lon": float(lon), "lat": float(lat)}
    return coordinates


def _region(region: Region, localisation: Posterior) -> dict[str, Any]:
    cells, density = localisation.cells, localisation.density
    return {
        "level": region.level,
        "threshold": region.threshold,
        "probability": probability_inside(cells, density, region.cells),
        "area_deg2": region.area,
        "n_pixels": region.cells.size,
        "n_parts": len(region.parts),
        "is_resolved": region.is_resolved,
        "is_cut": region.is_cut,
        "parts": [_part(part, localisation) for part in region.parts[:MAX_LISTED]],
    }


def _part(part: RegionPart, localisation: Posterior) -> dict[str, Any]:
    cells, density = localisation.cells, localisation.density
    return {
        "area_deg2": part.area,
        "probability": probability_inside(cells, density, part.cells),
        "n_maxima": part.maxima.size,
        "maxima": [
            {**coordinates(cells.centres[index], cells.frame), "ts": cells.ts[index]}
            for index in part.maxima[:MAX_LISTED]
        ],
    }
