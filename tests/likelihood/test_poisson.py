"""Poisson fit against closed forms, differences and a second minimiser."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from skyquilt.blocks import DenseBlock
from skyquilt.likelihood import poisson
from skyquilt.likelihood.options import FluxOptions
from skyquilt.likelihood.poisson import (
    AT_BOUND,
    GOOD,
    NO_EXPOSURE,
    NOT_CONVERGED,
    NOT_FINITE,
    OCCULTED,
    fit_flux,
    poisson_ts,
)


def fit_good(counts, background, unit_counts, total):
    """Fit of pixels none of which is left out."""
    return fit_flux(counts, background, DenseBlock(unit_counts, total, np.zeros(len(total))))


def fit_one(counts, background, unit_counts, total, status=None, background_total=None, **options):
    """Fit of one pixel: the fields of FluxFit as numbers."""
    arrays = (np.asarray(values, dtype=float) for values in (counts, background, unit_counts))
    counts, background, unit_counts = arrays
    status = np.array([GOOD]) if status is None else status
    block = DenseBlock(unit_counts[np.newaxis], np.array([total]), status)
    options = FluxOptions(free_background=background_total is not None, **options)
    fit = fit_flux(counts, background, block, options, background_total=background_total)
    return type(fit)(*(values[0] for values in fit))


def random_problem(seed, n_hit=40, source=2.0):
    """Counts drawn from the model, in bins of which some have none; hits and total."""
    rng = np.random.default_rng(seed)
    background = rng.gamma(1, 2, n_hit) + 0.01
    unit_counts = rng.gamma(0.5, 1, n_hit)
    counts = rng.poisson(background + source * unit_counts).astype(float)
    hit = counts > 0
    return counts[hit], background[hit], unit_counts[hit], unit_counts.sum()


def second_opinion(counts, background, unit_counts, total, lowest=0.0, highest=1e4):
    """Best flux by Brent's method, which knows no derivative."""

    def loss(flux):
        return -poisson_ts(counts, background, unit_counts, total, flux)

    return minimize_scalar(
        loss, bounds=(lowest, highest), method="bounded", options={"xatol": 1e-9}
    )


class TestPoissonTs:
    def test_poisson_ts_at_best_flux_equals_closed_form(self):
        # n = 10 over b = 5: TS = 2 (n ln(n/b) - (n - b)) = 3.8629, Cash (1979)
        ts = poisson_ts(np.array([10]), np.array([5.0]), np.array([1.0]), 1.0, 5.0)
        assert ts == pytest.approx(20 * np.log(2) - 10, rel=1e-12)  # a few roundings

    def test_poisson_ts_at_zero_flux_is_zero(self):
        counts, background, unit_counts, total = random_problem(0)
        assert poisson_ts(counts, background, unit_counts, total, 0.0) == 0

    def test_poisson_ts_of_many_pixels_equals_one_by_one(self):
        counts, background, unit_counts, total = random_problem(0)
        flux = np.array([0.5, 2.0])
        both = np.stack([unit_counts, 3 * unit_counts])
        ts = poisson_ts(counts, background, both, np.array([total, 5.0]), flux)
        second = poisson_ts(counts, background, 3 * unit_counts, 5.0, 2.0)
        assert ts[1] == pytest.approx(second, rel=1e-14)  # same sum, other order

    def test_poisson_ts_counts_expected_bins_without_hits(self):
        more = poisson_ts(np.array([1.0]), np.array([1.0]), np.array([1.0]), 4.0, 0.5)
        less = poisson_ts(np.array([1.0]), np.array([1.0]), np.array([1.0]), 1.0, 0.5)
        assert more - less == pytest.approx(-2 * 0.5 * 3)  # flux times 3 more counts, twice


