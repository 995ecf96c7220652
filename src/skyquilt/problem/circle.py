"""Bins of a problem within a circle on the sky, and what is expected in all of them.

Of a problem with all bins (`skyquilt prepare --all-bins`) the expected counts in a circle are sums
over its pixels. Events one by one have no bins: there the point spread function and the density of
the background are integrated over the circle. An instrument that makes no images has no circle: its
bins are all in it.
"""

from typing import NamedTuple

import numpy as np

from skyquilt.blocks import SparseBlock
from skyquilt.problem.contained import contained_fraction
from skyquilt.problem.event_density import EventDensity, node_positions
from skyquilt.problem.event_wise import EventWise
from skyquilt.problem.expectation import Expectation
from skyquilt.problem.point_spread import PointSpread
from skyquilt.problem.problem import FitProblem
from skyquilt.problem.profiles import contained_in, root_angles
from skyquilt.problem.shaped import Shaped
from skyquilt.sky.frames import separation
from skyquilt.sky.tangent import tangent_axes

_ROUNDING = 1e-12
_N_FINE = 2001  # angles at which a point spread function is integrated
_N_AZIMUTH = 96  # directions on a ring at which a background is
_RINGS = np.polynomial.legendre.leggauss(48)


class Circle(NamedTuple):
    """A circle on the sky.

    Attributes
    ----------
    center : ndarray of float64, shape (3,)
        Unit vector, in the frame of the problem.
    radius : float
        Radius [rad].
    """

    center: np.ndarray
    radius: float


def has_image(expectation: Expectation) -> bool:
    """Whether bins have a position on the sky, so that a circle holds some of them."""
    return isinstance(_of_points(expectation), PointSpread | EventWise)


def has_events(expectation: Expectation) -> bool:
    """Whether the bins are photons one by one."""
    return isinstance(_of_points(expectation), EventWise)


def bins_inside(expectation: Expectation, circle: Circle) -> np.ndarray:
    """Numbers of the bins whose centres lie in a circle, ascending; all without an image."""
    points = _of_points(expectation)
    if isinstance(points, PointSpread):
        is_inside = _is_inside(points.image.shapes[:, :3], circle)
        stop = points.image.bin_stop
        size = np.diff(stop, prepend=0)
        return np.flatnonzero(np.repeat(is_inside, size))
    if isinstance(points, EventWise):
        return np.flatnonzero(_is_inside(points.direction, circle))
    return np.arange(expectation.n_hit)


def source_totals(
    problem: FitProblem,
    block: SparseBlock,
    directions: np.ndarray,
    inside: np.ndarray,
    circle: Circle,
) -> np.ndarray:
    """Expected counts of sources in a circle, of each band.

    Parameters
    ----------
    problem : FitProblem
        Problem with all bins; of photons one by one, with the density between them.
    block : SparseBlock
        Expected counts of the sources.
    directions : ndarray of float64, shape (n, 3)
        Their directions.
    inside : ndarray of int64
        Bins in the circle, see `bins_inside`.
    circle : Circle
        The circle.

    Returns
    -------
    ndarray of float64, shape (n, n_band)
        Expected counts for unit flux.
    """
    points = _of_points(problem.expectation)
    if isinstance(points, PointSpread):
        n_band = problem.bands.n_band
        position = np.minimum(np.searchsorted(inside, block.bin), max(inside.size - 1, 0))
        is_in = inside[position] == block.bin if inside.size else np.zeros(block.bin.size, bool)
        cell = block.direction[is_in] * n_band + problem.bands.of_hit[block.bin[is_in]]
        sums = np.bincount(cell, block.unit_counts[is_in], minlength=len(directions) * n_band)
        return sums.reshape(len(directions), n_band)
    if isinstance(points, EventWise):
        return problem.bands.sum_totals(_event_totals(problem.expectation, directions, circle))
    return problem.band_totals(directions)


def background_totals(problem: FitProblem, inside: np.ndarray, circle: Circle) -> np.ndarray:
    """Expected counts of each component of the background in a circle.

    Parameters
    ----------
    problem, inside, circle
        As for `source_totals`.

    Returns
    -------
    ndarray of float64, shape (n_component, n_band)
        Expected counts; NaN where they are not known, as of one of several components of photons
        one by one.
    """
    points = _of_points(problem.expectation)
    if isinstance(points, PointSpread):
        band, n_band = problem.bands.of_hit[inside], problem.bands.n_band
        each = [one.at(inside) for one in problem.backgrounds]
        return np.array([np.bincount(band, values, minlength=n_band) for values in each])
    if isinstance(points, EventWise):
        if points.density is None or len(problem.backgrounds) > 1:
            return np.full((len(problem.backgrounds), problem.bands.n_band), np.nan)
        return _density_totals(points.density, problem.bands.edges, circle)[np.newaxis]
    return np.array([one.totals for one in problem.backgrounds])


