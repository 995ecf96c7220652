import re
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import erf, gamma, gammaincc

from skyquilt.config.spectrum import PowerLaw
from skyquilt.errors import ConfigError
from skyquilt.spectra import evaluate, integrate, integrate_energy
from skyquilt.spectra.integrals import _ORDERS

DC2_EDGES = np.array(
    [100, 158.489, 251.189, 398.107, 630.957, 1000, 1584.89, 2511.89, 3981.07, 6309.57, 10000]
)
# The quadrature stops when an order changes the flux by less than 1e-8; 1e-6 is promised.
PROMISED = 1e-6
QUADRATURE = 1e-10


def power_law_flux(low, high, norm, pivot, index):
    """Integral of norm (E / pivot)^index, written so that index -1 needs no other case."""
    log_ratio = np.log(high / low)
    slope = (index + 1) * log_ratio
    return (
        norm * low * (low / pivot) ** index * log_ratio * (np.expm1(slope) / slope if slope else 1)
    )


@pytest.mark.parametrize("index", [-5, -2.2, -1 - 1e-9, -1, 0, 3])
def test_integrate_of_power_law_equals_closed_form(make_spectrum, index):
    spectrum = make_spectrum("power_law", norm="10 cm-2 s-1 keV-1", pivot="100 keV", index=index)
    expected = [power_law_flux(*edges, 10, 100, index) for edges in pairwise(DC2_EDGES)]
    np.testing.assert_allclose(integrate(spectrum, DC2_EDGES), expected, rtol=QUADRATURE)


@pytest.mark.parametrize("break_energy", [50.0, 158.489, 200.0, 900.0, 2e4])
def test_integrate_of_broken_power_law_equals_closed_form(make_spectrum, break_energy):
    spectrum = make_spectrum(
        "broken_power_law", break_energy=f"{break_energy} keV", index_low=-0.5, index_high=-3
    )
    middle = np.clip(break_energy, DC2_EDGES[:-1], DC2_EDGES[1:])
    expected = [
        power_law_flux(low, mid, 1, break_energy, -0.5)
        + power_law_flux(mid, high, 1, break_energy, -3)
        for low, mid, high in zip(DC2_EDGES[:-1], middle, DC2_EDGES[1:], strict=True)
    ]
    np.testing.assert_allclose(integrate(spectrum, DC2_EDGES), expected, rtol=QUADRATURE)


@pytest.mark.parametrize("cutoff", [8, 100, 5000])
def test_integrate_of_cutoff_power_law_equals_incomplete_gamma(make_spectrum, cutoff):
    index = -0.4
    edges = np.array([100, 300, 1000])
    spectrum = make_spectrum(
        "cutoff_power_law", pivot="100 keV", index=index, cutoff=f"{cutoff} keV"
    )
    upper = gamma(index + 1) * gammaincc(index + 1, edges / cutoff)
    expected = cutoff * (cutoff / 100) ** index * -np.diff(upper)
    # The closed form is a difference, and loses what its two terms share.
    np.testing.assert_allclose(integrate(spectrum, edges), expected, rtol=1e-9)


def test_integrate_of_log_parabola_equals_error_function(make_spectrum):
    index, curvature = -2, 0.3
    spectrum = make_spectrum("log_parabola", pivot="100 keV", index=index, curvature=curvature)
    centre = (index + 1) / (2 * curvature)
    steps = erf(np.sqrt(curvature) * (np.log(DC2_EDGES / 100) - centre))
    area = 100 * np.exp(curvature * centre**2) * np.sqrt(np.pi / curvature) / 2
    np.testing.assert_allclose(integrate(spectrum, DC2_EDGES), area * np.diff(steps), rtol=1e-9)


@pytest.mark.parametrize("peak", ["30 keV", "400 keV", "9 MeV"])
def test_integrate_of_band_equals_adaptive_quadrature(make_spectrum, peak):
    spectrum = make_spectrum("band", alpha=-0.8, beta=-2.5, peak=peak)
    corner = 1.7 / 1.2 * {"30 keV": 30, "400 keV": 400, "9 MeV": 9000}[peak]
    expected = []
    for low, high in pairwise(DC2_EDGES):
        options = {"points": [corner] if low < corner < high else None, "epsabs": 0}
        value, _ = quad(lambda e: evaluate(spectrum, e), low, high, epsrel=1e-12, **options)
        expected.append(value)
    np.testing.assert_allclose(integrate(spectrum, DC2_EDGES), expected, rtol=QUADRATURE)