class TestGoodFit:
    # flux to 1e-10 of itself: 1e-12 standard errors after the last step, plus rounding
    @pytest.mark.parametrize(("n", "b", "e"), [(10, 5.0, 1.0), (3, 0.2, 7.0), (2.5, 1e-3, 1e-4)])
    def test_fit_flux_of_one_bin_equals_closed_form(self, n, b, e):
        fit = fit_one([n], [b], [e], e)
        assert fit.status == GOOD
        assert fit.flux == pytest.approx((n - b) / e, rel=1e-10)
        assert fit.npred == pytest.approx(n - b, rel=1e-10)
        assert fit.ts == pytest.approx(2 * (n * np.log(n / b) - (n - b)), rel=1e-12)
        assert fit.flux_err == pytest.approx(np.sqrt(n) / e, rel=1e-10)

    @pytest.mark.parametrize("seed", range(5))
    def test_fit_flux_error_is_curvature_of_ts(self, seed):
        problem = random_problem(seed)
        fit = fit_one(*problem)
        h = 1e-3 * fit.flux_err
        up, mid, down = (poisson_ts(*problem, fit.flux + k * h) for k in (1, 0, -1))
        # second difference: h^2 of the fourth derivative, and rounding of TS over h^2
        assert (up - 2 * mid + down) / h**2 == pytest.approx(-2 / fit.flux_err**2, rel=1e-5)

    @pytest.mark.parametrize("seed", range(5))
    def test_fit_flux_slope_at_best_flux_is_zero(self, seed):
        problem = random_problem(seed)
        fit = fit_one(*problem)
        up, down = (poisson_ts(*problem, fit.flux + k * fit.flux_err) for k in (1e-4, -1e-4))
        # third derivative times 1e-4 squared
        assert (up - down) / 2e-4 == pytest.approx(0, abs=1e-6)

    @settings(derandomize=True, deadline=None)
    @given(st.integers(0, 10**6), st.floats(-2, 2))
    def test_fit_flux_equals_second_minimiser(self, seed, log_source):
        problem = random_problem(seed, source=10**log_source)
        if not problem[0].size:
            return
        fit = fit_one(*problem)
        other = second_opinion(*problem)
        # Brent finds a maximum to the square root of the rounding of TS
        assert fit.ts == pytest.approx(max(0.0, -other.fun), rel=1e-9, abs=1e-6)
        assert abs(fit.flux - max(other.x, 0.0)) < 1e-5 * max(fit.flux_err, fit.flux)

    @pytest.mark.parametrize("scale", 10.0 ** np.arange(-8, 9, 2))
    def test_fit_flux_when_source_to_background_is_extreme_converges(self, scale):
        counts, _, unit_counts, total = random_problem(3)
        background = np.full_like(counts, 1 / scale)
        fit = fit_one(counts, background, unit_counts, total)
        assert fit.status == (GOOD if scale >= 1 else AT_BOUND)
        expected = poisson_ts(counts, background, unit_counts, total, fit.flux)
        assert fit.ts == pytest.approx(expected, rel=1e-12)  # same formula, other order of sums
        if fit.status == GOOD:
            slope = np.sum(counts * unit_counts / (background + fit.flux * unit_counts)) - total
            assert slope * fit.flux_err == pytest.approx(0, abs=1e-10)  # rounding of the slope
            assert fit.n_iter < 50

    @pytest.mark.parametrize("scale", [1e-8, 1.0, 1e8])
    def test_fit_flux_when_unit_counts_are_scaled_scales_flux(self, scale):
        counts, background, unit_counts, total = random_problem(4)
        plain = fit_one(counts, background, unit_counts, total)
        fit = fit_one(counts, background, scale * unit_counts, scale * total)
        # the same steps in other units, but for rounding
        assert fit.flux * scale == pytest.approx(plain.flux, rel=1e-11)
        assert fit.ts == pytest.approx(plain.ts, rel=1e-11)
        assert fit.n_iter == plain.n_iter

    def test_fit_flux_when_counts_are_not_integer_equals_second_minimiser(self):
        counts, background, unit_counts, total = random_problem(5)
        counts = 0.02 * counts + background  # a scaled signal over a smooth background
        fit = fit_one(counts, background, unit_counts, total * 0.05)
        other = second_opinion(counts, background, unit_counts, total * 0.05)
        assert fit.status == GOOD
        assert fit.flux == pytest.approx(other.x, rel=1e-5)  # as above

    def test_fit_flux_when_slope_at_zero_is_just_positive_is_good(self):
        fit = fit_one([1 + 1e-9], [1.0], [1.0], 1.0)
        assert fit.status == GOOD
        assert fit.ts >= 0
        assert fit.flux == pytest.approx(1e-9, rel=1e-6)  # rounding of 1 + 1e-9

    def test_fit_flux_when_slope_at_zero_is_only_rounding_has_no_negative_ts(self):
        rng = np.random.default_rng(0)
        counts, background = np.array([4.0, 3.0, 1.0]), np.array([0.7, 0.1, 0.2])
        unit_counts = rng.gamma(1, 1, (500, 3))
        total = np.nextafter(unit_counts @ (counts / background), 0)
        fit = fit_good(counts, background, unit_counts, total)
        assert GOOD in fit.status
        assert fit.ts.min() >= 0

    def test_fit_flux_result_does_not_depend_on_other_pixels(self):
        counts, background, unit_counts, total = random_problem(6)
        block = np.stack([0.5 * unit_counts, unit_counts, 2 * unit_counts])
        fit = fit_good(counts, background, block, np.full(3, total))
        alone = fit_one(counts, background, unit_counts, total)
        np.testing.assert_array_equal([values[1] for values in fit], alone)

    def test_fit_flux_never_changes_its_inputs(self):
        counts, background, unit_counts, total = random_problem(7)
        block, totals = np.stack([unit_counts] * 2), np.array([total, 0.0])
        status = np.array([GOOD, OCCULTED], dtype=np.uint8)
        arrays = (counts, background, block, totals, status)
        before = [array.copy() for array in arrays]
        for array in arrays:
            array.flags.writeable = False
        fit_flux(counts, background, DenseBlock(*arrays[2:]), FluxOptions(allow_negative=True))
        assert all(np.array_equal(a, b) for a, b in zip(arrays, before, strict=True))


