"""How much of the sky data cover."""

import numpy as np

from skyquilt.problem.dispersed import DispersedEvents
from skyquilt.problem.event_wise import EventWise
from skyquilt.problem.expectation import Expectation
from skyquilt.problem.joint import Joint
from skyquilt.problem.offset_grid import OffsetGrid
from skyquilt.problem.point_spread import PointSpread
from skyquilt.problem.sky_grid import HealpixGrid
from skyquilt.sky.healpix import ring_to_vec


def data_radius(expectation: Expectation) -> float | None:
    """Angle from the middle of the data to their farthest end [rad].

    Of several data sets the largest. None where all of the sky is seen, or the instrument makes no
    images.
    """
    if isinstance(expectation, Joint):
        each = [data_radius(part.expectation) for part in expectation.parts]
        known = [one for one in each if one is not None]
        return max(known) if len(known) == len(each) else None
    if isinstance(expectation, PointSpread):
        border = expectation.image.border.reshape(-1, 3)
        return _least(_radius(border), _exposed_radius(expectation.yields))
    if isinstance(expectation, EventWise):
        return _exposed_radius(expectation.exposure)
    if isinstance(expectation, DispersedEvents) and isinstance(expectation.weights, OffsetGrid):
        return expectation.weights.radius()
    return None


def _exposed_radius(grid: HealpixGrid) -> float | None:
    is_seen = np.any(grid.values > 0, axis=1)
    if grid.ipix is None and np.all(is_seen):
        return None
    ipix = np.arange(len(grid.values)) if grid.ipix is None else grid.ipix
    radius = _radius(ring_to_vec(grid.nside, ipix[is_seen]))
    # to the corners of the pixels at the edge
    return None if radius is None else radius + np.sqrt(np.pi / 3) / grid.nside


def _radius(directions: np.ndarray) -> float | None:
    """Largest angle from the mean of directions [rad]; None where they are all around."""
    if not len(directions):
        return None
    mean = directions.mean(axis=0)
    if np.linalg.norm(mean) < 0.1:
        return None
    cosine = directions @ (mean / np.linalg.norm(mean))
    return float(np.arccos(np.clip(cosine.min(), -1, 1)))


def _least(*radii: float | None) -> float | None:
    return min((one for one in radii if one is not None), default=None)
