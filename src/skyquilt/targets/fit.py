"""Fit of one target: its flux in each band, with all else that is not known well."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from skyquilt.likelihood.concave import Counts
from skyquilt.likelihood.curve import Curve
from skyquilt.likelihood.source_profile import SourceFit, fit_source
from skyquilt.problem.circle import background_totals, source_totals
from skyquilt.problem.expectation import Expectation
from skyquilt.status import AT_BOUND, GOOD, NO_EXPOSURE, NO_HITS
from skyquilt.targets.scene import Around, Region, Scene
from skyquilt.targets.sensitivity import detectable_norm

NUMBERS = {
    "norm": "flux as a multiple of the reference spectrum",
    "norm_err": "standard error, from the curvature of the likelihood",
    "norm_errn": "from the best flux down to where TS has changed by 1, or to zero flux",
    "norm_errp": "from the best flux up to where TS has changed by 1",
    "norm_ul": "upper limit for a flat prior of fluxes of 0 or more",
    "norm_ul_profile": "upper limit of the profile likelihood",
    "ts": "test statistic, all else that is free fitted again without the target",
    "npred": "expected counts of the target in its region",
    "counts_region": "counts in its region",
    "factor": "factor on the background",
    "factor_err": "its standard error",
    "n_free": "neighbours whose flux was fitted, too",
    "max_correlation": "largest correlation with a neighbour",
    "norm_sensitivity": "flux of TS 25 and 3 expected counts",
    "status": "how the fit ended",
}
"""Numbers of each band, in units of the reference spectrum."""


class TargetResult(NamedTuple):
    """Fit of a target.

    Attributes
    ----------
    numbers : dict of str to ndarray of float64, shape (n_band,)
        `NUMBERS` of each band; NaN where there is no fit.
    scan : ndarray of float64, shape (3, n_band, n_point)
        Fluxes, ln L less its maximum, and its slope; NaN beyond the points of a band.
    own : tuple of str
        Names of listed sources that are the target.
    exposure : float
        Expected counts in all bins for unit flux.
    n_neighbours : int
        Neighbours that are seen in the region.
    """

    numbers: dict[str, np.ndarray]
    scan: np.ndarray
    own: tuple[str, ...]
    exposure: float
    n_neighbours: int


def fit_target(
    scene: Scene, expectation: Expectation, direction: np.ndarray, around: Around
) -> TargetResult:
    """Fit a target in all bands.

    Parameters
    ----------
    scene : Scene
        Data, backgrounds and neighbours.
    expectation : Expectation
        Expected counts of a source of the shape of the target.
    direction : ndarray of float64, shape (3,)
        Unit vector in the frame of the problem.
    around : Around
        How to fit.
    """
    problem, n_band = scene.problem, scene.problem.bands.n_band
    numbers = {name: np.full(n_band, np.nan) for name in NUMBERS}
    scan = np.full((3, n_band, around.scan.points), np.nan)
    here = direction[np.newaxis]
    block = expectation.block(here).csr()
    numbers["status"][:] = block.status[0]
    if block.status[0] != GOOD:
        return TargetResult(numbers, scan, (), 0.0, 0)
    region = scene.region(direction, around)
    row = np.zeros(problem.expectation.n_hit)
    row[block.bin] = block.unit_counts
    of_target = replace(problem, expectation=expectation)
    totals = source_totals(of_target, block, here, region.bins, region.circle)[0]
    of_background = background_totals(problem, region.bins, region.circle)
    for band in range(n_band):
        found = _fit_band(scene, region, row, totals, of_background, band, around)
        for name, value in found.numbers.items():
            numbers[name][band] = value
        if found.curve is not None:
            points = np.stack([found.curve.flux, found.curve.loglike, found.curve.slope])
            scan[:, band, : points.shape[1]] = points
    total = float(block.total[0])
    return TargetResult(numbers, scan, region.own, total, len(region.neighbours))


class _Band(NamedTuple):
    """Numbers of one band, and the profile if there is one."""

    numbers: dict[str, float]
    curve: Curve | None = None


def _fit_band(
    scene: Scene,
    region: Region,
    row: np.ndarray,
    totals: np.ndarray,
    of_background: np.ndarray,
    band: int,
    around: Around,
) -> _Band:
    problem = scene.problem
    own = region.band == band
    bins = region.bins[own]
    counts, source = problem.counts[bins], row[bins]
    about = {"counts_region": float(counts.sum())}
    if not totals[band] > 0:
        return _Band(about | {"status": NO_EXPOSURE})
    others = region.unit_counts[:, own]
    flux = scene.neighbours.flux[region.neighbours, band]
    expected = problem.background[bins] + flux @ others
    weight = counts / expected**2 if scene.has_events else 1 / expected
    correlation = _correlations(source, others, weight)
    is_free = (correlation > around.free_above) & (region.totals[:, band] > 0)
    hit = counts > 0
    components = scene.components[:, bins[hit]]
    errors = np.array([*around.errors, 0.0])
    varies = errors > 0
    fixed = (flux * ~is_free) @ others[:, hit] + components[~varies].sum(axis=0)
    n_free, n_varies = int(is_free.sum()), int(varies.sum())
    known = np.zeros(1 + n_free + n_varies)
    known[1 + n_free :] = 1 / np.square(errors[varies])
    data = Counts(
        observed=counts[hit],
        fixed=fixed,
        columns=np.vstack([source[hit], others[is_free][:, hit], components[varies]]),
        totals=np.concatenate(
            [[totals[band]], region.totals[is_free, band], of_background[varies[:-1], band]]
        ),
        center=np.ones(known.size),
        weight=known,
    )
    fit = fit_source(data, np.append(flux[is_free], np.ones(n_varies)), around.scan)
    about |= {
        "n_free": n_free,
        "max_correlation": float(correlation.max(initial=0.0)),
        "norm_sensitivity": np.nan
        if scene.has_events
        else detectable_norm(expected, source, float(totals[band])),
    }
    return _Band(about | _numbers(fit, float(totals[band]), n_varies, bool(hit.any())), fit.curve)


def _numbers(fit: SourceFit, total: float, n_varies: int, has_hits: bool) -> dict[str, float]:
    status = fit.status if has_hits or fit.status != AT_BOUND else NO_HITS
    factor, error = (1.0, 0.0) if n_varies == 0 else (fit.others[-1], fit.others_err[-1])
    return {
        "norm": fit.flux,
        "norm_err": fit.flux_err,
        "norm_errn": fit.flux_err_lo,
        "norm_errp": fit.flux_err_hi,
        "norm_ul": fit.flux_ul,
        "norm_ul_profile": fit.flux_ul_profile,
        "ts": fit.ts,
        "npred": fit.flux * total,
        "factor": factor,
        "factor_err": error,
        "status": status,
    }


def _correlations(source: np.ndarray, others: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Correlation of the flux of a source with that of each other."""
    both = others @ (weight * source)
    size = np.sqrt((source**2 @ weight) * (others**2 @ weight))
    return np.divide(both, size, out=np.zeros(len(others)), where=size > 0)