class TestAtBound:
    def test_fit_flux_when_too_few_counts_is_at_bound(self):
        fit = fit_one([2.0], [5.0], [1.0], 1.0)
        assert (fit.status, fit.flux, fit.ts, fit.npred, fit.n_iter) == (AT_BOUND, 0, 0, 0, 0)

    def test_fit_flux_when_slope_is_exactly_zero_is_at_bound(self):
        fit = fit_one([5.0], [5.0], [1.0], 1.0)
        assert fit.status == AT_BOUND
        assert fit.flux_err == pytest.approx(np.sqrt(5), rel=1e-14)  # rounding; -2 / D2 = b^2 / n

    @pytest.mark.parametrize("b", [5.0, 5.0 + 1e-7, 1e4])
    def test_fit_flux_error_at_bound_is_where_parabola_has_fallen_by_one(self, b):
        fit = fit_one([5.0], [b], [1.0], 1.0)
        slope, curvature = 2 * (5 / b - 1), -2 * 5 / b**2
        parabola = slope * fit.flux_err + curvature * fit.flux_err**2 / 2
        assert parabola == pytest.approx(-1, rel=1e-12)  # a few roundings

    @pytest.mark.parametrize("allow_negative", [False, True])
    def test_fit_flux_when_no_hit_bin_sees_the_source_is_at_bound(self, allow_negative):
        # LLR = -f E: without a least flux when fluxes below zero are allowed
        fit = fit_one([5.0], [5.0], [0.0], 4.0, allow_negative=allow_negative)
        assert (fit.status, fit.flux, fit.ts) == (AT_BOUND, 0, 0)
        assert fit.flux_err == pytest.approx(1 / 8, rel=1e-15)  # -1 / D1, exact

    def test_fit_flux_when_there_are_no_hit_bins_is_at_bound(self):
        fit = fit_one([], [], [], 4.0)
        assert (fit.status, fit.flux, fit.ts, fit.flux_err) == (AT_BOUND, 0, 0, 1 / 8)


class TestAllowNegative:
    def test_fit_flux_when_allowed_of_one_bin_equals_closed_form(self):
        fit = fit_one([2.0], [5.0], [1.5], 1.5, allow_negative=True)
        assert fit.status == GOOD
        assert fit.flux == pytest.approx(-2, rel=1e-10)  # as for fluxes above zero
        assert fit.ts == pytest.approx(2 * (2 * np.log(2 / 5) + 3), rel=1e-12)
        assert fit.npred == pytest.approx(-3, rel=1e-10)
        assert fit.flux_err == pytest.approx(np.sqrt(2) / 1.5, rel=1e-10)

    @pytest.mark.parametrize("few", [1.0, 1e-3, 1e-6])
    def test_fit_flux_when_best_flux_is_near_where_the_model_ends_stays_inside(self, few):
        # from zero, a step may end beyond -b / e
        fit = fit_one([few], [100.0], [1.0], 1.0, allow_negative=True)
        assert fit.status == GOOD
        # flux is -100 to rounding; what is left of the background is a small difference
        assert 100 + fit.flux == pytest.approx(few, abs=1e-12)

    @pytest.mark.parametrize("seed", range(8))
    def test_fit_flux_when_allowed_equals_second_minimiser(self, seed):
        counts, background, unit_counts, total = random_problem(seed, source=0.0)
        total *= 2
        lowest = -np.min(background / unit_counts)
        fit = fit_one(counts, background, unit_counts, total, allow_negative=True)
        other = second_opinion(counts, background, unit_counts, total, lowest, 10)
        assert fit.status == GOOD
        assert lowest < fit.flux < 0
        # Brent finds a maximum to the square root of the rounding of TS
        assert fit.ts == pytest.approx(-other.fun, rel=1e-9)
        assert fit.flux == pytest.approx(other.x, rel=1e-5)

    @pytest.mark.parametrize("seed", range(3))
    def test_fit_flux_when_source_is_there_is_the_same_with_and_without(self, seed):
        problem = random_problem(seed)
        below = fit_one(*problem, allow_negative=True)
        np.testing.assert_array_equal(fit_one(*problem), below)

    def test_fit_flux_when_bin_of_zero_counts_would_go_negative_is_held_by_it(self):
        # without the second bin the flux were -3, and the model of that bin -2
        fit = fit_one([2.0, 0.0], [5.0, 1.0], [1.0, 1.0], 1.0, allow_negative=True)
        assert fit.status == AT_BOUND
        assert fit.flux == pytest.approx(-1, rel=1e-14)
        assert fit.ts == pytest.approx(2 * (2 * np.log(4 / 5) + 1), rel=1e-14)


