"""Counts of all kinds: small whole numbers, whose logarithms are taken together, and others."""

import numpy as np
import pytest

from skyquilt.blocks import DenseBlock
from skyquilt.likelihood.poisson import GOOD, fit_flux, poisson_ts

KINDS = {
    "ones": [1],
    "few": [1, 2, 3],
    "few and none": [0, 1, 2, 3],
    "many": [4, 50, 3000],
    "fractions": [0.25, 1, 2.5],
    "mixed": [0, 1, 1, 1, 1, 1, 1, 2, 3, 4, 0.5],
}


@pytest.mark.parametrize("n_hit", [1, 7, 8, 9, 200])
@pytest.mark.parametrize("kind", KINDS)
def test_fit_flux_of_any_counts_has_the_ts_of_its_flux(kind, n_hit):
    rng = np.random.default_rng(n_hit)
    counts = rng.choice(KINDS[kind], n_hit).astype(float)
    counts[0] += counts[0] == 0  # something to fit
    background = 0.1 * rng.gamma(1, 1, n_hit) * counts.mean()
    unit_counts = rng.gamma(1, 1, (30, n_hit))
    total = unit_counts.sum(axis=1)
    fit = fit_flux(counts, background, DenseBlock(unit_counts, total, np.zeros(30)))
    good = fit.status == GOOD
    assert good.any()
    ts = poisson_ts(counts, background, unit_counts[good], total[good], fit.flux[good])
    # rounding of n_hit factors, 1e-16 each, next to TS of 1 and more
    np.testing.assert_allclose(fit.ts[good], ts, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("count", [1.0, 3.0, 7.0])
def test_fit_flux_of_a_source_beyond_all_products_has_the_closed_form(count):
    # n counts in each of 20 bins, e = 1, next to no background: f = n, LLR = 20 n (ln(n / b) - 1)
    counts, background, unit_counts = np.full(20, count), np.full(20, 1e-120), np.ones((1, 20))
    fit = fit_flux(counts, background, DenseBlock(unit_counts, np.array([20.0]), np.zeros(1)))
    assert fit.flux[0] == pytest.approx(count, rel=1e-12)
    # the same sums in another order
    assert fit.ts[0] == pytest.approx(40 * count * (np.log(count / 1e-120) - 1), rel=1e-12)
