"""Models of spectra, fitted to the profiles of bands."""

import numpy as np
import pytest

from skyquilt.config.targets import TargetSpectrum
from skyquilt.likelihood.curve import Curve
from skyquilt.problem.bands import Bands, Integrals
from skyquilt.targets.spectra import BandCurves, band_integrals, fit_spectrum
from skyquilt.targets.table import Reference

EDGES = np.geomspace(1e6, 1e8, 9)  # keV
PIVOT = 1e4  # MeV


def _reference():
    """A reference spectrum of 1 cm-2 s-1 in each band."""
    edges = np.stack([EDGES[:-1], EDGES[1:]], axis=1)
    none = np.empty(0, np.int64)
    bands = Bands(edges, ("",) * 8, Integrals(*np.ones((3, 8))), none, np.arange(8))
    return Reference(bands)


def _parabolas(norm, error):
    """Profiles of bands that are normal, and their TS."""
    flux = np.clip(norm + error * np.linspace(-4, 4, 31)[:, np.newaxis], 0, None)
    flux = np.sort(flux + 1e-12 * np.arange(31)[:, np.newaxis], axis=0)
    scan = np.stack([flux, -(((flux - norm) / error) ** 2) / 2, (norm - flux) / error**2])
    return np.swapaxes(scan, 1, 2), (norm / error) ** 2


def _fit(index, curvature, spectrum, noise=0.0):
    reference = _reference()
    norm = 1e-4 * band_integrals(reference, PIVOT, index, curvature)
    norm = norm * (1 + 0.05 * noise)
    curves = BandCurves(*_parabolas(norm, 0.05 * norm))
    return fit_spectrum(curves, reference, TargetSpectrum(**spectrum), PIVOT)


def test_sum_of_bands_is_that_of_their_curves():
    scan, ts = _parabolas(np.array([1.0, 2.0, 5.0]), np.array([0.5, 0.3, 2.0]))
    curves = BandCurves(scan, ts)
    norm = np.array([0.2, 4.0, 5.5])
    wanted = sum(float(Curve(*scan[:, band]).at(norm[band])) for band in range(3))
    assert curves.sum(norm) == pytest.approx(wanted)
    assert curves.zero == pytest.approx(-ts.sum() / 2)


def test_integrals_of_a_power_law_are_those_of_the_closed_form():
    reference = _reference()
    low, high = reference.e_min, reference.e_max
    wanted = PIVOT**2.5 * (low**-1.5 - high**-1.5) / 1.5
    assert band_integrals(reference, PIVOT, -2.5, 0.0) == pytest.approx(wanted)
    energy = PIVOT**2.5 * (low**-0.5 - high**-0.5) / 0.5
    assert band_integrals(reference, PIVOT, -2.5, 0.0, 1.0) == pytest.approx(energy)


def test_power_law_comes_back_with_its_error():
    found = _fit(-2.3, 0.0, {"model": "power_law", "free": ["index"]})
    assert found.dnde == pytest.approx(1e-4, rel=1e-4)
    assert found.index == pytest.approx(-2.3, abs=1e-4)
    assert found.chi2 == pytest.approx(0, abs=1e-3)
    assert found.dof == 6
    # of a straight line through eight points of 5 %, in the logarithm
    x = np.log(np.sqrt(EDGES[1:] * EDGES[:-1]))
    assert found.index_err == pytest.approx(0.05 / np.sqrt(np.sum((x - x.mean()) ** 2)), rel=0.03)
    assert found.ts == pytest.approx(8 * 400, rel=1e-3)


def test_curvature_comes_back_and_has_its_ts():
    spectrum = {"model": "log_parabola", "free": ["index", "curvature"]}
    found = _fit(-2.0, 0.2, spectrum)
    assert (found.index, found.curvature) == pytest.approx((-2.0, 0.2), abs=1e-3)
    straight = _fit(-2.0, 0.2, {"model": "power_law", "free": ["index"]})
    assert found.ts_curvature == pytest.approx(straight.chi2 - found.chi2, abs=0.01)
    assert found.ts_curvature > 25


def test_chi2_is_that_of_the_bands():
    noise = np.array([1.0, -1.0, 1.0, -1.0, -1.0, 1.0, -1.0, 1.0])
    found = _fit(-2.0, 0.0, {"model": "power_law", "index": -2.0}, noise)
    assert found.chi2 == pytest.approx(8, rel=0.2)
    assert found.p_value == pytest.approx(0.33, abs=0.15)
