import numpy as np
import pytest

from skyquilt.config.refine import RefineOptions
from skyquilt.localisation.refine.cells import make_goal
from skyquilt.localisation.refine.start import start_cells
from skyquilt.maps.multiorder import MultiOrderMap
from skyquilt.maps.skymap import SkyMap
from skyquilt.sky.frames import lonlat_to_vec, rotate, rotation, separation
from skyquilt.sky.healpix import nest_to_vec

PLACE = lonlat_to_vec(10.0, -35.0)  # in the frame of the map
SPHERE = 4 * np.pi * (180 / np.pi) ** 2


def start(nside, frame, radius=None, max_order=11):
    """Cells for a map with a source of 2 deg at PLACE, and the map."""
    ipix = np.arange(12 * nside**2)
    away = separation(nest_to_vec(nside, ipix), PLACE)
    if radius is not None:
        ipix, away = ipix[away < radius], away[away < radius]
    skymap = SkyMap(nside, frame, ipix, {"ts": 500 * np.exp(-0.5 * (away / 2) ** 2)})
    goal = make_goal(RefineOptions(max_order=max_order), (0.9,), nside.bit_length() - 1)
    return MultiOrderMap("icrs", start_cells(skymap, goal), {}), skymap


@pytest.mark.parametrize("frame", ["galactic", "icrs"])
@pytest.mark.parametrize("nside", [1, 4, 8, 16, 64])
def test_cells_of_a_whole_sky_cover_it(nside, frame):
    cells, _ = start(nside, frame)

    assert cells.pixel_area.sum() == pytest.approx(SPHERE, rel=1e-12)  # rounding


@pytest.mark.parametrize("frame", ["galactic", "icrs"])
def test_cells_are_as_fine_as_the_map_at_its_source_and_coarse_elsewhere(frame):
    cells, _ = start(64, frame)
    away = separation(rotate(rotation("icrs", frame), cells.centres), PLACE)

    assert np.all(cells.order[away < 2] == 6)
    assert np.all(cells.order[away > 30] == 3)
    assert cells.uniq.size < 768 + 400


@pytest.mark.parametrize("frame", ["galactic", "icrs"])
@pytest.mark.parametrize(("nside", "radius"), [(16, 12), (64, 12), (64, 1)])
def test_cells_of_a_part_hold_its_pixels_and_little_else(nside, radius, frame):
    cells, skymap = start(nside, frame, radius)
    pixels = rotate(rotation(frame, "icrs"), nest_to_vec(nside, skymap.ipix))
    side = np.sqrt(skymap.pixel_area)

    assert np.all(cells.find(pixels) >= 0)
    away = separation(rotate(rotation("icrs", frame), cells.centres), PLACE)
    assert away.max() < radius + 1.5 * side  # the diagonal of a pixel
    edge = 2 * np.pi * radius * side
    assert abs(cells.pixel_area.sum() - skymap.ipix.size * skymap.pixel_area) < edge


def test_cells_of_one_pixel_of_another_frame_hold_its_centre():
    skymap = SkyMap(32, "galactic", np.array([777]), {"ts": np.ones(1)})
    goal = make_goal(RefineOptions(), (0.9,), 5)

    cells = MultiOrderMap("icrs", start_cells(skymap, goal), {})

    centre = rotate(rotation("galactic", "icrs"), nest_to_vec(32, skymap.ipix))
    assert cells.find(centre)[0] >= 0
    assert cells.uniq.size < 5


def test_pixels_of_a_map_in_icrs_are_its_cells():
    skymap = SkyMap(8, "icrs", np.array([3, 99, 100]), {"ts": np.ones(3)})
    goal = make_goal(RefineOptions(), (0.9,), 3)

    np.testing.assert_array_equal(start_cells(skymap, goal), 4 * 8**2 + skymap.ipix)


@pytest.mark.parametrize("ts", [0.0, np.nan])
def test_map_without_a_source_begins_coarse(ts):
    skymap = SkyMap(32, "galactic", np.arange(12 * 32**2), {"ts": np.full(12 * 32**2, ts)})
    goal = make_goal(RefineOptions(), (0.9,), 5)

    np.testing.assert_array_equal(start_cells(skymap, goal), 4 * 8**2 + np.arange(768))


def test_cells_are_no_finer_than_allowed():
    cells, _ = start(64, "galactic", max_order=4)

    assert cells.max_order == 4
    assert cells.pixel_area.sum() == pytest.approx(SPHERE, rel=1e-12)  # rounding


@pytest.mark.parametrize("frame", ["galactic", "icrs"])
@pytest.mark.parametrize("radius", [1.0, 3.0])
def test_part_of_the_sky_that_has_a_ts_is_met_where_no_ts_is_above_0(frame, radius):
    ipix = np.arange(12 * 64**2)
    pixels = rotate(rotation(frame, "icrs"), nest_to_vec(64, ipix))
    is_seen = separation(pixels, PLACE) < radius
    skymap = SkyMap(64, frame, ipix, {"ts": np.where(is_seen, 0.0, np.nan)})
    goal = make_goal(RefineOptions(max_order=11), (0.9,), 6)

    cells = MultiOrderMap("icrs", start_cells(skymap, goal), {})

    assert np.all(cells.order[cells.find(pixels[is_seen])] == 6)
    assert cells.pixel_area.sum() == pytest.approx(SPHERE, rel=1e-12)
    assert cells.uniq.size < 768 + 400