@settings(derandomize=True, max_examples=50, deadline=None)
@given(
    index=st.floats(-6, 6),
    low=st.floats(1, 1e4),
    widths=st.lists(st.floats(1e-3, 3), min_size=1, max_size=8),
)
def test_integrate_of_many_bins_sums_to_one_bin(index, low, widths):
    spectrum = PowerLaw(model="power_law", norm="1 cm-2 s-1 keV-1", pivot="100 keV", index=index)
    edges = low * np.exp(np.concatenate([[0], np.cumsum(widths)]))
    whole = integrate(spectrum, edges[[0, -1]])
    assert integrate(spectrum, edges).sum() == pytest.approx(whole[0], rel=PROMISED)


def test_integrate_of_narrow_log_parabola_between_edges_finds_it(make_spectrum):
    # 0.2 % wide in a bin of two decades: all nodes of the lower orders miss it.
    spectrum = make_spectrum("log_parabola", pivot="511 keV", index=-1, curvature=1e5)
    expected = 511 * np.sqrt(np.pi / 1e5)
    assert integrate(spectrum, [100, 1e4]) == pytest.approx([expected], rel=PROMISED)


def test_integrate_of_log_parabola_too_narrow_is_refused(make_spectrum):
    # All nodes of the first two orders miss it, and these agree on zero.
    spectrum = make_spectrum("log_parabola", pivot="511 keV", index=-1, curvature=1e9)
    with pytest.raises(ConfigError, match=r"does not converge"):
        integrate(spectrum, [100, 1e4])


def test_integrate_far_above_cutoff_is_zero_there_only(make_spectrum):
    spectrum = make_spectrum("cutoff_power_law", pivot="100 keV", index=-1, cutoff="5 keV")
    flux = integrate(spectrum, [100, 1000, 5000, 10000])
    assert flux[0] > 0
    assert flux[2] == 0


@pytest.mark.parametrize("index", [90, 76.9])
def test_integrate_of_spectrum_that_overflows_names_spectrum_bin_and_value(make_spectrum, index):
    # At 76.9 every flux density is finite and only its integral over the bin is not.
    spectrum = make_spectrum("power_law", pivot="1 keV", index=index)
    message = f"power_law: .* index {index}.* flux overflows: inf .* from 1000 to 10000 keV"
    with pytest.raises(ConfigError, match=message):
        integrate(spectrum, [1, 10, 100, 1000, 10000])


def test_integrate_of_spectrum_that_is_zero_everywhere_is_refused(make_spectrum):
    spectrum = make_spectrum("cutoff_power_law", pivot="100 keV", index=-1, cutoff="0.1 keV")
    message = re.escape("flux is zero in every bin: 0 ph cm-2 s-1 from 100 to 200 keV")
    with pytest.raises(ConfigError, match=message):
        integrate(spectrum, [100, 200, 400])


def test_integrate_that_does_not_converge_is_refused(make_spectrum, monkeypatch):
    monkeypatch.setattr("skyquilt.spectra.integrals._ORDERS", _ORDERS[:2])
    spectrum = make_spectrum("cutoff_power_law", pivot="100 keV", index=-1, cutoff="1 keV")
    with pytest.raises(ConfigError, match=r"does not converge: .* from 100 to 10000 keV"):
        integrate(spectrum, [100, 1e4])


@pytest.mark.parametrize(
    "edges", [[], [100], 100, [0, 100], [-1, 1], [200, 100], [1, 1], [1, np.inf], [1, np.nan]]
)
def test_integrate_with_unusable_edges_is_refused(make_spectrum, edges):
    with pytest.raises(ValueError, match="two or more, above 0 keV, ascending"):
        integrate(make_spectrum("power_law", pivot="1 keV", index=-2), edges)


@pytest.mark.parametrize("sigma", [0.001, 1.0, 20.0, 102.2])
@pytest.mark.parametrize("edges", [DC2_EDGES, np.array([400.0, 505.0, 510.9, 511.0, 600.0])])
def test_integrate_of_line_equals_error_function(make_line, sigma, edges):
    spectrum = make_line(flux="2e-3 cm-2 s-1", energy="511 keV", sigma=f"{sigma} keV")
    steps = np.clip((edges - 511) / (sigma * np.sqrt(2)), -8 / np.sqrt(2), 8 / np.sqrt(2))
    expected = 2e-3 * np.diff(erf(steps)) / 2
    np.testing.assert_allclose(integrate(spectrum, edges), expected, rtol=1e-9, atol=2e-3 * 1e-15)


def test_integrate_of_energy_of_line_is_that_of_its_centre(make_line):
    spectrum = make_line(flux="1 cm-2 s-1", energy="1809 keV", sigma="2 keV")
    assert integrate_energy(spectrum, [1000, 3000])[0] == pytest.approx(1809, rel=1e-10)


def test_line_without_photons_in_the_bins_is_refused(make_line):
    spectrum = make_line(flux="1 cm-2 s-1", energy="511 keV", sigma="2 keV")
    with pytest.raises(ConfigError, match=r"gaussian_line: flux 1 cm-2 s-1.*zero in every bin"):
        integrate(spectrum, [1000, 3000])
