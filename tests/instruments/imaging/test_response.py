from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from skyquilt.config.spectrum import BrokenPowerLaw, PowerLaw
from skyquilt.errors import InputError
from skyquilt.instruments.imaging.healpix_cube import HealpixCube
from skyquilt.instruments.imaging.point_spread_file import PointSpreadFunction
from skyquilt.instruments.imaging.response import (
    ImagingResponse,
    exposure_weights,
    mean_profiles,
    position_of,
    spread_photons,
)
from skyquilt.spectra import evaluate, integrate

NODES = np.geomspace(1e7, 1e9, 6)
EDGES = np.array([1e7, 3e7, 2e8, 1e9])
THETA = np.linspace(0, 0.2, 50)


@pytest.fixture
def response():
    rng = np.random.default_rng(1)
    exposure = HealpixCube("x", "icrs", 1, np.arange(12), rng.uniform(1, 2, (12, 6)), NODES)
    psf = PointSpreadFunction("y", NODES[::5], THETA, rng.uniform(1, 2, (2, 50)))
    return ImagingResponse(exposure, psf)


def spectrum(index=-2.3):
    return PowerLaw(model="power_law", norm="1 cm-2 s-1 keV-1", pivot="10 GeV", index=index)


def slow_integral(function, low, high, n=40001):
    """Trapezoidal rule in the logarithm of energy."""
    energy = np.geomspace(low, high, n)
    return np.trapezoid(function(energy) * energy, np.log(energy))


def test_expected_counts_equal_a_slow_integral(response):
    photons = spread_photons(spectrum(), EDGES, response)

    weights = exposure_weights(photons, response, 3)

    values = response.exposure.values[4]
    for band, (low, high) in enumerate(pairwise(EDGES)):

        def counts(energy):
            exposure = np.interp(np.log(energy), np.log(NODES), values)
            return evaluate(spectrum(), energy) * exposure

        # the slow rule has steps of 1e-4 across the kinks of the exposure
        expected = slow_integral(counts, low, high)
        assert weights[band] @ values == pytest.approx(expected, rel=1e-7)


def test_photons_of_each_band_are_those_of_the_spectrum(response):
    broken = BrokenPowerLaw(
        model="broken_power_law",
        norm="1 cm-2 s-1 keV-1",
        break_energy="70 GeV",
        index_low=-1.5,
        index_high=-4.0,
    )

    photons = spread_photons(broken, EDGES, response)

    found = np.bincount(photons.band, photons.flux)
    np.testing.assert_allclose(found, integrate(broken, EDGES), rtol=1e-9)


def test_profile_of_a_band_is_the_mean_over_its_photons(response):
    photons = spread_photons(spectrum(), EDGES, response)

    profiles = mean_profiles(photons, response, 3)

    mean = response.exposure.values.mean(axis=0)
    low, high = EDGES[1:3]

    def seen(energy):
        return evaluate(spectrum(), energy) * np.interp(np.log(energy), np.log(NODES), mean)

    def second(energy):
        return seen(energy) * np.log(energy / NODES[0]) / np.log(NODES[-1] / NODES[0])

    fraction = slow_integral(second, low, high) / slow_integral(seen, low, high)
    expected = (1 - fraction) * response.psf.profile[0] + fraction * response.psf.profile[1]
    np.testing.assert_allclose(profiles[1], expected, rtol=1e-7)


def test_band_without_exposure_is_refused(response):
    exposure = response.exposure
    values = np.where(exposure.energies < EDGES[2], 0.0, exposure.values)
    blind = response._replace(exposure=replace(exposure, values=values))
    photons = spread_photons(spectrum(), EDGES, blind)

    with pytest.raises(InputError, match="the exposure is 0 in 1 of the 3 chosen bands"):
        mean_profiles(photons, blind, 3)


def test_exposure_on_the_sky_is_that_of_the_file(response):
    np.testing.assert_array_equal(response.grid().values, response.exposure.values)
    weight = np.array([[0, 0, 2.0, 0, 1.0, 0]])
    expected = response.exposure.values[:, [2]] * 2 + response.exposure.values[:, [4]]
    np.testing.assert_allclose(response.grid(weight).values, expected, rtol=1e-12)


@pytest.mark.parametrize("energy", [0.9e7, 1.1e9])
def test_energy_outside_the_response_is_refused(energy):
    with pytest.raises(InputError, match=r"p\.fits: covers 1e\+07 to 1e\+09 keV, but"):
        position_of("p.fits", NODES, np.array([1e8, energy]))


def test_energy_at_the_end_may_be_off_by_single_precision():
    energy = np.array([1e7 * (1 - 1e-6), 1e9 * (1 + 1e-6)])

    assert position_of("p.fits", NODES, energy).tolist() == [0, 5]
