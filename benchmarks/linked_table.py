"""What linking the numbers of a model gains: errors of the fluxes of a burst, bin by bin.

    python benchmarks/linked_table.py --simulations 300 --page docs/model.md

A Gaussian pulse in 20 time bins, 0.1 to 27 source counts in each over 40 of background, is seen by
the toy Compton telescope of `skyquilt.testing.bursts` and fitted three times: every bin alone,
with one position and background for all, and with a function for its flux.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from measuring import machine_line, replace_table
from scipy.stats import chi2

from skyquilt.inference.climb import Status, climb
from skyquilt.inference.convergence import effective_size
from skyquilt.inference.profile import Range
from skyquilt.inference.sampler import start_walkers, walk
from skyquilt.model import Curve, Fit, Free, Layer, Posterior, Prior, fit, one_axis
from skyquilt.model.ensembles import make_cloud
from skyquilt.model.expanded import MAX_ERROR, Expanded, largest_error
from skyquilt.model.problems import CellLikelihood
from skyquilt.testing.bursts import Burst, Scene
from skyquilt.testing.toy import binomial_error

FAINT = 1.0  # expected source counts below which a bin is faint
RADIUS_DEG = 20.0  # of the ranges of the position
START_DEG = 2.0  # error of the position from which fits start
PULSE = ("peak", "t0", "sigma")
LEVELS = (0.68, 0.9, 0.95)  # of the regions of the position
INTERVALS = (0.68, 0.95)
WALKERS, STEPS, BURN = 32, 500, 150
# rms of alone, joint, function; bias of joint, function
LIMITS = {"alone": (0.13, None), "joint": (0.07, 0.035), "function": (0.012, 0.005)}


class Trial(NamedTuple):
    """One simulated burst."""

    is_faint: np.ndarray
    """Bins of the burst, shape (n_bin,)."""
    gaps: dict[str, np.ndarray]
    """Fitted less true flux in each bin, of each kind of fit."""
    pulls: np.ndarray
    """Of the numbers of the pulse."""
    is_within: np.ndarray
    """Whether their sampled intervals hold the truth, shape (n_interval, 3); NaN if not sampled."""
    drop: float
    """Twice the fall of ln L from the best position to the true one, all else refitted."""
    n_bad: int
    """Fits that did not end well."""
    is_expanded: bool
    n_effective: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--simulations", type=int, default=300)
    parser.add_argument("--sampled", type=int, default=100, help="how many of them, too")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--page", type=Path, help="page in which the tables replace the last ones")
    options = parser.parse_args()
    trials = simulate(options.simulations, options.seed, options.sampled)
    lines = [*tables(trials), machine_line()]
    print("\n".join(lines))
    if options.page:
        text = options.page.read_text(encoding="utf-8")
        changed = replace_table(text, "linked_table", "\n".join(lines))
        options.page.write_text(changed, encoding="utf-8")


def simulate(n_trials: int, seed: int, n_sampled: int, steps: int = STEPS) -> list[Trial]:
    """As many bursts at random positions, of which the first ones are sampled, too."""
    trials = []
    for number, child in enumerate(np.random.SeedSequence(seed).spawn(n_trials)):
        rng = np.random.default_rng(child)
        own = steps if number < n_sampled else 0
        trials.append(_simulate(Scene(Burst(), rng), rng, number, own))
    return trials


def _simulate(scene: Scene, rng: np.random.Generator, number: int, steps: int) -> Trial:
    data, truth = scene.observe(rng), scene.burst.fluxes
    start = scene.lon + rng.normal(0, START_DEG), scene.lat + rng.normal(0, START_DEG)
    alone = [fit_alone(scene, one, start) for one in scene.split(data)]
    fluxes = tuple(np.maximum([one[0] for one in alone], 1e-3))
    joint = fit_together(scene, data, start, Free(fluxes, 0.0, per="time_bin"))
    best = fit_together(scene, data, start, pulse(scene, joint))
    gaps = {
        "alone": np.array([one[0] for one in alone]) - truth,
        "joint": joint.values["burst.flux"] - truth,
        "function": best.values["burst.flux"] - truth,
    }
    true = np.array([getattr(scene.burst, name) for name in PULSE])
    numbers = [best.posterior.layer.names.index(f"burst.flux.{name}") for name in PULSE]
    intervals, is_expanded, size = sampled(scene, data, best, number, steps)
    inside = (intervals[0] <= true) & (true <= intervals[1]) if steps else np.full((2, 3), np.nan)
    statuses = [*(one[1] for one in alone), joint.status, best.status]
    return Trial(
        is_faint=scene.source_counts < FAINT,
        gaps=gaps,
        pulls=(best.x[numbers] - true) / best.errors[numbers],
        is_within=inside,
        drop=drop_at_truth(scene, best),
        n_bad=sum(status is Status.NOT_CONVERGED for status in statuses),
        is_expanded=is_expanded,
        n_effective=size,
    )


def position(scene: Scene, start: tuple[float, float]) -> dict[str, Free]:
    """Both angles, free around their start."""
    wide = RADIUS_DEG / np.cos(np.radians(start[1]))
    return {
        "burst.lon": Free(start[0], start[0] - wide, start[0] + wide),
        "burst.lat": Free(start[1], start[1] - RADIUS_DEG, min(start[1] + RADIUS_DEG, 89.0)),
    }


def fit_alone(scene: Scene, data, start: tuple[float, float]) -> tuple[float, Status]:
    """Flux of one bin with its own position and background."""
    quantities = position(scene, start) | {"burst.flux": Free(0.1, 0.0), "norm": norm()}
    likelihood = CellLikelihood([data], [scene.source], [scene.background])
    layer = Layer(quantities, one_axis("time_bin", np.zeros(1), np.ones(1)))
    posterior = Posterior(layer, likelihood)
    end = climb(posterior, layer.start[np.newaxis], lower=layer.lower, upper=layer.upper)
    return float(layer.values(end.x[0])["burst.flux"]), end.status[0]


def fit_together(scene: Scene, data, start: tuple[float, float], flux) -> Fit:
    """All bins with one position and background."""
    quantities = position(scene, start) | {"burst.flux": flux, "norm": norm()}
    likelihood = CellLikelihood([data], [scene.source], [scene.background])
    return fit(Posterior(Layer(quantities, scene.burst.cells), likelihood))


def norm() -> Free:
    return Free(1.0, 0.0, prior=Prior("normal", 1.0, 0.05))


def pulse(scene: Scene, joint: Fit) -> Curve:
    """A pulse that starts from the moments of the fluxes of the joint fit."""
    flux, cells = joint.values["burst.flux"], scene.burst.cells
    middle = (cells.start + cells.stop) / 2
    mean = np.average(middle, weights=flux)
    width = np.sqrt(np.average((middle - mean) ** 2, weights=flux))
    return Curve(
        "gaussian",
        {
            "peak": Free(float(flux.max()), 0.0, 20.0),
            "t0": Free(float(mean), 0.0, 40.0),
            "sigma": Free(float(np.clip(width, 1.0, 15.0)), 0.3, 40.0),
        },
    )


def drop_at_truth(scene: Scene, best: Fit) -> float:
    """Fall of 2 ln L from the best position to the true one, all else refitted."""
    layer = best.posterior.layer
    is_place = np.isin(layer.names, ["burst.lon", "burst.lat"])
    x = best.x.copy()
    x[is_place] = [scene.lon, scene.lat]
    lower, upper = np.minimum(layer.lower, x), np.maximum(layer.upper, x)
    there = climb(best.posterior, x[np.newaxis], lower=lower, upper=upper, is_free=~is_place)
    return float(2 * (best.log_posterior - there.value[0]))


def sampled(
    scene: Scene, data, best: Fit, number: int, steps: int
) -> tuple[np.ndarray, bool, float]:
    """Intervals of the numbers of the pulse, and how they were sampled."""
    layer = best.posterior.layer
    if not steps:
        return np.full((2, 2, 3), np.nan), False, np.nan
    likelihood = CellLikelihood([data], [scene.source], [scene.background])
    errors = {name: best.error_of(name) for name in layer.moving}
    near = Posterior(layer, Expanded(likelihood, best.values, layer.moving, errors))
    cloud = make_cloud(best.posterior, best.x, best.covariance.matrix)
    ranges = Range(layer.lower, layer.upper)
    walkers = start_walkers(_of(best.posterior), cloud, ranges, WALKERS, 1, number)
    is_near = largest_error(best.posterior, near, walkers.x[:20]) < MAX_ERROR
    surface = _of(near if is_near else best.posterior)
    first = walkers._replace(value=surface(walkers.x))
    x = np.stack([one.x for one in walk(surface, first, ranges, steps)])[min(BURN, steps // 3) :]
    numbers = [layer.names.index(f"burst.flux.{name}") for name in PULSE]
    kept = x[..., numbers]
    ends = [[(1 - level) / 2, (1 + level) / 2] for level in INTERVALS]
    low_high = np.quantile(kept.reshape(-1, 3), np.ravel(ends), axis=0).reshape(len(ends), 2, 3)
    return low_high.swapaxes(0, 1), is_near, float(effective_size(kept[np.newaxis]).min())


def _of(posterior: Posterior):
    return lambda x: posterior.value(x, np.zeros(len(x), dtype=np.int64))


def tables(trials: list[Trial]) -> Iterator[str]:
    """Lines of the tables."""
    n = len(trials)
    yield f"{n} bursts, bins with less than {FAINT:g} expected source count:\n"
    yield "| fit | rms of the flux | at most | bias | at most | |\n|---|---|---|---|---|---|"
    for kind, (rms_limit, bias_limit) in LIMITS.items():
        rms, bias, bias_error = errors_of(trials, kind)
        is_met = rms <= rms_limit and (bias_limit is None or abs(bias) <= bias_limit)
        limit = "" if bias_limit is None else f"{bias_limit:g}"
        verdict = "met" if is_met else "**missed**"
        bias_text = f"{bias:.4f} ± {bias_error:.4f}"
        yield f"| {kind} | {rms:.4f} | {rms_limit:g} | {bias_text} | {limit} | {verdict} |"
    yield "\nThe numbers of the pulse, fitted with all bins together:\n"
    heads = [f"sampled {level:.0%} cover" for level in INTERVALS]
    yield f"| number | pull mean | pull width | 68 % errors cover | {' | '.join(heads)} |"
    yield "|---" * (4 + len(heads)) + "|"
    pulls = np.array([trial.pulls for trial in trials])
    within = np.array([trial.is_within for trial in trials])
    for column, name in enumerate(PULSE):
        own = pulls[:, column]
        own = own[np.isfinite(own)]
        cells = [f"{own.mean():.3f} ± {own.std() / np.sqrt(own.size):.3f}"]
        cells += [f"{own.std():.3f} ± {own.std() / np.sqrt(2 * own.size):.3f}"]
        cells += [_fraction(np.abs(own) < 1)]
        cells += [_fraction(of_level[np.isfinite(of_level)]) for of_level in within[:, :, column].T]
        yield f"| {name} | {' | '.join(cells)} |"
    drops = np.array([trial.drop for trial in trials])
    yield "\nRegions of the position, by the fall of 2 ln L with all else refitted:\n"
    yield f"| {' | '.join(f'{level:.0%}' for level in LEVELS)} |\n{'|---' * len(LEVELS)}|"
    yield f"| {' | '.join(_fraction(drops <= chi2(2).ppf(level)) for level in LEVELS)} |"
    n_bad = sum(trial.n_bad for trial in trials)
    n_fit = n * (len(trials[0].is_faint) + 2)
    sampled = [trial for trial in trials if np.isfinite(trial.n_effective)]
    line = f"{n_bad} of {n_fit} fits did not converge"
    if sampled:
        n_near = sum(trial.is_expanded for trial in sampled)
        size = np.median([trial.n_effective for trial in sampled])
        line += (
            f"; {len(sampled)} bursts were sampled, {n_near} with expanded positions, with "
            f"{size:.0f} independent samples in the median"
        )
    yield f"\n{line}.\n"


def _fraction(is_true: np.ndarray) -> str:
    """Fraction and its error; nothing for none."""
    if not is_true.size:
        return ""
    part = float(np.mean(is_true))
    return f"{part:.3f} ± {binomial_error(part, is_true.size):.3f}"


def errors_of(trials: list[Trial], kind: str) -> tuple[float, float, float]:
    """Rms and bias of the flux in faint bins, and the error of the bias."""
    gaps = np.array([trial.gaps[kind][trial.is_faint] for trial in trials], dtype=object)
    means = np.array([np.mean(gap) for gap in gaps])
    every = np.concatenate([np.asarray(gap, dtype=float) for gap in gaps])
    error = float(means.std() / np.sqrt(len(means)))
    return float(np.sqrt(np.mean(every**2))), float(every.mean()), error


if __name__ == "__main__":
    main()
