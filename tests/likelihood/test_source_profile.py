"""The flux of a source fitted with other fluxes and factors: maximum, errors, limits, profile."""

import numpy as np
import pytest

from skyquilt.blocks import DenseBlock
from skyquilt.likelihood.concave import Counts, derivatives, log_likelihood, maximise
from skyquilt.likelihood.curve import Curve
from skyquilt.likelihood.options import FluxOptions
from skyquilt.likelihood.poisson import fit_flux
from skyquilt.likelihood.source_profile import ScanOptions, fit_source
from skyquilt.status import AT_BOUND

_KINDS = ("counts", "no counts", "one bin", "no constraint", "two at one place", "source alone")
_OPTIONS = ScanOptions()


def draw(rng: np.random.Generator, kind: str) -> Counts:
    """A source, some neighbours, a background."""
    n, k = rng.integers(1, 40), rng.integers(2 if kind == "two at one place" else 0, 4)
    source, others = rng.uniform(0, 5) * rng.uniform(size=(1, n)), rng.uniform(size=(k, n))
    background = rng.uniform(0.01, 2, (1, n))
    if kind == "two at one place":
        others[1] = others[0]
    columns = np.vstack([source, others, background])
    best = np.concatenate([rng.uniform(0, 5, 1), rng.uniform(0, 2, k), [1]])
    observed = rng.poisson(best @ columns).astype(float)
    if kind == "no counts":
        observed[:] = 0
    if kind == "one bin":
        observed[:] = 5 * (np.arange(n) == rng.integers(n))
    if kind == "source alone":  # all counts under the source, more than it can explain
        observed[:] = rng.poisson(30 * source[0])
        columns[1:] += 1e-3
    weight = np.zeros(k + 2)
    weight[-1] = 0 if kind == "no constraint" else 25
    totals, hit = columns.sum(axis=1) * rng.uniform(1, 1.5, k + 2), observed > 0
    return Counts(observed[hit], 0 * observed[hit], columns[:, hit], totals, np.ones(k + 2), weight)


def largest_by_scipy(counts: Counts, near: np.ndarray) -> float:
    """Largest L by a general optimiser, which stays a little above 0."""
    from scipy.optimize import minimize

    found = [
        minimize(
            lambda x: -log_likelihood(counts, x[np.newaxis])[0],
            start,
            jac=lambda x: -derivatives(counts, x[np.newaxis])[0][0],
            method="L-BFGS-B",
            bounds=[(1e-14, None)] * len(start),
            options={"maxiter": 3000, "ftol": 1e-15, "gtol": 1e-10},
        ).fun
        for start in (np.ones(len(near)), near + 1e-3)
    ]
    return -min(found)


def _check(number: int) -> None:
    rng = np.random.default_rng([7, number])
    counts = draw(rng, _KINDS[number % len(_KINDS)])
    n = len(counts.totals)

    found = maximise(counts, np.append(0.0, np.ones(n - 1))[np.newaxis], np.zeros(n, bool))

    assert found.has_converged[0]
    assert found.loglike[0] >= largest_by_scipy(counts, found.best[0]) - 1e-6


def test_maximum_is_that_of_a_general_optimiser():
    for number in range(18):
        _check(number)


@pytest.mark.slow
def test_maxima_of_200_problems_are_those_of_a_general_optimiser():
    for number in range(200):
        _check(number)


def test_kernel_has_the_values_and_slopes_of_plain_sums():
    rng = np.random.default_rng(2)
    for n_hit in (0, 1, 7, 8, 33):  # whole blocks of eight, and others
        columns = 10 ** rng.uniform(-9, 6, (3, n_hit))
        ones = np.ones(3)
        observed = rng.poisson(5, n_hit) + 1.0
        counts = Counts(observed, 1e-6 * columns[0], columns, 2 * ones, 3 * ones, ones)
        start = 10 ** rng.uniform(-5, 2, (4, 3))

        found = maximise(counts, start, np.ones(3, bool))

        assert np.array_equal(found.best, start)
        assert found.loglike == pytest.approx(log_likelihood(counts, start), rel=1e-13)
        assert found.slope == pytest.approx(derivatives(counts, start)[0], rel=1e-12)


def test_slopes_are_those_of_differences():
    counts = draw(np.random.default_rng(3), "counts")
    values = np.linspace(0.5, 1.5, len(counts.totals))[np.newaxis]
    slope, curvature = derivatives(counts, values)
    for number in range(len(counts.totals)):
        step = 1e-5 * (np.arange(len(counts.totals)) == number)
        ahead, behind = (log_likelihood(counts, values + sign * step)[0] for sign in (1, -1))
        assert (ahead - behind) / 2e-5 == pytest.approx(slope[0, number], rel=1e-6, abs=1e-6)
        after, before = (derivatives(counts, values + sign * step)[0][0] for sign in (1, -1))
        assert -(after - before) / 2e-5 == pytest.approx(curvature[0, number], rel=1e-5, abs=1e-6)


