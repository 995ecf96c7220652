"""The result for alerts."""

from pathlib import Path

import pytest

from skyquilt.report.notice import format_circular, make_notice


@pytest.fixture
def make(summary):
    """Text of the circular for a p-value and where it comes from."""
    summary["files"] = {"multiorder": "skymap.multiorder.fits"}

    def circular(p_value, origin):
        notice = make_notice(summary, Path("results/b"), 0.95, None, p_value, origin)
        return " ".join(format_circular(notice).split())

    return circular


@pytest.mark.parametrize(
    ("p_value", "origin", "text"),
    [
        (0.012, "skies", "with a probability of 0.012."),
        (0.003, "limit", "with a probability of less than 0.003."),
        (0.0002, "extrapolation", "with a probability of 0.0002 (extrapolated)."),
        (2e-8, "extrapolation", "with a probability of less than 1e-6 (extrapolated)."),
    ],
)
def test_circular_says_how_far_a_p_value_was_simulated(make, p_value, origin, text):
    assert text in make(p_value, origin)


def test_circular_without_simulated_skies_has_no_p_value(make):
    assert "probability of" not in make(None, None).replace("probability of the position", "")


def test_energy_flux_has_the_relative_errors_of_the_photon_flux(summary, make):
    best = summary["best"]
    best |= {"flux_err_lo": 0.1 * best["flux"], "flux_err_hi": 0.2 * best["flux"]}
    best |= {"flux_ul": 1.5 * best["flux"], "energy_flux": 3 * best["photon_flux"]}
    notice = make_notice(summary, Path("results/b"), 0.95, None, None)
    photons, energy = notice["flux"], notice["energy_flux"]
    assert energy["unit"] == "erg cm-2 s-1"
    for key in ("value", "err_lo", "err_hi", "upper_limit"):
        assert energy[key] == pytest.approx(3 * photons[key])
    text = make(None, None)
    assert f"the energy flux {energy['value']:.3g}" in text
    assert "erg cm-2 s-1, for the spectrum" in text


def test_summaries_of_before_have_no_energy_flux(summary, make):
    summary["best"].pop("energy_flux", None)
    assert make_notice(summary, Path("results/b"), 0.95, None, None)["energy_flux"] is None
    assert "energy flux" not in make(None, None)
