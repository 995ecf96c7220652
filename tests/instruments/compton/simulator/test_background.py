import numpy as np
import pytest

from skyquilt.instruments.compton.simulator.background import (
    ALBEDO,
    background_photons,
    fold,
    galactic_weights,
    intensity,
    local_weights,
    photon_shape,
)
from skyquilt.instruments.compton.simulator.exposure import take
from skyquilt.sky.healpix import ring_to_vec


def test_intensity_is_half_way_at_the_limb():
    limb = np.sqrt(1 - (6378 / 6928) ** 2)
    assert intensity(np.array(limb)) == pytest.approx((1 + ALBEDO) / 2, rel=1e-12)


def test_photon_shape_equals_a_numerical_integral():
    energy = np.linspace(100, 1000, 900_001)
    density = (energy[1:] + energy[:-1]) ** -1.7
    below = density[: (200 - 100) * 1000].sum() / density.sum()
    assert photon_shape(np.array([100.0, 200.0, 1000.0]))[0] == pytest.approx(below, rel=1e-6)


def test_background_photons_give_the_rate(instrument, orientation):
    photons = background_photons(instrument, orientation, 4, rate=25.0)
    weights = local_weights(orientation, orientation.livetime, 4)
    counts = instrument.expect(fold(weights[None], 4, instrument.images)[0], photons)
    # float32 images
    assert counts.sum() == pytest.approx(25 * orientation.livetime.sum(), rel=1e-5)


def test_local_and_galactic_weights_have_the_same_sum(orientation):
    one, other = (
        w(orientation, orientation.livetime, 8) for w in (local_weights, galactic_weights)
    )
    # both sums over pixels stand for the integral over the sphere, with a limb 2 deg wide
    assert one.sum() == pytest.approx(other.sum(), rel=2e-3)


def test_local_weights_are_brighter_towards_the_earth(orientation):
    one = take(orientation, np.array([0]))  # points to the zenith, so the Earth is at -z
    weights = local_weights(one, np.ones(1), 8)
    z = ring_to_vec(8, np.arange(768))[:, 2]
    lowest = weights[z < -0.9]
    assert np.all(lowest > 0.9 * ALBEDO * 0.01)
    assert np.argmax(weights) in np.flatnonzero(z > 0.9)


def test_fold_is_linear_in_the_weights(instrument):
    weights = np.zeros((2, 48))
    weights[0, 3], weights[1, 3], weights[1, 9] = 1, 2, 5
    folded = fold(weights, 2, instrument.images)
    first, second = (instrument.images.draw_pixel(2, ipix) for ipix in (3, 9))
    np.testing.assert_allclose(folded[0], first)
    np.testing.assert_allclose(folded[1], 2 * first + 5 * second, rtol=1e-6)  # float32


def test_background_is_positive_in_every_bin(instrument, orientation):
    weights = galactic_weights(orientation, orientation.livetime, 2)
    assert fold(weights[None], 2, instrument.images).min() > 0