def test_held_parameters_stay_and_problems_do_not_change_each_other():
    counts = draw(np.random.default_rng(5), "counts")
    n = len(counts.totals)
    start = np.ones((4, n))
    start[:, 0] = [0.0, 0.5, 3.0, 50.0]
    held = np.arange(n) == 0

    together = maximise(counts, start, held)

    assert together.best[:, 0].tolist() == [0.0, 0.5, 3.0, 50.0]
    for row, one in enumerate(start):
        alone = maximise(counts, one[np.newaxis], held)
        assert together.loglike[row] == pytest.approx(alone.loglike[0], abs=1e-9)


def test_counts_where_nothing_is_expected_are_impossible():
    one = np.ones(1)
    counts = Counts(one, 0 * one, one[np.newaxis], one, one, 0 * one)
    assert log_likelihood(counts, np.zeros((1, 1)))[0] == -np.inf


def _alone(true_flux: float, n: int = 60) -> Counts:
    rng = np.random.default_rng(int(1000 * true_flux))
    source, background = rng.uniform(0, 1, n), rng.uniform(0.01, 0.3, n)
    observed = rng.poisson(background + true_flux * source).astype(float)
    hit = observed > 0
    total = np.array([1.1 * source.sum()])
    return Counts(
        observed[hit], background[hit], source[np.newaxis, hit], total, np.ones(1), np.zeros(1)
    )


@pytest.mark.parametrize("true_flux", [0.0, 0.1, 1.0, 50.0, 1000.0])
def test_source_over_a_known_background_is_that_of_maps(true_flux):
    counts = _alone(true_flux)
    found = fit_source(counts, np.empty(0), _OPTIONS)
    block = DenseBlock(counts.columns, counts.totals, np.zeros(1, np.uint8))
    options = FluxOptions(confidence_level=0.95)
    wanted = fit_flux(counts.observed, counts.fixed, block, options)

    for name in ("flux", "flux_err", "ts"):
        assert getattr(found, name) == pytest.approx(getattr(wanted, name)[0], rel=1e-9, abs=1e-12)
    # of the cubic between points of the scan
    for name in ("flux_err_lo", "flux_err_hi", "flux_ul"):
        wish = pytest.approx(getattr(wanted, name)[0], abs=1e-3 * wanted.flux_err[0])
        assert getattr(found, name) == wish


def test_without_counts_limits_are_exact():
    total = np.array([7.0])
    none = Counts(np.empty(0), np.empty(0), np.empty((1, 0)), total, np.ones(1), np.zeros(1))
    found = fit_source(none, np.empty(0), _OPTIONS)
    assert (found.flux, found.ts, found.status) == (0.0, 0.0, AT_BOUND)
    assert found.flux_ul == pytest.approx(-np.log(0.05) / 7, rel=1e-9)
    assert found.flux_ul_profile == pytest.approx(1.352771727 / 7, rel=1e-8)
    assert found.flux_err_hi == pytest.approx(0.5 / 7, rel=1e-9)


def test_profile_is_the_maximum_over_all_else():
    for seed, kind in enumerate(("counts", "no constraint", "two at one place", "source alone")):
        counts = draw(np.random.default_rng(seed), kind)
        n = len(counts.totals)
        found = fit_source(counts, np.ones(n - 1), _OPTIONS)
        assert len(found.curve.flux) == _OPTIONS.points
        best = maximise(counts, np.ones((1, n)), np.zeros(n, bool)).loglike[0]
        start = np.ones((_OPTIONS.points, n))
        start[:, 0] = found.curve.flux
        wanted = maximise(counts, start, np.arange(n) == 0).loglike - best
        assert found.curve.loglike == pytest.approx(wanted, abs=1e-6)


def test_scan_reaches_zero_flux_or_its_depth():
    faint = fit_source(_alone(0.1), np.empty(0), _OPTIONS).curve
    bright = fit_source(_alone(50.0), np.empty(0), _OPTIONS).curve
    assert faint.flux[0] == 0
    assert bright.loglike[[0, -1]] == pytest.approx([-8, -8], abs=0.2)


def test_curve_of_a_parabola_is_exact():
    flux = np.linspace(0, 9, 10)
    curve = Curve(flux, -((flux - 4) ** 2) / 2, 4 - flux)
    assert curve.at(np.array([0.3, 4.5, 8.9])) == pytest.approx(
        [-(3.7**2) / 2, -0.125, -(4.9**2) / 2]
    )
    assert curve.above(-0.5) == pytest.approx(5)
    assert curve.below(-2.0) == pytest.approx(2)
    assert curve.below(-9.0) == 0
    # 95 % of a normal, cut at 4 standard deviations below
    assert curve.limit(0.95) == pytest.approx(4 + 1.6449, abs=2e-4)
