"""Photon fluxes in energies of the user's choice."""

import json

import numpy as np
import pytest

from skyquilt.errors import ConfigError
from skyquilt.problem.file import read_problem
from skyquilt.report.text import describe_result
from skyquilt.spectra import integrate
from skyquilt.spectra.energies import format_range
from skyquilt.spectra.integrals import integrate_energy


def result_of(observation, **settings):
    observation.settings |= settings
    folder = observation.localise()
    summary = json.loads((folder / "summary.json").read_text())
    return observation.run().columns, summary


def test_photon_flux_is_the_integral_over_the_range(local):
    spectrum = local.config().analyses["tiny"].spectrum
    before, summary = result_of(local)
    after, in_range = result_of(local, flux_range=["1 MeV", "30 MeV"])

    per_flux = float(integrate(spectrum, [1e3, 3e4])[0])
    np.testing.assert_array_equal(after["flux"], before["flux"])
    np.testing.assert_allclose(after["photon_flux"], after["flux"] * per_flux, rtol=1e-12)
    assert summary["flux_range_keV"] is None
    assert in_range["flux_range_keV"] == [1e3, 3e4]
    assert in_range["energy_range_keV"] == summary["energy_range_keV"]
    best = in_range["best"]
    assert best["photon_flux"] == pytest.approx(best["flux"] * per_flux)
    energy = float(integrate_energy(spectrum, [1e3, 3e4])[0]) * 1.602176634e-9
    assert best["energy_flux"] == pytest.approx(best["flux"] * energy)


def test_energy_flux_is_that_of_the_spectrum_that_fits_best(local):
    one = local.settings.pop("spectrum")
    local.settings["spectra"] = {"soft": one, "hard": one | {"index": -1.5}}
    _, summary = result_of(local)
    best = summary["best"]
    spectrum = local.config().analyses["tiny"].spectra[best["template"]]
    energy = float(integrate_energy(spectrum, summary["energy_range_keV"])[0]) * 1.602176634e-9
    assert best["energy_flux"] == pytest.approx(best["flux"] * energy)


def test_range_of_the_measured_energies_changes_nothing(local):
    before, summary = result_of(local)
    low, high = summary["energy_range_keV"]
    after, _ = result_of(local, flux_range=[f"{low} keV", f"{high} keV"])
    np.testing.assert_allclose(after["photon_flux"], before["photon_flux"], rtol=1e-6)


def test_lines_about_the_result_name_the_range(local):
    _, summary = result_of(local, flux_range=["1 MeV", "30 MeV"])
    text = describe_result(summary, local.folder, 0.95)
    (flux,) = (line for line in text.splitlines() if line.startswith("  flux "))
    assert flux.endswith(f"ph cm-2 s-1, {format_range(1e3, 3e4)}")
    assert text.count("30 MeV") == 1


def test_problem_of_several_spectra_has_one_flux_each(local):
    one = local.settings.pop("spectrum")
    local.settings["spectra"] = {"soft": one, "hard": one | {"index": -1.5}}
    local.settings["flux_range"] = ["1 MeV", "30 MeV"]
    problem = read_problem(f"{local.prepare()}/problem.h5")
    spectra = local.config().analyses["tiny"].spectra
    expected = [float(integrate(spectrum, [1e3, 3e4])[0]) for spectrum in spectra.values()]
    np.testing.assert_allclose(problem.expectation.photon_fluxes, expected)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (["2 MeV", "1 MeV"], r"low < high"),
        (["1 MeV", "1 MeV"], r"low < high"),
        (["0 keV", "1 MeV"], r"low < high"),
        (["1 MeV"], "flux_range"),
        (["1 MeV", "2 s"], "flux_range"),
        ("1 MeV", "flux_range"),
    ],
)
def test_impossible_ranges_are_refused(local, wrong, message):
    local.settings["flux_range"] = wrong
    with pytest.raises(ConfigError, match=message):
        local.config()
