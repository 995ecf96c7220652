import numpy as np
import pytest

from skyquilt.errors import InputError
from skyquilt.instruments.imaging.background import Background
from skyquilt.instruments.imaging.events import ImagingEvents
from skyquilt.instruments.imaging.healpix_cube import HealpixCube
from skyquilt.sky.frames import rotate, rotation
from skyquilt.sky.healpix import nest_to_vec, ring_to_vec

EDGES = np.geomspace(1e7, 1e9, 5)


def cube(values, frame="galactic"):
    return HealpixCube("b.fits", frame, 8, np.arange(768), values, EDGES)


@pytest.fixture
def values():
    power = EDGES**-1.5
    fraction = -np.diff(power) / (power[0] - power[-1])
    shape = 1 + 0.5 * ring_to_vec(8, np.arange(768))[:, 2]
    return 100.0 * np.outer(shape, fraction)


def events_at(direction, energy, frame="galactic"):
    return ImagingEvents("e.fits", frame, direction, np.broadcast_to(energy, len(direction)))


def test_density_integrates_to_the_counts_of_a_band(values):
    background = Background(cube(values), scale=2.0)
    grid = nest_to_vec(32, np.arange(12 * 32**2))
    energy = np.geomspace(EDGES[1], EDGES[2], 301)

    mean = [background.density(events_at(grid, one)).mean() * 4 * np.pi for one in energy]

    found = np.trapezoid(np.array(mean) * energy, np.log(energy))
    # trapezoids in 300 steps; bilinear means of a smooth sky
    assert found == pytest.approx(2 * values[:, 1].sum(), rel=1e-3)


def test_density_within_bands_follows_their_slope(values):
    background = Background(cube(values))
    places = nest_to_vec(8, np.array([5]))

    ratio = [
        background.density(events_at(places, e * 1.05)) / background.density(events_at(places, e))
        for e in EDGES[1:3] * 1.2
    ]

    # dN/dE ~ E^-2.5; the slope is that between the means of bands
    np.testing.assert_allclose(np.ravel(ratio), 1.05**-2.5, rtol=5e-3)


def test_frame_of_events_is_turned_into_that_of_the_background(values):
    background = Background(cube(values))
    places = nest_to_vec(4, np.arange(192))
    turned = rotate(rotation("galactic", "icrs"), places)

    # rounding of the rotation
    np.testing.assert_allclose(
        background.density(events_at(turned, 2e7, "icrs")),
        background.density(events_at(places, 2e7)),
        rtol=1e-9,
    )


def test_total_between_energies_is_a_part_of_the_bands(values):
    background = Background(cube(values), scale=3.0)

    assert background.total((EDGES[0], EDGES[-1])) == pytest.approx(3 * values.sum(), rel=1e-12)
    assert background.total((EDGES[1], EDGES[3])) == pytest.approx(
        3 * values[:, 1:3].sum(), rel=1e-12
    )
    middle = np.sqrt(EDGES[1] * EDGES[2])
    halves = background.total((EDGES[1], middle)), background.total((middle, EDGES[2]))
    assert sum(halves) == pytest.approx(3 * values[:, 1].sum(), rel=1e-9)
    # E^-2.5 falls by 1.78^-1.5 from one half to the other
    assert halves[1] / halves[0] == pytest.approx((EDGES[1] / EDGES[0]) ** -0.75, rel=0.02)


def test_no_background_where_events_are_is_refused(values):
    values[100:300, 0] = 0
    background = Background(cube(values))
    inside, outside = ring_to_vec(8, np.array([200])), ring_to_vec(8, np.array([700]))

    assert background.density(events_at(outside, 2e7)) > 0
    with pytest.raises(InputError, match=r"b\.fits: 1 of 2 events lie where .* background is 0"):
        background.density(events_at(np.concatenate([inside, outside]), 2e7))
