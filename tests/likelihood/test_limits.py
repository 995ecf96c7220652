"""Errors to both sides, upper limits, free backgrounds: closed forms and slow programs."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.optimize import brentq, minimize
from scipy.stats import gamma

from skyquilt.blocks import DenseBlock
from skyquilt.likelihood.options import FluxOptions
from skyquilt.likelihood.poisson import AT_BOUND, GOOD, NOT_CONVERGED, fit_flux

CL = 0.95
FLOOR = 1e-6  # least background norm, in units of that without a source


def fit_one(counts, background, unit_counts, total, background_total=None, **options):
    """Fit of one pixel: the fields of FluxFit as numbers."""
    arrays = (np.asarray(values, dtype=float) for values in (counts, background, unit_counts))
    counts, background, unit_counts = arrays
    block = DenseBlock(unit_counts[np.newaxis], np.array([total]), np.array([GOOD]))
    options = FluxOptions(free_background=background_total is not None, **options)
    fit = fit_flux(counts, background, block, options, background_total=background_total)
    return type(fit)(*(values[0] for values in fit))


def random_problem(seed, more=1.0):
    """Counts, background and expected counts of the bins that are hit, and both totals."""
    rng = np.random.default_rng(seed)
    n_bins, source = rng.integers(2, 60), 10 ** rng.uniform(-2, 1.5)
    background = rng.gamma(1, 10 ** rng.uniform(-1, 1), n_bins) + 0.01
    unit_counts = rng.gamma(0.5, 1, n_bins) * (rng.random(n_bins) < 0.8)
    unit_counts[0] = 1.0
    counts = rng.poisson(background + source * unit_counts).astype(float)
    counts[0] += 1
    hit = counts > 0
    return (
        counts[hit],
        background[hit],
        unit_counts[hit],
        more * unit_counts.sum(),
        background.sum(),
    )


def fixed_llr(counts, background, unit_counts, total, _):
    return lambda f: np.sum(counts * np.log1p(f * unit_counts / background)) - f * total


def free_llr(counts, background, unit_counts, total, background_total):
    """Profile over the background norm, each by a root search; 0 for the best without a source."""
    most = counts.sum() / background_total

    def llr(flux):
        def slope(g):
            model = flux * unit_counts + g * background
            return np.sum(counts * background / model) - background_total

        g = FLOOR * most
        if slope(g) > 0:
            g = brentq(slope, g, (1 + 1e-9) * most, xtol=1e-14 * most, rtol=1e-14)
        model = (flux * unit_counts + g * background) / background / most
        expected = flux * total + (g - most) * background_total
        return np.sum(counts * np.log(model)) - expected

    return llr


def fall_of(llr, flux, step, end=np.inf):
    """Distance to where LLR is half a unit below that at `flux`; to `end` if that comes first."""

    def excess(f):
        return llr(f) - llr(flux) + 0.5

    if np.isfinite(end) and excess(end) >= 0:
        return abs(flux - end)
    far = flux + step if np.isinf(end) else end
    while excess(far) > 0:
        far += step
    return abs(brentq(excess, *sorted((flux, far)), xtol=1e-13) - flux)


def limit_of(llr, flux, step, level):
    """Quantile of the posterior for a flat prior, by adaptive quadrature."""
    end = flux + step
    while llr(end) > llr(flux) - 35:
        end += step
    start = max(0.0, flux - 12 * step)
    marks = [f for f in flux + step * np.array([-3.0, -1, 0, 1, 3]) if start < f < end]

    def integral(upper):
        inside = [f for f in marks if f < upper]
        density = lambda f: np.exp(llr(f) - llr(flux))  # noqa: E731
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # accuracy beyond rounding
            return quad(density, start, upper, points=inside or None, limit=300, epsrel=1e-10)[0]

    wanted = level * integral(end)
    return brentq(lambda f: integral(f) - wanted, start + 1e-9 * step, end, xtol=1e-8 * step)


class TestClosedForms:
    # E = b = e: LLR = n ln(1 + f) - f b, posterior of mu = b (1 + f) a gamma function above b
    @pytest.mark.parametrize("n", [1, 3, 20, 400])
    @pytest.mark.parametrize("b", [0.1, 3.0, 15.0])
    def test_limit_of_one_bin_is_that_of_helene(self, n, b):
        fit = fit_one([n], [b], [b], b, confidence_level=CL)
        tail = gamma.sf(b, n + 1)
        expected = gamma.isf((1 - CL) * tail, n + 1) / b - 1
        # what a model of LLR may be wrong, 5e-4 errors
        assert abs(fit.flux_ul - expected) < 5e-4 * fit.flux_err_hi

    @pytest.mark.parametrize("level", [0.6, 0.9, 0.999])
    def test_limit_without_counts_is_that_of_an_exponential(self, level):
        fit = fit_one([], [], [], 4.0, confidence_level=level)
        # the quadrature's accuracy, and the tail of 2e-9 that it leaves out
        assert fit.flux_ul == pytest.approx(-np.log(1 - level) / 4, rel=1e-5)
        assert fit.flux_err_hi == pytest.approx(0.5 / 4, rel=1e-9)
        assert fit.flux_err_lo == 0

    def test_limits_of_many_counts_are_those_of_a_normal_distribution(self):
        fit = fit_one([1e8], [1e8 - 3e4], [1.0], 1.0, confidence_level=CL)
        # three standard deviations above zero: 1e-3 of the distribution is below it
        assert fit.flux_err_hi == pytest.approx(1e4, rel=1e-4)  # skewness
        assert fit.flux_err_lo == pytest.approx(1e4, rel=1e-4)
        assert fit.flux_ul == pytest.approx(3e4 + 1.6456e4, rel=1e-3)

    def test_errors_down_to_zero_flux_where_ts_is_below_one(self):
        fit = fit_one([5.0], [4.5], [1.0], 1.0, confidence_level=CL)
        assert fit.ts < 1
        assert fit.flux_err_lo == fit.flux

    def test_lower_error_when_negative_is_allowed_goes_below_zero_flux(self):
        problem = ([5.0], [4.5], [1.0], 1.0)
        fit = fit_one(*problem, confidence_level=CL, allow_negative=True)
        llr = fixed_llr(*map(np.array, problem), None)
        assert fit.flux_err_lo > fit.flux
        assert llr(fit.flux - fit.flux_err_lo) == pytest.approx(llr(fit.flux) - 0.5, abs=1e-8)

    def test_limit_when_negative_is_allowed_is_the_same(self):
        for n in (2.0, 5.0, 9.0):
            bound, free = (
                fit_one([n], [5.0], [1.0], 1.0, confidence_level=CL, allow_negative=allowed)
                for allowed in (False, True)
            )
            assert free.flux_ul == pytest.approx(bound.flux_ul, rel=1e-4)  # models, as above

    def test_without_confidence_level_there_are_no_limits(self):
        fit = fit_one([10.0], [5.0], [1.0], 1.0)
        assert np.isnan([fit.flux_err_lo, fit.flux_err_hi, fit.flux_ul]).all()
        assert np.isnan(fit.background_norm)


class TestFixedBackground:
    @given(st.integers(0, 10**6), st.sampled_from([1.0, 2.0]))
    @settings(max_examples=50)
    def test_errors_and_limit_equal_slow_ones(self, seed, more):
        problem = random_problem(seed, more)
        fit = fit_one(*problem[:4], confidence_level=CL)
        llr = fixed_llr(*problem)
        step = fit.flux_err_hi
        assert fit.status in (GOOD, AT_BOUND)
        # a model of LLR that is about right to 3e-9 there stands for a pass; 2e-7 in 8000 problems
        assert fit.flux_err_hi == pytest.approx(fall_of(llr, fit.flux, step), rel=2e-7)
        assert fit.flux_err_lo == pytest.approx(fall_of(llr, fit.flux, -step, 0.0), rel=2e-7)
        # models of LLR are right to 3e-5 where it matters; the density at the limit is 0.1 per step
        assert abs(fit.flux_ul - limit_of(llr, fit.flux, step, CL)) < 1e-3 * step


class TestFreeBackground:
    @given(st.integers(0, 10**6), st.sampled_from([1.0, 2.0]))
    @settings(max_examples=5)
    def test_errors_and_limit_equal_slow_ones(self, seed, more):
        problem = random_problem(seed, more)
        fit = fit_one(*problem[:4], confidence_level=CL, background_total=problem[4])
        if fit.status == NOT_CONVERGED:
            assert len(problem[0]) == 1  # nothing tells source and background apart
            return
        llr = free_llr(*problem)
        step = fit.flux_err_hi
        assert fit.ts == pytest.approx(2 * llr(fit.flux), rel=1e-8, abs=1e-8)  # root searches
        assert fit.flux_err_hi == pytest.approx(fall_of(llr, fit.flux, step), rel=1e-6)
        assert fit.flux_err_lo == pytest.approx(fall_of(llr, fit.flux, -step, 0.0), rel=1e-6)
        # where nearly all counts are the source's, the background's edge is seen less well
        assert abs(fit.flux_ul - limit_of(llr, fit.flux, step, CL)) < 0.03 * step

    @pytest.mark.parametrize("seed", range(20))
    def test_flux_and_norm_equal_a_second_minimiser(self, seed):
        counts, background, unit_counts, total, background_total = problem = random_problem(seed)
        fit = fit_one(*problem[:4], background_total=background_total)

        def loss(parameters):
            flux, norm = parameters
            model = flux * unit_counts + norm * background
            return flux * total + norm * background_total - np.sum(counts * np.log(model))

        bounds = [(0, None), (1e-9, None)]
        other = minimize(loss, [1.0, 1.0], bounds=bounds, method="L-BFGS-B", tol=1e-15)
        zero = minimize(lambda norm: loss([0, *norm]), [1.0], bounds=bounds[1:], tol=1e-15)
        # L-BFGS-B finds the least loss to the rounding of it, the place to its square root
        assert fit.ts == pytest.approx(2 * (zero.fun - other.fun), rel=1e-5, abs=1e-5)
        assert abs(fit.flux - other.x[0]) < 3e-3 * fit.flux_err
        assert fit.background_norm == pytest.approx(other.x[1], rel=1e-2)

    def test_background_norm_without_source_is_the_ratio_of_counts(self):
        fit = fit_one([2.0, 1.0], [4.0, 2.0], [0.0, 0.1], 1.0, background_total=9.0)
        assert fit.status == AT_BOUND
        assert fit.background_norm == pytest.approx(3 / 9)

    def test_fit_does_not_depend_on_the_scale_of_the_background(self):
        counts, background, unit_counts, total, background_total = random_problem(4)
        options = {"confidence_level": CL}
        fit = fit_one(
            counts, background, unit_counts, total, background_total=background_total, **options
        )
        less = fit_one(
            counts,
            background / 7,
            unit_counts,
            total,
            background_total=background_total / 7,
            **options,
        )
        assert less.background_norm == pytest.approx(7 * fit.background_norm, rel=1e-9)
        for name in ("ts", "flux", "flux_err", "flux_err_hi", "flux_ul"):  # rounding
            assert getattr(less, name) == pytest.approx(getattr(fit, name), rel=1e-8)

    def test_without_counts_there_is_no_background(self):
        fit = fit_one([], [], [], 4.0, confidence_level=CL, background_total=3.0)
        assert (fit.status, fit.flux, fit.background_norm) == (AT_BOUND, 0, 0)
        assert fit.flux_ul == pytest.approx(-np.log(1 - CL) / 4, rel=1e-5)  # as above

    def test_where_nothing_tells_source_and_background_apart_nothing_is_found(self):
        fit = fit_one([3.0], [1.0], [1.0], 1.0, background_total=1.0, confidence_level=CL)
        assert fit.status == NOT_CONVERGED
        assert np.isnan([fit.ts, fit.flux, fit.flux_ul, fit.background_norm]).all()


class TestWrongInput:
    @pytest.mark.parametrize("level", [0.5, 1.0, 95, np.nan])
    def test_confidence_level_is_named(self, level):
        with pytest.raises(ValueError, match=f"confidence level {level}: allowed is above 0.5"):
            fit_one([1.0], [1.0], [1.0], 1.0, confidence_level=level)

    @pytest.mark.parametrize("total", [1.9, -1.0, np.nan, np.inf])
    def test_background_total_is_named(self, total):
        with pytest.raises(ValueError, match=f"background total {total}: allowed is the sum over"):
            fit_one([1.0, 1.0], [1.0, 1.0], [1.0, 1.0], 2.0, background_total=total)

    def test_negative_fluxes_with_free_background_are_refused(self):
        with pytest.raises(ValueError, match="below zero need a fixed background"):
            fit_one([1.0], [1.0], [1.0], 1.0, background_total=1.0, allow_negative=True)
