"""Photons one by one over a background of a part of the sky: instruments with a field of view."""

import healpy
import numpy as np
import pytest

from skyquilt.errors import InputError
from skyquilt.fit.pixels import fit_pixels
from skyquilt.instruments.imaging.prepare import make_problem
from skyquilt.simulate.events import draw_background
from skyquilt.sky.frames import lonlat_to_vec
from skyquilt.status import GOOD, NO_EXPOSURE

NSIDE = 16
SOURCE = (120.0, 35.0)
CENTER = lonlat_to_vec(*SOURCE)
RADIUS = 30.0  # deg
FIELD = np.sort(healpy.query_disc(NSIDE, CENTER, np.radians(RADIUS)))


def write_field(sky, how="part", pixels=FIELD):
    """Files of which the background is known in a part of the sky."""
    sky.write("events")
    expected = sky.expected()
    if how == "part":
        sky.write_cube("background.fits", expected[pixels], ipix=pixels)
        return sky
    values = np.full_like(expected, {"nan": np.nan, "unseen": healpy.UNSEEN}[how])
    values[pixels] = expected[pixels]
    sky.write_cube("background.fits", values)
    return sky


@pytest.fixture
def bright(make_sky):
    return make_sky(source_counts=300.0)


@pytest.mark.parametrize("how", ["part", "nan", "unseen"])
def test_source_inside_is_that_of_the_whole_sky(bright, how):
    whole = make_problem(bright.write("events").analysis())
    field = make_problem(write_field(bright, how).analysis())

    near = lonlat_to_vec(np.array([120.0, 123.0]), np.array([35.0, 30.0]))
    for name in ("ts", "flux", "flux_err"):
        found, wanted = (getattr(fit_pixels(one, near), name) for one in (field, whole))
        np.testing.assert_allclose(found, wanted, rtol=1e-9)


def test_only_events_and_background_of_the_field_count(bright, caplog):
    problem = make_problem(write_field(bright).analysis())

    direction, _ = bright.photons()
    inside = np.isin(healpy.vec2pix(NSIDE, *direction.T), FIELD)
    assert problem.counts.size == np.count_nonzero(inside)
    assert problem.background_total == pytest.approx(bright.expected()[FIELD].sum())
    assert f"{np.count_nonzero(~inside)} of {inside.size} events lie where" in caplog.text


def test_directions_whose_photons_are_not_all_inside_have_no_exposure(bright):
    problem = make_problem(write_field(bright).analysis())

    # up to 5 deg, where the table of the point spread function ends, and pixels of 4 deg
    lat = SOURCE[1] - np.array([0, 15, 29, 31, 60])
    status = fit_pixels(problem, lonlat_to_vec(np.full(5, SOURCE[0]), lat)).status
    assert (status == NO_EXPOSURE).tolist() == [False, False, True, True, True]


def test_hole_in_the_field_is_a_border(bright):
    hole = healpy.query_disc(NSIDE, lonlat_to_vec(120.0, 20.0), np.radians(4))
    problem = make_problem(write_field(bright, pixels=np.setdiff1d(FIELD, hole)).analysis())

    directions = lonlat_to_vec(np.array([120.0, 120.0]), np.array([35.0, 22.0]))
    assert fit_pixels(problem, directions).status.tolist() == [GOOD, NO_EXPOSURE]


def test_no_event_in_the_field_is_one_error(sky):
    far = np.sort(healpy.query_disc(NSIDE, lonlat_to_vec(300.0, -50.0), np.radians(15)))
    write_field(sky, pixels=far)
    lon, lat = np.full(20, 120.0), np.full(20, 35.0)
    sky.write_events(time=np.linspace(0, 100, 20), L=(lon, "deg"), B=(lat, "deg"))
    with pytest.raises(InputError, match=r"events\.fits: .*background\.fits.*field of view"):
        make_problem(sky.analysis())


def test_field_smaller_than_the_point_spread_function_is_one_error(bright):
    small = np.sort(healpy.query_disc(NSIDE, CENTER, np.radians(4)))
    with pytest.raises(InputError, match=r"field of view of .*background\.fits, which holds all"):
        make_problem(write_field(bright, pixels=small).analysis())


def test_simulated_skies_stay_in_the_field(bright):
    problem = make_problem(write_field(bright).analysis(), all_bins=True)
    density, rng = problem.expectation.density, np.random.default_rng(1)
    drawn = [draw_background(density, rng) for _ in range(20)]

    n = [photons.energy.size for photons in drawn]
    # 20 skies of 270 photons; bilinear densities at the border hold what the pixels do to a percent
    assert np.mean(n) == pytest.approx(problem.background_total, rel=0.06)
    for photons in drawn:
        assert np.isin(healpy.vec2pix(NSIDE, *photons.direction.T), FIELD).all()
        assert np.all(density.background_at(*photons) > 0)
