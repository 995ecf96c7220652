"""Figures of the fits of a model, one after the other."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure

from skyquilt.config.model import ModelOptions
from skyquilt.config.model_parameter import read_value
from skyquilt.model.bands import draw_numbers, spectrum_band, time_band
from skyquilt.model.graph import make_graph
from skyquilt.model.made import MadeFit
from skyquilt.model.profiles import NumberProfile
from skyquilt.model.quantities import Free
from skyquilt.model.samples import Samples
from skyquilt.plots.binned_counts import plot_binned_counts
from skyquilt.plots.butterfly import SpectrumBand, plot_butterfly
from skyquilt.plots.corner import MAX_NUMBERS, plot_corner
from skyquilt.plots.light_curve import BinnedFlux, FluxBand, plot_light_curve
from skyquilt.plots.parameter_graph import plot_parameter_graph
from skyquilt.plots.profiles import ProfileCurve, plot_profiles
from skyquilt.plots.style import plain
from skyquilt.report.notice import format_time

_N_TIME, _N_ENERGY = 300, 60  # points of curves
_WIDER = 1.5  # by which spectra go on beyond the measured energies
_MAX_BINNED = 3  # fits of which points stand side by side in a light curve


class Drawn(NamedTuple):
    """A fit to draw.

    Attributes
    ----------
    name : str
        Its name.
    made : MadeFit
        The fit.
    samples : Samples, optional
        Its samples.
    profiles : list of NumberProfile
        Its profiles.
    """

    name: str
    made: MadeFit
    samples: Samples | None
    profiles: list[NumberProfile]


def draw_figures(
    name: str, options: ModelOptions, fits: Sequence[Drawn]
) -> Iterator[tuple[str, Figure]]:
    """Name and figure: light-curve-SOURCE, then of each fit what there is.

    Parameters
    ----------
    name : str
        Name of the analysis.
    options : ModelOptions
        Its section `model`.
    fits : sequence of Drawn
        The fits.

    Yields
    ------
    tuple of str and Figure
        Without ending: light-curve-SOURCE, spectrum-FIT, counts-FIT or counts-FIT-DATASET,
        corner-FIT, profiles-FIT and parameters-FIT.
    """
    draws = {one.name: draw_numbers(one.made, one.samples) for one in fits if not _is_split(one)}
    for source in options.sources:
        figure = _light_curve(name, source, fits, draws)
        if figure is not None:
            yield f"light-curve-{source}", figure
    for one in fits:
        title = plain(f"{name}, {one.name}", 40)
        if not _is_split(one):
            yield f"spectrum-{one.name}", _spectrum(title, one.made, draws[one.name])
            yield from _counts(title, one)
        if one.samples is not None:
            yield f"corner-{one.name}", _corner(title, one.made, one.samples, options)
        if one.profiles:
            curves = [_profile(one.made, each) for each in one.profiles]
            yield f"profiles-{one.name}", plot_profiles(curves, title)
        graph = make_graph(one.made.layer)
        yield f"parameters-{one.name}", plot_parameter_graph(graph, title)


def _is_split(one: Drawn) -> bool:
    return one.made.recipe.is_split


def _light_curve(
    name: str, source: str, fits: Sequence[Drawn], draws: dict[str, np.ndarray]
) -> Figure | None:
    """Fluxes of time bins and functions of time; None where there are none."""
    binned: list[BinnedFlux] = []
    bands: list[FluxBand] = []
    is_positive = True
    for one in fits:
        made, flux = one.made, f"{source}.flux"
        cells, quantity = made.problem.cells, made.layer.quantities[flux]
        if cells.start is None or cells.stop is None or cells.n_member("time_bin") < 2:
            return None
        if isinstance(quantity, Free) and quantity.per == "time_bin":
            is_positive &= quantity.lower >= 0
            if len(binned) < _MAX_BINNED:
                binned.append(_binned(one, source))
        elif not _is_split(one):
            time = np.linspace(cells.start.min(), cells.stop.max(), _N_TIME)
            band = time_band(made, draws[one.name], flux, time)
            if band is not None:
                bands.append(FluxBand(one.name, *band))
                is_positive &= bool(np.nanmin(band.low) >= 0)
    if not binned and not bands:
        return None
    title = plain(f"{name}, {source}", 40)
    epoch = _epoch(fits[0].made)
    return plot_light_curve(binned, bands, title, epoch=epoch, is_positive=is_positive)


def _binned(one: Drawn, source: str) -> BinnedFlux:
    """Fluxes of the time bins, in the order of time; of several data sets they are the same."""
    bins, cells = one.made.found.bins, one.made.problem.cells
    assert cells.start is not None
    assert cells.stop is not None
    _, first = np.unique(cells.axes["time_bin"], return_index=True)
    flux, error = (bins[f"{key}_{source}"][first] for key in ("flux", "flux_err"))
    low, high = flux - error, flux + error
    sides = {row.name: (row.error_low, row.error_high) for row in one.made.found.rows}
    for number in range(first.size):
        down, up = sides.get(f"{source}.flux[{number}]", (np.nan, np.nan))
        low[number] = low[number] if np.isnan(down) else flux[number] - down
        high[number] = high[number] if np.isnan(up) else flux[number] + up
    return BinnedFlux(one.name, cells.start[first], cells.stop[first], flux, low, high)


def _spectrum(title: str, made: MadeFit, draws: np.ndarray) -> Figure:
    ranges = [tuple(map(float, one.description["energy_range_keV"])) for one in made.problem.data]
    low, high = min(one[0] for one in ranges), max(one[1] for one in ranges)
    energy = np.geomspace(low / _WIDER, high * _WIDER, _N_ENERGY)
    bands = []
    for recipe in made.recipe.sources:
        bands.append(SpectrumBand(recipe.name, *spectrum_band(made, draws, recipe.make(), energy)))
    return plot_butterfly(bands, [(one[0], one[1]) for one in ranges], title)


def _counts(title: str, one: Drawn) -> Iterator[tuple[str, Figure]]:
    """Counts of each data set that has several time bins."""
    bins, problem = one.made.found.bins, one.made.problem
    if problem.cells.start is None:
        return
    for dataset in problem.datasets:
        own = bins["dataset"] == dataset
        if np.count_nonzero(own) < 2:
            continue
        npred = {
            key.removeprefix("npred_"): values[own]
            for key, values in bins.items()
            if key.startswith("npred_") and np.any(values[own] > 0)
        }
        times = bins["start"][own] - problem.epoch, bins["stop"][own] - problem.epoch
        stem = "-".join(filter(None, ("counts", one.name, dataset)))
        head = f"{title}, {dataset}" if dataset else title
        epoch = _epoch(one.made)
        yield stem, plot_binned_counts(*times, bins["counts"][own], npred, head, epoch)


def _corner(title: str, made: MadeFit, samples: Samples, options: ModelOptions) -> Figure:
    """Samples of numbers that are of no bin; where there are none, of the first ones."""
    shared = [k for k, one in enumerate(samples.names) if "[" not in one]
    shown = (shared or list(range(len(samples.names))))[:MAX_NUMBERS]
    labels, truths = [], []
    for k in shown:
        one, unit = samples.names[k], samples.units[k]
        labels.append(f"{one} [{unit}]" if unit else one)
        true = options.truths.get(one)
        truths.append(np.nan if true is None else read_value(true, unit))
    return plot_corner(samples.flat[:, shown], labels, title, truths)


def _profile(made: MadeFit, found: NumberProfile) -> ProfileCurve:
    number = made.layer.names.index(found.name)
    best = float(made.x[number])
    ends = [_crossing(found, best, side) for side in (-1, 1)]
    unit = made.layer.units[number]
    return ProfileCurve(found.name, unit, found.value, np.maximum(found.fall, 0), best, *ends)


def _crossing(found: NumberProfile, best: float, side: int) -> float:
    """Where 2 ln L has fallen by 1 on one side: its square root is nearly a straight line."""
    is_there = (side * (found.value - best) > 0) & np.isfinite(found.fall)
    far = side * (found.value[is_there] - best)
    depth = np.sqrt(np.maximum(found.fall[is_there], 0))
    order = np.argsort(far)
    far, depth = np.append(0.0, far[order]), np.append(0.0, depth[order])
    above = np.flatnonzero(depth >= 1)
    if not above.size:
        return np.nan
    at = above[0]
    part = (1 - depth[at - 1]) / (depth[at] - depth[at - 1])
    return best + side * float(far[at - 1] + part * (far[at] - far[at - 1]))


def _epoch(made: MadeFit) -> str:
    """Time that the times of figures count from."""
    epoch = made.problem.epoch
    return f"{format_time(epoch)[:19]}" if epoch > 0 else ""
