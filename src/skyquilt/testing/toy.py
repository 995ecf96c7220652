"""A toy Compton telescope in memory, and experiments repeated with it.

The response is a closed form, a Gaussian ring around each source, so that experiments cost
milliseconds and need no files. Everything else, from weights to regions, is skyquilt's own.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from skyquilt.fit.pixels import fit_pixels
from skyquilt.likelihood.options import FluxOptions
from skyquilt.likelihood.poisson import FluxFit
from skyquilt.maps.containment import find_region
from skyquilt.maps.credible import find_credible_region, probability_density
from skyquilt.maps.multiorder import MultiOrderMap
from skyquilt.maps.skymap import SkyMap
from skyquilt.problem import Description, FitProblem, LocalTable
from skyquilt.sky.frames import separation
from skyquilt.sky.healpix import nest_to_vec, ring_to_vec
from skyquilt.sky.pixels import nside_to_npix
from skyquilt.sky.regions import cone, ipix_from_ranges


@dataclass(frozen=True)
class Telescope:
    """A telescope, its attitude, and the background during one observation.

    Attributes
    ----------
    nside : int
        Resolution of the response rows.
    width : float
        Angular resolution: standard deviation of the angle from the cone [deg].
    background_counts : float
        Expected background counts in all bins.
    """

    nside: int = 4
    width: float = 12.0
    background_counts: float = 400.0

    # Compton angle [deg], middle of five bins; scattered direction in 192 pixels: 960 bins
    phi = np.array([15.0, 25.0, 35.0, 45.0, 55.0])
    psichi_nside = 4

    @cached_property
    def rows(self) -> np.ndarray:
        """Expected counts per second for 1 ph cm-2 s-1, shape (12 nside^2, 960)."""
        source = ring_to_vec(self.nside, np.arange(nside_to_npix(self.nside)))
        return self.expect_local(source).astype(np.float32)

    def expect_local(self, source: np.ndarray) -> np.ndarray:
        """Expected counts per second for 1 ph cm-2 s-1, shape (n, 960).

        Parameters
        ----------
        source : ndarray of float64, shape (n, 3)
            Directions in the spacecraft frame.
        """
        distance = np.abs(self._angle(source) - self.phi[:, np.newaxis])
        scatter = 1 + np.cos(np.radians(self.phi)) ** 2  # Thomson, for want of an energy
        cells = scatter[:, np.newaxis] * np.exp(-0.5 * (distance / self.width) ** 2)
        shape = cells.reshape(len(source), -1)
        area = 6 * (1 + source[:, 2]) / 2 + 1  # 7 cm2 on axis, 1 cm2 from behind
        return area[:, np.newaxis] * shape / shape.sum(axis=1, keepdims=True)

    @cached_property
    def totals(self) -> np.ndarray:
        """Sum of each row [s-1]."""
        return self.rows.sum(axis=1, dtype=np.float64)

    @cached_property
    def background(self) -> np.ndarray:
        """Expected background counts, shape (960,): brighter from below, at small angles."""
        psichi = ring_to_vec(self.psichi_nside, np.arange(nside_to_npix(self.psichi_nside)))
        shape = (1 - 0.5 * psichi[:, 2]) * np.exp(-self.phi / 60)[:, np.newaxis]
        return self.background_counts * shape.ravel() / shape.sum()

    @cached_property
    def attitude(self) -> tuple[np.ndarray, np.ndarray]:
        """Rotations from the sky to the spacecraft, and seconds: a slew of 9 deg in 40 s."""
        tilt, roll = np.radians([20.0, 25.0, 29.0]), np.radians([70.0, 72.0, 74.0])
        return turn(roll, 2) @ turn(tilt, 0), np.array([14.0, 16.0, 10.0])

    def skewness(self, direction: np.ndarray) -> float:
        """Skewness of the slope of the likelihood at zero flux, when there is no source."""
        ratio = self.expected(direction) / self.background
        second, third = (np.sum(self.background * ratio**power) for power in (2, 3))
        return float(third / second**1.5)

    def table(self, is_kept: np.ndarray) -> LocalTable:
        """Expectation that holds some of the bins; totals are over all of them."""
        rotation, seconds = self.attitude
        return LocalTable(self.rows[:, is_kept], self.totals, self.nside, rotation, seconds)

    def expected(self, direction: np.ndarray) -> np.ndarray:
        """Expected counts of a source of 1 ph cm-2 s-1, shape (960,)."""
        every = np.ones(self.rows.shape[1], dtype=bool)
        return self.table(every).block(direction[np.newaxis]).unit_counts[0]

    def problem(self, counts: np.ndarray, is_kept: np.ndarray | None = None) -> FitProblem:
        """Fit problem of observed counts, with the hit bins, or those that are asked for."""
        is_kept = counts > 0 if is_kept is None else is_kept
        return FitProblem(
            counts[is_kept].astype(np.float64),
            self.background[is_kept],
            self.table(is_kept),
            frame="galactic",
            photon_flux=1.0,
            description=Description("toy", "flat", (100.0, 200.0), n_bins=counts.size),
            background_total=float(self.background.sum()),
        )

    def observe(self, direction: np.ndarray, flux: float, rng: np.random.Generator) -> FitProblem:
        """Fit problem of one Poisson observation of a source."""
        return self.problem(rng.poisson(self.background + flux * self.expected(direction)))

    def all_bins(self, rng: np.random.Generator) -> FitProblem:
        """All bins, with the counts of an observation without a source: what skies are drawn of."""
        counts = rng.poisson(self.background)
        return self.problem(counts, np.ones(counts.size, dtype=bool))

    def random_direction(self, rng: np.random.Generator, radius: float = 60.0) -> np.ndarray:
        """Direction drawn uniformly within a radius [deg] of the boresight."""
        z = rng.uniform(np.cos(np.radians(radius)), 1)
        azimuth, rho = rng.uniform(0, 2 * np.pi), np.sqrt(1 - z * z)
        return np.array([rho * np.cos(azimuth), rho * np.sin(azimuth), z]) @ self.attitude[0][0]

    def _angle(self, source: np.ndarray) -> np.ndarray:
        """Angle between each source and scattered direction [deg], shape (n, 1, 192)."""
        psichi = ring_to_vec(self.psichi_nside, np.arange(nside_to_npix(self.psichi_nside)))
        return separation(source[:, np.newaxis], psichi)[:, np.newaxis]


def turn(angle: np.ndarray, axis: int) -> np.ndarray:
    """Rotations about a coordinate axis, shape (n, 3, 3)."""
    first, second = (axis + 1) % 3, (axis + 2) % 3
    matrix = np.zeros((len(angle), 3, 3))
    matrix[:, axis, axis] = 1
    matrix[:, first, first] = matrix[:, second, second] = np.cos(angle)
    matrix[:, first, second], matrix[:, second, first] = -np.sin(angle), np.sin(angle)
    return matrix


def fit_many(
    telescope: Telescope,
    direction: np.ndarray,
    flux: float,
    n_trials: int,
    seed: int,
    **options: Any,
) -> FluxFit:
    """Fits, with some options, of as many observations of one source at its true direction."""
    rng = np.random.default_rng(seed)
    fits = [
        fit_pixels(
            telescope.observe(direction, flux, rng), direction[np.newaxis], FluxOptions(**options)
        )
        for _ in range(n_trials)
    ]
    return FluxFit(*map(np.concatenate, zip(*fits, strict=True)))


class Localisations(NamedTuple):
    """Bursts of random directions and the regions of their maps.

    Attributes
    ----------
    ts_max : ndarray of float64, shape (n,)
        TS of the best pixel.
    drop : ndarray of float64, shape (n,)
        `ts_max` less the TS at the true direction, which is no pixel centre.
    is_covered : ndarray of bool, shape (n, n_level)
        Whether the containment region of each level has the pixel that holds the source.
    n_pixels : ndarray of int64, shape (n, n_level)
        Pixels of the containment region of each level.
    is_credible, n_credible : ndarray of bool and int64, shape (n, n_level)
        The same of the credible regions, for a flat prior.
    """

    ts_max: np.ndarray
    drop: np.ndarray
    is_covered: np.ndarray
    n_pixels: np.ndarray
    is_credible: np.ndarray
    n_credible: np.ndarray


def localise_many(
    telescope: Telescope,
    flux: float,
    n_trials: int,
    seed: int,
    *,
    nside: int,
    radius: float,
    levels: tuple[float, ...],
) -> Localisations:
    """Observe bursts of random directions; map each within a radius [deg] of the truth."""
    rng = np.random.default_rng(seed)
    bursts = []
    for _ in range(n_trials):
        direction = telescope.random_direction(rng)
        problem = telescope.observe(direction, flux, rng)
        bursts.append(_localise(problem, direction, nside, radius, levels))
    return Localisations(*map(np.array, zip(*bursts, strict=True)))


def binomial_error(probability: float, n_trials: int) -> float:
    """Standard error of a fraction of trials."""
    return float(np.sqrt(probability * (1 - probability) / n_trials))


def _localise(
    problem: FitProblem,
    direction: np.ndarray,
    nside: int,
    radius: float,
    levels: tuple[float, ...],
) -> tuple[float, float, list[bool], list[int], list[bool], list[int]]:
    ipix = ipix_from_ranges(cone(nside, direction, radius))
    ts = fit_pixels(problem, np.vstack([nest_to_vec(nside, ipix), direction])).ts
    cells = MultiOrderMap.from_skymap(SkyMap(nside, problem.frame, ipix, {"ts": ts[:-1]}))
    home = cells.find(direction[np.newaxis])[0]
    density = probability_density(cells)
    found = []
    for regions in (
        [find_region(cells, level).cells for level in levels],
        [find_credible_region(cells, density, level).cells for level in levels],
    ):
        found += [[home in region for region in regions], [*map(len, regions)]]
    ts_max = cells.ts.max()
    return ts_max, ts_max - ts[-1], *found
