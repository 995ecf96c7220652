"""An injected flux comes back: without bias, and with the scatter that the error says."""

import numpy as np
import pytest

N_TRIALS = 1000
# Median TS 1550, 180 and 35, with 520, 130 and 50 counts over a background of 400. Fainter still,
# the likelihood is too skewed for normal pulls.
FLUXES = (2.0, 0.5, 0.2)


@pytest.fixture(scope="module", params=FLUXES)
def fitted(toy, request):
    """Injected flux, and its fits at the true direction."""
    telescope = toy.Telescope()
    direction = telescope.random_direction(np.random.default_rng(0))
    fit = toy.fit_many(telescope, direction, request.param, N_TRIALS, 1, allow_negative=True)
    return request.param, fit


def test_fit_pixels_of_injected_flux_has_no_bias(fitted):
    flux, fit = fitted
    # 3.3 standard errors of the mean of as many trials; the bias of a maximum-likelihood
    # estimate is of the order of 1 / counts, below a tenth of it
    tolerance = 3.3 * np.std(fit.flux) / np.sqrt(N_TRIALS)
    assert np.mean(fit.flux) == pytest.approx(flux, abs=tolerance)


def test_fit_pixels_of_injected_flux_has_pulls_of_mean_zero(fitted):
    flux, fit = fitted
    pull = (fit.flux - flux) / fit.flux_err
    # 3.3 standard errors, and the pull's own bias: an upward fluctuation has a larger error, so
    # that the mean is -1/2 n^-1/2 for n counts alone and less with background; n = 50 to 500
    bias = 0.5 / np.sqrt(np.mean(fit.npred))
    assert np.mean(pull) == pytest.approx(0, abs=3.3 / np.sqrt(N_TRIALS) + bias)


def test_fit_pixels_of_injected_flux_has_pulls_of_width_one(fitted):
    flux, fit = fitted
    pull = (fit.flux - flux) / fit.flux_err
    # 3.3 standard errors of a standard deviation from as many trials: 7 %
    assert np.std(pull) == pytest.approx(1, abs=3.3 / np.sqrt(2 * N_TRIALS))
