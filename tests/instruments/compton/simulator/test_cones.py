import numpy as np
import pytest

from skyquilt.instruments.compton.simulator.cones import ConeImages, make_cones, solid_angles
from skyquilt.instruments.compton.simulator.telescope import arm_fwhm, klein_nishina
from skyquilt.sky.frames import lonlat_to_vec, separation
from skyquilt.sky.healpix import ring_to_vec

EDGES = np.array([200.0, 300.0, 3000.0])


@pytest.fixture(scope="module")
def images():
    return ConeImages(make_cones(EDGES, n_phi=12), nside=8)


def test_draw_at_any_direction_sums_to_one_per_energy(images):
    image = images.draw(lonlat_to_vec(123.4, -56.7))
    # float32 rounding of each probability
    np.testing.assert_allclose(image.sum(axis=(1, 2), dtype=float), 1, rtol=1e-6)


def test_draw_before_normalisation_sums_to_nearly_one(images):
    cones = images.cones
    total = (cones.density * solid_angles(cones.angles)).sum(axis=(1, 2))
    np.testing.assert_allclose(total, 1, rtol=1e-12)


def test_draw_compton_angles_follow_klein_nishina(images):
    phi = np.radians(np.arange(0.05, 180, 0.1))
    prob = klein_nishina(np.full((400, 1), np.geomspace(200, 300, 400)[:, None]), phi) * np.sin(phi)
    prob = (prob / prob.sum(axis=1, keepdims=True)).mean(axis=0).reshape(12, -1).sum(axis=1)
    measured = images.draw(lonlat_to_vec(10.0, 20.0))[0].sum(axis=1)
    # each bin is a sum over eight parts; parts of the pixels at 1.8 deg
    np.testing.assert_allclose(measured, prob, rtol=0.03)


def test_draw_puts_the_ring_at_the_compton_angle(images):
    source = lonlat_to_vec(40.0, 10.0)
    angle = separation(ring_to_vec(8, np.arange(768)), source)
    ring = images.draw(source)[1, 4]  # Phi 60 to 75 deg
    mean = np.sum(angle * ring) / ring.sum()
    # Lorentzian wings reach further out than in; pixels have 7 deg
    assert mean == pytest.approx(67.5, abs=2)


def test_draw_of_source_at_pixel_and_zero_angle_peaks_there(images):
    source = ring_to_vec(8, np.array([300]))[0]
    assert (
        np.argmax(images.draw(source)[1, 0])
        in np.argsort(separation(ring_to_vec(8, np.arange(768)), source))[:9]
    )


def test_draw_is_even_around_the_cone_but_for_pixels(images):
    source = lonlat_to_vec(0.0, 90.0)
    ring = images.draw(source)[0, 5].reshape(-1)
    quarters = [ring[np.arange(768)[_lon(k)]].sum() for k in range(4)]
    # the grid has this symmetry: float32 rounding only
    np.testing.assert_allclose(quarters, quarters[0], rtol=1e-5)


def test_density_has_the_width_of_the_resolution():
    edges = np.array([500.0, 501.0])
    cones = make_cones(edges, n_phi=90)
    profile = cones.density[0, 360]  # Phi of 90 deg, where the solid angle is even
    half = np.degrees(cones.angles)[profile > profile.max() / 2]
    # nodes are 0.5 deg apart
    assert np.ptp(half) == pytest.approx(arm_fwhm(500.5), abs=0.8)


def test_draw_pixel_twice_gives_the_kept_image(images):
    first = images.draw_pixel(2, 5)
    assert images.draw_pixel(2, 5) is first
    np.testing.assert_array_equal(first, images.draw(ring_to_vec(2, np.array([5]))[0]))


def test_draw_pixel_of_large_sky_keeps_nothing(images):
    first = images.draw_pixel(512, 0)
    assert images.draw_pixel(512, 0) is not first


def _lon(quarter):
    x, y, _ = ring_to_vec(8, np.arange(768)).T
    return np.floor((np.degrees(np.arctan2(y, x)) % 360) / 90).astype(int) == quarter
