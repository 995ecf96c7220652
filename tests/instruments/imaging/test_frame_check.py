import numpy as np
import pytest

from skyquilt.errors import InputError
from skyquilt.instruments.imaging.frame_check import check_frame, warn_of_exposure
from skyquilt.instruments.imaging.healpix_cube import HealpixCube
from skyquilt.sky.frames import rotate, rotation
from skyquilt.sky.healpix import nest_to_vec, ring_to_vec

EDGES = np.geomspace(1e7, 1e9, 5)
SKY = ring_to_vec(8, np.arange(768))


def cube(values, frame="galactic"):
    return HealpixCube("b.fits", frame, 8, np.arange(768), values, EDGES)


@pytest.fixture
def plane():
    """Events along the galactic plane, and a background that is bright there."""
    values = np.outer(1 + 20 * np.exp(-((SKY[:, 2] / 0.1) ** 2)), np.ones(4))
    lon = np.random.default_rng(1).uniform(0, 2 * np.pi, 500)
    return values, np.stack([np.cos(lon), np.sin(lon), np.zeros(500)], axis=1)


def test_background_in_the_wrong_frame_is_found_by_the_events(plane):
    values, events = plane

    check_frame(cube(values), events, "galactic", "e.fits")
    with pytest.raises(InputError, match=r"taken as icrs, but the events of e\.fits fit .* galac"):
        check_frame(cube(values, "icrs"), events, "galactic", "e.fits")


def test_wrong_frame_is_accepted_by_name(plane, caplog):
    values, events = plane

    check_frame(cube(values, "icrs"), events, "galactic", "e.fits", ["frame"])

    assert "one of the two frames is wrong. (accepted: frame)" in caplog.text


def bursts(n_bursts, n_photons, plane):
    """Bursts where the plane would be with frames mixed up, over background of the plane."""
    values, events = plane
    rng = np.random.default_rng(2)
    lon = np.linspace(0.0, 5.0, n_bursts)
    middle = np.stack([np.cos(lon), np.sin(lon), np.zeros(n_bursts)], axis=1)
    middle = rotate(rotation("icrs", "galactic"), middle)
    around = np.repeat(middle, n_photons, axis=0) + rng.normal(0, 0.01, (n_bursts * n_photons, 3))
    around /= np.linalg.norm(around, axis=1)[:, np.newaxis]
    return cube(values), np.concatenate([events[:42], around])


@pytest.mark.parametrize(("n_bursts", "n_photons"), [(1, 10), (1, 300), (3, 5000), (8, 90)])
def test_bright_sources_do_not_make_a_frame_wrong(plane, caplog, n_bursts, n_photons):
    background, events = bursts(n_bursts, n_photons, plane)

    check_frame(background, events, "galactic", "e.fits")

    assert ("a bright source may do that" in caplog.text) == (n_photons > 10)


def test_sources_do_not_hide_a_wrong_frame(plane):
    values, events = plane
    source = np.tile(rotate(rotation("icrs", "galactic"), np.array([[0.0, 0, 1]])), (5000, 1))

    with pytest.raises(InputError, match="one of the two frames is wrong"):
        check_frame(cube(values, "icrs"), np.concatenate([events, source]), "galactic", "e.fits")


def test_no_events_have_no_wrong_frame(plane):
    check_frame(cube(plane[0]), np.zeros((0, 3)), "galactic", "e.fits")


def test_isotropic_background_fits_in_any_frame():
    events = nest_to_vec(4, np.arange(192))

    check_frame(cube(np.ones((768, 4)), "icrs"), events, "galactic", "e.fits")


@pytest.fixture
def faint_sky():
    """Exposure that rises to the north, and what it makes of a sky with a bright plane."""
    exposure = np.outer(1 + 0.5 * SKY[:, 2], np.ones(4))
    flux = 1 + 20 * np.exp(-((SKY[:, 0] / 0.1) ** 2))
    return exposure, exposure * flux[:, np.newaxis]


@pytest.mark.parametrize("frame", ["galactic", "icrs"])
def test_exposure_in_the_wrong_frame_is_warned_of(faint_sky, frame, caplog):
    exposure, background = faint_sky

    warn_of_exposure(cube(background), cube(exposure, frame))

    is_warned = "taken as icrs, but b.fits follows it far better as galactic" in caplog.text
    assert is_warned == (frame == "icrs")


def test_exposure_that_is_the_same_everywhere_fits_in_any_frame(faint_sky, caplog):
    warn_of_exposure(cube(faint_sky[1]), cube(np.ones((768, 4)), "icrs"))

    assert not caplog.text


def test_exposure_of_a_part_of_the_sky_is_not_judged(faint_sky, caplog):
    exposure, background = faint_sky
    part = HealpixCube("e.fits", "icrs", 8, np.arange(700), exposure[:700], EDGES)

    warn_of_exposure(cube(background), part)

    assert not caplog.text
