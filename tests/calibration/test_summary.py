"""Numbers of simulated skies."""

import json

import numpy as np
import pytest

from skyquilt.calibration.skies import DataFit, InjectedSkies, NullSkies
from skyquilt.calibration.summary import summarise_injected, summarise_null

N_SKIES = 4000
LEVELS = (0.68, 0.9)


@pytest.fixture(scope="module")
def null():
    """Maxima of 50 pixels that follow half chi2 each."""
    z = np.random.default_rng(1).normal(size=(N_SKIES, 50)).max(axis=1)
    ts_max = np.maximum(z, 0) ** 2
    return NullSkies(ts_max, np.zeros(N_SKIES, int), np.full(N_SKIES, 100))


def data(ts_max):
    return DataFit(ts_max, best_flux=1.0, smallest_err=0.1, median_err=0.2)


def test_p_value_of_a_common_ts_is_counted(null):
    ts = float(np.quantile(null.ts_max, 0.9))

    summary = summarise_null(null, data(ts), seed=1)

    assert summary["p_value_from"] == "skies"
    assert summary["p_value"] == summary["n_above"] / N_SKIES
    assert summary["p_value"] == pytest.approx(0.1, abs=1 / N_SKIES)
    assert summary["counted_p_value_err"] == pytest.approx(np.sqrt(0.09 / N_SKIES), rel=1e-2)


def test_p_value_of_a_rare_ts_is_extrapolated_and_the_counted_one_bounded(null):
    summary = summarise_null(null, data(30.0), seed=1)

    assert (summary["n_above"], summary["p_value_from"]) == (0, "extrapolation")
    # 50 pixels: P = 50 x 2.2e-8; terms that fall alike make a factor, see test_trials
    assert 0.5e-6 < summary["p_value"] < 2.3e-6
    # Clopper and Pearson 1934: 1 - 0.025^(1/n) for none of n
    assert summary["counted_p_value_95"] == [0.0, pytest.approx(1 - 0.025 ** (1 / N_SKIES))]


def test_tail_test_finds_the_extrapolation_right(null):
    test = summarise_null(null, data(9.0), seed=1)["tail_test"]

    assert test["n_observed"] == 40
    assert test["p_value"] > 0.01


def test_tail_test_finds_an_extrapolation_that_is_wrong(null):
    # above the 95 % quantile, from which on the tail is tested, TS doubles
    edge = np.quantile(null.ts_max, 0.95)
    heavy = null._replace(ts_max=np.where(null.ts_max > edge, 2 * null.ts_max, null.ts_max))

    assert summarise_null(heavy, data(9.0), seed=1)["tail_test"]["p_value"] < 1e-3


def test_summary_is_strict_json(null):
    json.dumps(summarise_null(null, data(9.0), seed=1), allow_nan=False)


@pytest.fixture(scope="module")
def injected():
    """Two fluxes of sources as Wilks and Gauss want them; every tenth is not detected."""
    rng = np.random.default_rng(2)
    flux = np.tile([1.0, 2.0], N_SKIES // 2)
    drop = rng.chisquare(2, N_SKIES)
    ts_max = np.where(np.arange(N_SKIES) % 10 < 2, 9.0, 100.0) + drop
    vec = np.zeros((N_SKIES, 3))
    error = np.full(N_SKIES, 0.2)
    offset = rng.rayleigh(1.0, N_SKIES)
    return InjectedSkies(
        *(flux, vec, vec, rng.normal(flux, error), error, ts_max - drop, ts_max, flux, offset)
    )


def test_regions_of_ideal_sources_cover_their_level(injected):
    for region in summarise_injected(injected, 50.0, LEVELS)["all"]["regions"]:
        # 3.3 standard errors of 3200 detected sources
        assert region["coverage"] == pytest.approx(region["level"], abs=3.3 * 0.0083)
        low, high = region["corrected_threshold_68"]
        assert low < region["corrected_threshold"] < high
        # the quantile's error: that of the fraction over the density of chi2 there, 0.16 and 0.05
        assert region["corrected_threshold"] == pytest.approx(region["threshold"], abs=0.55)


def test_corrected_threshold_mends_regions_that_are_too_small(injected):
    drop = injected.ts_max - injected.ts_truth
    wide = injected._replace(ts_truth=injected.ts_max - 1.5 * drop)

    region = summarise_injected(wide, 50.0, (0.9,))["all"]["regions"][0]

    assert region["coverage"] < 0.85
    assert region["corrected_threshold"] == pytest.approx(1.5 * 4.605, rel=0.1)


def test_detection_and_flux_of_each_flux(injected):
    first, second = summarise_injected(injected, 50.0, LEVELS)["by_flux"]

    assert (first["flux"], second["flux"]) == (1.0, 2.0)
    for part in (first, second):
        assert part["n_skies"] == N_SKIES // 2
        # of ten skies in turn two are faint, one of each flux
        assert part["efficiency"] == pytest.approx(0.8)
        assert part["efficiency_err"] == pytest.approx(np.sqrt(0.16 / 2000), rel=1e-6)
        assert part["flux_ratio"] == pytest.approx(1.0, abs=3.3 * part["flux_ratio_err"])
        assert part["pull_mean"] == pytest.approx(0.0, abs=3.3 * part["pull_mean_err"])
        assert part["pull_width"] == pytest.approx(1.0, abs=3.3 * part["pull_width_err"])
        # Rayleigh: median sqrt(2 ln 2), with 4 % from 1600 sources
        assert part["offset_deg"]["0.5"] == pytest.approx(1.177, rel=0.1)


def test_sources_that_are_never_detected_have_no_regions(injected):
    part = summarise_injected(injected, 1e4, LEVELS)["all"]

    assert (part["n_detected"], part["offset_deg"], part["regions"]) == (0, None, [])
