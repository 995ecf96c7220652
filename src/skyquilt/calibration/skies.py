"""Many simulated skies: largest TS without a source, and what becomes of injected sources.

The random numbers of a sky follow from the seed, its kind and its number alone, so that skies do
not depend on how they are shared among jobs.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from skyquilt.calibration.sky import Grid, Peak, find_peak, make_grid
from skyquilt.config.calibrate import N_AUTO_FLUXES
from skyquilt.errors import RunError
from skyquilt.fit.pixels import fit_pixels
from skyquilt.likelihood.options import FluxOptions
from skyquilt.likelihood.poisson import FluxFit
from skyquilt.maps.plateau import highest_index
from skyquilt.problem.problem import FitProblem
from skyquilt.simulate import InjectedSource, draw_direction, draw_sky, generator, hit_bins
from skyquilt.sky.frames import separation

__all__ = ["Grid", "InjectedSkies", "NullSkies", "choose_fluxes", "fit_data", "make_grid"]

_NULL, _INJECTED = 0, 1  # kinds, as part of the seed
_FAINT, _MEDIUM, _BRIGHT = 3.0, 15.0, 30.0  # automatic fluxes, in errors of the flux

Report = Callable[[int, int], None]


class NullSkies(NamedTuple):
    """Skies of background alone.

    Attributes
    ----------
    ts_max : ndarray of float64, shape (n,)
        Largest TS of the grid.
    ipix : ndarray of int64, shape (n,)
        Nested pixel where it is.
    n_counts : ndarray of int64, shape (n,)
        Counts of the sky.
    """

    ts_max: np.ndarray
    ipix: np.ndarray
    n_counts: np.ndarray


class InjectedSkies(NamedTuple):
    """Skies with one source each, at a random direction.

    Attributes
    ----------
    flux : ndarray of float64, shape (n,)
        Injected flux, a multiple of the reference spectrum.
    direction, best_direction : ndarray of float64, shape (n, 3)
        Where the source is and where TS is largest, in the frame of the problem.
    flux_truth, flux_err_truth : ndarray of float64, shape (n,)
        Fit at the true direction, negative fluxes allowed where the background is fixed.
    ts_truth : ndarray of float64, shape (n,)
        TS at the true direction; 0 where the fitted flux is below zero.
    ts_max, best_flux : ndarray of float64, shape (n,)
        Largest TS, not bound to the grid, and the best flux there.
    offset : ndarray of float64, shape (n,)
        Angle between both directions [deg].
    """

    flux: np.ndarray
    direction: np.ndarray
    best_direction: np.ndarray
    flux_truth: np.ndarray
    flux_err_truth: np.ndarray
    ts_truth: np.ndarray
    ts_max: np.ndarray
    best_flux: np.ndarray
    offset: np.ndarray


class DataFit(NamedTuple):
    """The observed sky on the grid.

    Attributes
    ----------
    ts_max : float
        Largest TS.
    best_flux : float
        Best flux there.
    smallest_err, median_err : float
        Error of the flux, where it is smallest (5 % of the grid) and its median.
    """

    ts_max: float
    best_flux: float
    smallest_err: float
    median_err: float


def fit_data(model: FitProblem, grid: Grid) -> DataFit:
    """Fit the observed counts of a model on the grid.

    Raises
    ------
    RunError
        If no pixel can be fitted.
    """
    fit = _fit_grid(hit_bins(model), grid)
    if np.all(np.isnan(fit.ts)):
        raise RunError(
            f"none of the {grid.ipix.size} pixels of the region can be fitted; check `map.region` "
            "and the orientation."
        )
    best = int(np.nanargmax(fit.ts))
    errors = np.nanquantile(fit.flux_err, [0.05, 0.5])
    return DataFit(float(fit.ts[best]), float(fit.flux[best]), *map(float, errors))


def choose_fluxes(fluxes: Sequence[float] | str, data: DataFit) -> np.ndarray:
    """Fluxes to inject; "auto" follows from the fit of the data.

    Examples
    --------
    >>> data = DataFit(ts_max=400.0, best_flux=5.0, smallest_err=0.05, median_err=0.1)
    >>> choose_fluxes("auto", data).round(2)
    array([0.15, 0.27, 0.47, 0.84, 1.5 , 5.  ])
    """
    if fluxes != "auto":
        return np.array(fluxes, dtype=np.float64)
    faint, medium = _FAINT * data.smallest_err, _MEDIUM * data.median_err
    bright = max(data.best_flux, _BRIGHT * data.median_err)
    return np.append(np.geomspace(faint, medium, N_AUTO_FLUXES - 1), bright)


def simulate_null(
    model: FitProblem, grid: Grid, seed: int, numbers: range, on_progress: Report
) -> NullSkies:
    """Skies of background alone.

    Parameters
    ----------
    model : FitProblem
        Problem with all bins.
    grid : Grid
        Pixels to map.
    seed : int
        Seed of the analysis.
    numbers : range
        Numbers of the skies.
    on_progress : callable
        Called with the number of skies done and of all.

    Returns
    -------
    NullSkies
        One value per sky.
    """
    skies = []
    for n_done, number in enumerate(numbers, 1):
        sky = hit_bins(draw_sky(model, generator(seed, _NULL, number)))
        fit = _fit_grid(sky, grid)
        best = _largest(fit.ts)
        skies.append((fit.ts[best], grid.ipix[best], int(sky.counts.sum())))
        on_progress(n_done, len(numbers))
    return NullSkies(*map(np.array, zip(*skies, strict=True)))


def simulate_injected(
    model: FitProblem,
    grid: Grid,
    seed: int,
    numbers: range,
    fluxes: np.ndarray,
    on_progress: Report,
) -> InjectedSkies:
    """Skies with one source at a random direction of the grid's area.

    Parameters
    ----------
    model, grid, seed, numbers, on_progress
        As for `simulate_null`.
    fluxes : ndarray of float64, shape (n_flux,)
        Injected fluxes; sky number k has flux ``k % n_flux``.

    Returns
    -------
    InjectedSkies
        One value per sky.
    """
    skies = []
    for n_done, number in enumerate(numbers, 1):
        rng = generator(seed, _INJECTED, number)
        skies.append(_inject(model, grid, fluxes[number % fluxes.size], rng))
        on_progress(n_done, len(numbers))
    return InjectedSkies(*map(np.array, zip(*skies, strict=True)))


def _inject(model: FitProblem, grid: Grid, flux: float, rng: np.random.Generator) -> tuple:
    direction = draw_direction(model, grid.nside, grid.ipix, grid.frame, rng)
    whole = draw_sky(model, rng, [InjectedSource(direction, flux)])
    sky = hit_bins(whole)
    truth = fit_pixels(
        sky, direction[np.newaxis], FluxOptions(free_background=grid.free_background)
    )
    if truth.flux[0] == 0 and not grid.free_background:
        # below zero it is bound by bins without counts, too
        truth = fit_pixels(whole, direction[np.newaxis], FluxOptions(allow_negative=True))
    best = _best_peak(sky, grid, direction)
    return (
        *(flux, direction, best.direction),
        *(truth.flux[0], truth.flux_err[0], truth.ts[0] if truth.flux[0] > 0 else 0.0),
        *(best.ts, best.flux, separation(direction, best.direction)),
    )


def _best_peak(sky: FitProblem, grid: Grid, truth: np.ndarray) -> Peak:
    """Largest TS near the best pixel or near the true direction."""
    best = highest_index(_fit_grid(sky, grid).ts, grid.directions)
    starts = np.stack([grid.directions[best], truth])
    pixel_size = float(np.degrees(np.sqrt(4 * np.pi / 12) / grid.nside))
    return find_peak(sky, starts, pixel_size, free_background=grid.free_background)


def _fit_grid(sky: FitProblem, grid: Grid) -> FluxFit:
    return fit_pixels(sky, grid.directions, FluxOptions(free_background=grid.free_background))


def _largest(ts: np.ndarray) -> int:
    """Index of the largest TS; pixels that cannot be fitted are the same in every sky."""
    return int(np.argmax(np.nan_to_num(ts, nan=-1.0)))