def spread_radii(problem: FitProblem) -> tuple[float, float]:
    """Radius of 68 % of the narrowest band, and of 95 % of the widest one [rad].

    Of an instrument without an image NaN and infinity.
    """
    points = _of_points(problem.expectation)
    if isinstance(points, PointSpread):
        yields = points.yields.values.mean(axis=0)
        sums = np.zeros((problem.bands.n_band, points.to_band.shape[1]))
        sums[problem.bands.of_total, np.arange(points.to_band.shape[1])] = 1
        profiles = sums @ ((points.to_band * yields[:, np.newaxis]).T @ points.profile)
    elif isinstance(points, EventWise) and points.density is not None:
        node = node_positions(points.density.psf_energy, np.sqrt(problem.bands.edges.prod(axis=1)))
        profiles = _between(points.profile, node)
    else:
        return np.nan, np.inf
    angles = root_angles(points.theta[-1], _N_FINE)
    inside = contained_in(angles, points.theta, profiles[profiles.any(axis=1)])
    inside /= inside[:, -1:]
    narrow, wide = (
        [float(np.interp(level, row, angles)) for row in inside] for level in (0.68, 0.95)
    )
    return min(narrow), max(wide)


def _of_points(expectation: Expectation) -> Expectation:
    return expectation.expectation if isinstance(expectation, Shaped) else expectation


def _is_inside(directions: np.ndarray, circle: Circle) -> np.ndarray:
    chord = 2 * np.sin(min(circle.radius, np.pi) / 2)
    # most are far away, which a product tells in a fifth of the time
    near = np.flatnonzero(directions @ circle.center >= 1 - chord**2 / 2 - _ROUNDING)
    is_inside = np.zeros(len(directions), bool)
    is_inside[near] = np.sum((directions[near] - circle.center) ** 2, axis=1) <= chord**2
    return is_inside


def _event_totals(expectation: Expectation, directions: np.ndarray, circle: Circle) -> np.ndarray:
    """Expected events of each band in a circle, shape (n, n_total)."""
    if isinstance(expectation, Shaped):
        points = expectation.points.around(directions, expectation.pole)
        each = _event_totals(expectation.expectation, points.reshape(-1, 3), circle)
        weight = expectation.points.weight
        return np.einsum("j,ijk->ik", weight, each.reshape(*points.shape[:2], -1))
    if not isinstance(expectation, EventWise):
        raise TypeError(f"{type(expectation).__name__}: allowed are expectations of events.")
    totals = expectation.band_totals(directions)
    if expectation.density is None:
        return totals
    reach = expectation.reach
    distance = np.radians(separation(directions, circle.center))
    crosses = np.flatnonzero((distance + reach > circle.radius) & (totals.sum(axis=1) > 0))
    node = node_positions(expectation.density.psf_energy, expectation.density.exposure_energy)
    weight = expectation.total_weight[np.newaxis]
    band_weight = weight if expectation.band_weight is None else expectation.band_weight
    exposure = expectation.exposure.at(directions[crosses])
    for row, number in enumerate(crosses):
        fraction = contained_fraction(
            expectation.theta, expectation.profile, float(distance[number]), circle.radius, reach
        )
        totals[number] = (exposure[row] * _between(fraction, node)) @ band_weight.T
    return totals


def _between(values: np.ndarray, node: np.ndarray) -> np.ndarray:
    """Rows at positions between others: 2.3 is 0.7 times number 2 plus 0.3 times number 3."""
    low = np.minimum(node.astype(int), max(len(values) - 2, 0))
    part = (node - low).reshape(-1, *(1,) * (values.ndim - 1))
    return (1 - part) * values[low] + part * values[np.minimum(low + 1, len(values) - 1)]


def _density_totals(density: EventDensity, edges: np.ndarray, circle: Circle) -> np.ndarray:
    """Expected background of each band in a circle, shape (n_band,)."""
    node, weight = _RINGS
    height = 1 - np.cos(circle.radius)
    cosine = 1 - height * (1 + node) / 2
    azimuth = 2 * np.pi * (np.arange(_N_AZIMUTH) + 0.5) / _N_AZIMUTH
    east, north = tangent_axes(circle.center[np.newaxis], np.array([0.0, 0.0, 1.0]))
    sine = np.sqrt(1 - cosine**2)[:, np.newaxis, np.newaxis]
    around = np.cos(azimuth)[:, np.newaxis] * east[0] + np.sin(azimuth)[:, np.newaxis] * north[0]
    directions = (cosine[:, np.newaxis, np.newaxis] * circle.center + sine * around).reshape(-1, 3)
    area = np.repeat(weight * height / 2 * 2 * np.pi / _N_AZIMUTH, _N_AZIMUTH)
    per_band = area @ density.background_per_sr(directions)
    return np.array([per_band @ density.background.fractions((low, high)) for low, high in edges])
