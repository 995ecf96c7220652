"""Fit problems of the shape of COSI's DC2, in memory: 768 rows, 27,648 bins, 40 attitude samples.

The response is the closed form of `skyquilt.testing.toy`, finer; a burst of 40 s is observed over
about a thousand background counts, as in one energy channel of DC2.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from skyquilt.problem import Description, FitProblem, SkyTable
from skyquilt.sky.healpix import nest_to_vec, ring_to_vec
from skyquilt.sky.pixels import nside_to_npix
from skyquilt.testing.toy import Telescope, turn

SEED = 20280301
FLUX = 0.6
"""Of the burst: about 150 counts."""


@dataclass(frozen=True)
class Dc2(Telescope):
    """Telescope with the bins of DC2; the zenith moves 0.0625 deg/s, an orbit of 96 minutes."""

    nside: int = 8
    width: float = 4.0
    background_counts: float = 1000.0

    phi = np.arange(2.5, 180, 5)
    psichi_nside = 8

    @cached_property
    def rows(self) -> np.ndarray:
        """Expected counts per second for 1 ph cm-2 s-1, shape (768, 27648)."""
        sources = ring_to_vec(self.nside, np.arange(nside_to_npix(self.nside)))
        return np.vstack([self._row(source) for source in sources])

    @cached_property
    def attitude(self) -> tuple[np.ndarray, np.ndarray]:
        """Rotations from the sky to the spacecraft, and seconds."""
        seconds = np.arange(40.0)
        angle = np.radians(20 + 0.0625 * seconds)
        return turn(np.full(40, 1.2), 2) @ turn(angle, 0), np.ones(40)

    def _row(self, source: np.ndarray) -> np.ndarray:
        distance = np.abs(self._angle(source[np.newaxis])[0] - self.phi[:, np.newaxis])
        scatter = 1 + np.cos(np.radians(self.phi)) ** 2
        cells = (scatter[:, np.newaxis] * np.exp(-0.5 * (distance / self.width) ** 2)).ravel()
        return ((6 * (1 + source[2]) / 2 + 1) * cells / cells.sum()).astype(np.float32)


def burst_problem(flux: float = FLUX, *, all_bins: bool = False) -> FitProblem:
    """A burst observed by `Dc2`, 30 degrees off axis; with its hit bins or with all 27,648."""
    telescope, rng = Dc2(), np.random.default_rng(SEED)
    counts = rng.poisson(telescope.background + flux * telescope.expected(burst_direction()))
    return telescope.problem(counts, np.ones(counts.size, dtype=bool) if all_bins else None)


def burst_direction() -> np.ndarray:
    """Unit vector to the burst, in galactic coordinates."""
    return np.array([0.0, 0.5, 0.75**0.5]) @ Dc2().attitude[0][0]


def wide_problem() -> FitProblem:
    """The same with all 27,648 bins kept, so that the table has 85 MB."""
    telescope = Dc2()
    counts = np.maximum(1, np.random.default_rng(SEED).poisson(telescope.background))
    return telescope.problem(counts.astype(np.float64))


def sky_problem(nside: int = 16) -> FitProblem:
    """Galactic problem: 3072 rows of 27,648 bins (340 MB), made when they are asked for."""
    telescope = Dc2(nside=nside)
    n_bins = telescope.background.size
    counts = np.maximum(1, np.random.default_rng(SEED).poisson(telescope.background))
    return FitProblem(
        counts.astype(np.float64),
        telescope.background,
        SkyTable(_Rows(telescope), np.ones(nside_to_npix(nside)), nside, "RING", "bilinear"),
        frame="galactic",
        photon_flux=1.0,
        description=Description("toy", "flat", (100.0, 200.0), n_bins=n_bins),
    )


def all_directions(nside: int) -> np.ndarray:
    """Unit vectors of all pixels, in nested order."""
    return nest_to_vec(nside, np.arange(nside_to_npix(nside)))


class _Rows:
    """Rows of a telescope, made when they are asked for."""

    def __init__(self, telescope: Dc2):
        self._telescope = telescope
        self.shape = (nside_to_npix(telescope.nside), telescope.background.size)

    def __iter__(self):
        for source in ring_to_vec(self._telescope.nside, np.arange(self.shape[0])):
            yield self._telescope._row(source)
