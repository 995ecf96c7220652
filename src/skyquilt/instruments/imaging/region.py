"""Photons of a circle on the sky: what of background and exposure belongs to them.

A list of photons of a circle has none beyond its edge. The background that is expected is that of
the circle, and the exposure is known for directions whose photons are all in it.
"""

import logging
from collections.abc import Callable, Collection
from dataclasses import replace

import numpy as np

from skyquilt.errors import InputError
from skyquilt.instruments.imaging.background import Background
from skyquilt.instruments.imaging.cube import SkyCube
from skyquilt.instruments.imaging.events import ImagingEvents
from skyquilt.instruments.imaging.healpix_cube import HealpixCube
from skyquilt.instruments.imaging.selections import Circle, Selected
from skyquilt.instruments.judge import object_to
from skyquilt.problem.buckets import bucket_radius
from skyquilt.sky.frames import lonlat_to_vec, rotate, rotation
from skyquilt.sky.healpix import nest_to_vec, ring_to_vec
from skyquilt.sky.pixels import ring_to_nest

logger = logging.getLogger(__name__)

_SOME = 0.5  # expected counts outside of a circle that may be
_FINE = 512  # resolution at which a circle is cut out of the background: 0.1 deg
_EXPOSURE = 128  # resolution of an exposure of which a circle is cut out: 0.5 deg


def is_within(circle: Circle, frame: str, direction: np.ndarray, margin: float = 0.0) -> np.ndarray:
    """Which directions lie in a circle, and farther from its edge than a margin [deg].

    Parameters
    ----------
    circle : Circle
        The circle.
    frame : {"galactic", "icrs"}
        Frame of the directions.
    direction : ndarray of float64, shape (n, 3)
        Unit vectors.
    margin : float
        Angle [deg].
    """
    *center, chord = chord_around(circle, frame, margin)
    return np.linalg.norm(direction - center, axis=1) <= chord


def chord_around(circle: Circle, frame: str, margin: float = 0.0) -> np.ndarray:
    """Unit vector to the centre of a circle and its radius as a chord, shape (4,)."""
    center = lonlat_to_vec(circle.lon, circle.lat)
    center = rotate(rotation(circle.frame, frame), center[np.newaxis])[0]
    # a chord, which is exact for small angles
    limit = 2 * np.sin(np.radians(max(circle.radius - margin, 0.0)) / 2)
    return np.append(center, limit * (1 + 1e-6))


def cut_events(events: ImagingEvents, circles: tuple[Circle, ...]) -> ImagingEvents:
    """Events in all circles; how many are not is logged."""
    kept = np.ones(len(events.energy), dtype=bool)
    for circle in circles:
        kept &= is_within(circle, events.frame, events.direction)
    if not kept.all():
        logger.warning(
            "%s: %d events lie outside the region of which its header says that they are; left out",
            *(events.path, np.count_nonzero(~kept)),
        )
    return events.keep(kept)


def cut_background(background: Background, circles: tuple[Circle, ...]) -> Background:
    """Background whose totals are those in all circles."""
    if not circles:
        return background
    cube = background.cube
    n_fine = max(_FINE // cube.nside, 1) ** 2
    fraction = np.empty(len(cube.ipix))
    nest = ring_to_nest(cube.nside, cube.ipix)
    rows = max(1, 2**20 // n_fine)
    for first in range(0, len(nest), rows):
        inner = nest[first : first + rows, np.newaxis] * n_fine + np.arange(n_fine)
        direction = nest_to_vec(cube.nside * int(np.sqrt(n_fine)), inner.ravel())
        is_in = np.ones(inner.size, dtype=bool)
        for circle in circles:
            is_in &= is_within(circle, cube.frame, direction)
        fraction[first : first + rows] = is_in.reshape(inner.shape).mean(axis=1)
    return replace(background, fraction=fraction)


def check_circles(
    path: str,
    selected: Selected,
    vertices: np.ndarray,
    frame: str,
    expected: np.ndarray,
    accepted: Collection[str],
) -> None:
    """Refuse images with background in pixels outside of the circle that their counts are of.

    Parameters
    ----------
    path : str
        File of the counts, for messages.
    selected : Selected
        What its header says.
    vertices : ndarray of float64, shape (n_pixel, n_vertex, 3)
        Corners of the pixels.
    frame : {"galactic", "icrs"}
        Their frame.
    expected : ndarray of float64, shape (n_pixel, n_band)
        Expected background counts.
    accepted : collection of str
        With "selection" the error is a warning.

    Raises
    ------
    InputError
        If background is expected in pixels that lie outside with all their corners.
    """
    for circle in selected.circles:
        is_in = is_within(circle, frame, vertices.reshape(-1, 3)).reshape(vertices.shape[:2])
        is_out = ~is_in.any(axis=1)
        outside = float(expected[is_out].sum())
        if outside > _SOME + 0.001 * float(expected.sum()):
            object_to(
                accepted,
                "selection",
                f"{path}: its photons are those of {circle}, but {np.count_nonzero(is_out)} pixels "
                f"with {outside:.4g} expected background lie outside: cut counts and background "
                "to it, or give these pixels NaN.",
            )


def cut_exposure(exposure: SkyCube, circles: tuple[Circle, ...], reach: float) -> SkyCube:
    """Exposure of directions whose photons all lie in some circles.

    Parameters
    ----------
    exposure : SkyCube
        The exposure.
    circles : tuple of Circle
        The circles.
    reach : float
        Angle within which the photons of a direction lie [deg].

    Raises
    ------
    InputError
        If there are none.
    """
    if not circles:
        return exposure

    def is_in(direction: np.ndarray, margin: float) -> np.ndarray:
        inside = np.ones(len(direction), dtype=bool)
        for circle in circles:
            inside &= is_within(circle, exposure.frame, direction, reach + margin)
        return inside

    return exposure_of(exposure, is_in, " and ".join(map(str, circles)), reach)


def exposure_of(
    exposure: SkyCube,
    is_in: Callable[[np.ndarray, float], np.ndarray],
    region: str,
    reach: float,
) -> SkyCube:
    """Exposure of the directions of a region.

    Parameters
    ----------
    exposure : SkyCube
        The exposure.
    is_in : callable
        Whether all photons of directions, and of those nearer to them than a margin [deg], lie in
        the region.
    region : str
        The region, for messages.
    reach : float
        Angle within which the photons of a direction lie [deg], for messages.

    Raises
    ------
    InputError
        If there are none.
    """
    grid = exposure.grid(exposure.values)
    nside = max(getattr(grid, "nside", 0), _EXPOSURE)
    ipix = np.arange(12 * nside**2)
    direction = ring_to_vec(nside, ipix)
    kept = is_in(direction, bucket_radius(nside))
    values = np.full((0, exposure.values.shape[1]), np.nan)
    if kept.any():
        values = grid.at(direction[kept])
        kept[kept] = is_known = ~np.isnan(values).any(axis=1)
        values = values[is_known]
    if not kept.any():
        raise InputError(
            f"{exposure.path}: the events are of {region}, which holds "
            f"all photons of no direction: they lie within {reach:.3g} deg of it. Use events of a "
            "larger region, or a larger `lost_fraction`."
        )
    logger.info(
        "%s: the events are of %s; directions within %.3g deg of its edge have no exposure",
        *(exposure.path, region, reach + bucket_radius(nside)),
    )
    return HealpixCube(exposure.path, exposure.frame, nside, ipix[kept], values, exposure.energies)