class TestFailedPixels:
    def assert_failed(self, fit, status):
        assert fit.status == status
        assert np.isnan([fit.ts, fit.flux, fit.flux_err, fit.npred]).all()

    def test_fit_flux_when_total_is_zero_has_no_exposure(self):
        self.assert_failed(fit_one([5.0], [5.0], [0.0], 0.0), NO_EXPOSURE)

    @pytest.mark.parametrize("wrong", [np.nan, np.inf, -1e-9])
    @pytest.mark.parametrize("place", [0, 18, 36])
    def test_fit_flux_when_unit_counts_are_wrong_is_not_finite(self, wrong, place):
        unit_counts = np.ones(37)
        unit_counts[place] = wrong
        self.assert_failed(fit_one(np.ones(37), np.ones(37), unit_counts, 37.0), NOT_FINITE)

    @pytest.mark.parametrize("wrong", [np.nan, np.inf, -1.0])
    def test_fit_flux_when_total_is_wrong_is_not_finite(self, wrong):
        self.assert_failed(fit_one([5.0], [5.0], [1.0], wrong), NOT_FINITE)

    def test_fit_flux_when_limit_is_reached_has_not_converged(self, monkeypatch):
        problem = random_problem(0)
        n_iter = fit_one(*problem).n_iter
        monkeypatch.setattr(poisson, "MAX_ITER", n_iter)
        assert fit_one(*problem).status == GOOD
        monkeypatch.setattr(poisson, "MAX_ITER", n_iter - 1)
        fit = fit_one(*problem)
        self.assert_failed(fit, NOT_CONVERGED)
        assert fit.n_iter == n_iter - 1

    @pytest.mark.parametrize("background", [1e-30, 1e-100, 1e-150])
    def test_fit_flux_when_moments_overflow_still_converges(self, background):
        counts, _, unit_counts, total = random_problem(1)
        fit = fit_one(counts, np.full_like(counts, background), unit_counts, total)
        assert fit.status == GOOD
        assert fit.n_iter < poisson.MAX_ITER / 2
        # without background the source has all counts
        assert fit.npred == pytest.approx(counts.sum(), rel=1e-12)  # rounding

    @pytest.mark.parametrize("status", [OCCULTED, NO_EXPOSURE])
    def test_fit_flux_when_pixel_is_not_good_keeps_its_status(self, status):
        status = np.array([status], dtype=np.uint8)
        self.assert_failed(fit_one([10.0], [5.0], [1.0], 1.0, status=status), status[0])

    def test_fit_flux_when_one_pixel_fails_fits_the_others(self):
        unit_counts = np.array([[np.nan], [1.0], [0.0], [1.0]])
        total = np.array([1.0, 1.0, 0.0, 1.0])
        fit = fit_good(np.array([10.0]), np.array([5.0]), unit_counts, total)
        assert fit.status.tolist() == [NOT_FINITE, GOOD, NO_EXPOSURE, GOOD]
        assert fit.flux[1] == fit.flux[3] == pytest.approx(5, rel=1e-10)  # tolerance as above

    def test_fit_flux_when_curvature_underflows_has_not_converged(self):
        self.assert_failed(fit_one([10.0], [5.0], [1e-200], 1e-200), NOT_CONVERGED)


class TestWrongInput:
    @pytest.mark.parametrize("wrong", [0.0, -1.0, np.nan, np.inf])
    def test_fit_flux_when_background_is_wrong_names_bin(self, wrong):
        with pytest.raises(
            ValueError, match=f"background {wrong} in hit bin 1: allowed is above 0"
        ):
            fit_one([1.0, 1.0], [1.0, wrong], [1.0, 1.0], 2.0)

    @pytest.mark.parametrize("wrong", [-1.0, np.nan, np.inf])
    def test_fit_flux_when_counts_are_wrong_names_bin(self, wrong):
        with pytest.raises(ValueError, match=f"counts {wrong} in hit bin 0: allowed is 0 or more"):
            fit_one([wrong, 1.0], [1.0, 1.0], [1.0, 1.0], 2.0)

    def test_fit_flux_when_shapes_differ_names_them(self):
        with pytest.raises(ValueError, match=r"counts \(2,\) and background \(1,\) differ"):
            fit_one([1.0, 1.0], [1.0], [1.0, 1.0], 2.0)

    def test_fit_flux_when_unit_counts_do_not_fit_names_shapes(self):
        with pytest.raises(ValueError, match=r"unit_counts \(1, 3\), expected \(1, 2\)"):
            fit_one([1.0, 1.0], [1.0, 1.0], [1.0, 1.0, 1.0], 2.0)
