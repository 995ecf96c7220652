"""Shape of regions; the map is flat, or of many orders and compared with its finest pixels."""

import healpy
import numpy as np
import pytest

from skyquilt.maps.containment import find_region
from skyquilt.maps.multiorder import MultiOrderMap
from skyquilt.maps.region import RESOLVED_PIXELS, make_region
from skyquilt.maps.skymap import SkyMap
from skyquilt.sky.uniq import to_uniq, uniq_to_ranges

NSIDE = 8
ALL = np.arange(12 * NSIDE**2)


def make(high, ipix=ALL, ts=20.0):
    """Map of TS `ts` in the pixels `high`, 0 elsewhere."""
    values = np.where(np.isin(ipix, high), ts, 0.0)
    return MultiOrderMap.from_skymap(SkyMap(NSIDE, "galactic", ipix, {"ts": values}))


def around(ipix):
    return np.append(healpy.get_all_neighbours(NSIDE, ipix, nest=True), ipix)


def test_area_is_that_of_the_pixels():
    region = find_region(make([5, 9, 100]), 0.9)
    # only rounding
    assert region.area == pytest.approx(3 * healpy.nside2pixarea(NSIDE, degrees=True), rel=1e-12)


@pytest.mark.parametrize(("ipix", "n_parts"), [([7], 1), ([7, 500], 2), ([7, 300, 500], 3)])
def test_parts_of_separate_patches_are_counted(ipix, n_parts):
    high = np.concatenate([around(at) for at in ipix])
    assert len(find_region(make(high), 0.9).parts) == n_parts


@pytest.mark.parametrize("ipix", [0, 63, 256, 400])  # in and between base pixels
def test_parts_that_touch_at_a_corner_are_one(ipix):
    north = healpy.get_all_neighbours(NSIDE, ipix, nest=True)[3]
    if north < 0:
        north = healpy.get_all_neighbours(NSIDE, ipix, nest=True)[7]
    assert len(find_region(make([ipix, north]), 0.9).parts) == 1


def test_parts_of_the_whole_sky_are_one():
    assert len(find_region(make(ALL, ts=0.0), 0.9).parts) == 1


@pytest.mark.parametrize("n_pixels", [1, RESOLVED_PIXELS - 1, RESOLVED_PIXELS, 40])
def test_region_is_resolved_from_ten_pixels_on(n_pixels):
    assert find_region(make(np.arange(n_pixels)), 0.9).is_resolved == (n_pixels >= 10)


def test_area_of_ten_pixels_from_gaussian_peak_is_good_to_a_tenth():
    # the reason for RESOLVED_PIXELS: square grid, TS falling as r^2, peak anywhere in a pixel
    rng = np.random.default_rng(1)
    grid = np.stack(np.meshgrid(np.arange(-5, 6), np.arange(-5, 6)), axis=-1).reshape(-1, 2)
    offsets = rng.uniform(-0.5, 0.5, (4000, 1, 2))
    square = np.sum((grid - offsets) ** 2, axis=-1)
    inside = square - square.min(axis=1, keepdims=True) <= RESOLVED_PIXELS / np.pi
    ratio = inside.sum(axis=1) / RESOLVED_PIXELS
    # 4000 trials: standard error of mean and scatter 0.002
    assert ratio.mean() == pytest.approx(1.052, abs=0.01)
    assert ratio.std() == pytest.approx(0.11, abs=0.01)


def test_region_inside_a_partial_map_is_not_cut():
    patch = np.unique(np.concatenate([around(at) for at in around(300)]))
    assert not find_region(make([300], ipix=patch), 0.9).is_cut


def test_region_at_the_edge_of_a_partial_map_is_cut():
    assert find_region(make([300], ipix=np.sort(around(300))[1:]), 0.9).is_cut


def test_region_beside_a_failed_pixel_is_cut_and_leaves_it_out():
    skymap = make(around(300))
    failed = around(300)[0]
    skymap.columns["ts"][failed] = np.nan
    region = find_region(skymap, 0.9)
    assert region.is_cut
    assert failed not in region.cells


# --- many orders ---


def split_randomly(rng, max_order=4):
    """Cells that cover the sky, split here and there down to `max_order`."""
    uniq = np.arange(4, 16)
    for _ in range(max_order):
        is_split = rng.random(uniq.size) < 0.5
        children = (4 * uniq[is_split, None] + np.arange(4)).ravel()
        uniq = np.concatenate([uniq[~is_split], children])
        uniq = uniq[np.argsort(uniq_to_ranges(uniq, max_order)[:, 0])]
    return uniq


def flatten(cells):
    """The same map in pixels of the finest order, and the place of each one's cell."""
    first, stop = cells.ranges.T
    place = np.repeat(np.arange(cells.uniq.size), stop - first)
    nside = 1 << cells.max_order
    flat = SkyMap(nside, cells.frame, np.arange(place.size), {"ts": cells.ts[place]})
    return MultiOrderMap.from_skymap(flat), place


@pytest.fixture(params=range(8))
def rough(request):
    """Map of random cells and values; some have none."""
    rng = np.random.default_rng(request.param)
    uniq = split_randomly(rng)
    ts = rng.uniform(0, 10, uniq.size)
    ts[rng.random(uniq.size) < 0.01 * request.param] = np.nan
    return MultiOrderMap("icrs", uniq, {"ts": ts})


def test_parts_of_many_orders_are_those_of_the_finest_pixels(rough):
    flat, place = flatten(rough)
    parts = find_region(rough, 0.9).parts
    wanted = {frozenset(place[part.cells].tolist()) for part in find_region(flat, 0.9).parts}
    assert {frozenset(part.cells.tolist()) for part in parts} == wanted
    assert len(parts) == len(wanted) > 1


def test_areas_of_parts_add_up_to_that_of_the_region(rough):
    flat, _ = flatten(rough)
    region = find_region(rough, 0.9)
    # only rounding
    assert region.area == pytest.approx(find_region(flat, 0.9).area, rel=1e-12)
    assert sum(part.area for part in region.parts) == pytest.approx(region.area, rel=1e-12)


def test_maxima_of_many_orders_have_no_higher_pixel_beside_them(rough):
    flat, place = flatten(rough)
    beside = healpy.get_all_neighbours(1 << rough.max_order, np.arange(place.size), nest=True)
    highest = np.full(rough.uniq.size, -np.inf)
    np.fmax.at(highest, np.tile(place, 8), np.where(beside >= 0, flat.ts[beside], -np.inf).ravel())
    region = find_region(rough, 0.9)
    found = np.concatenate([part.maxima for part in region.parts])
    wanted = region.cells[rough.ts[region.cells] >= highest[region.cells]]
    assert sorted(found) == wanted.tolist()


def test_parts_and_maxima_come_highest_first(rough):
    parts = find_region(rough, 0.9).parts
    assert np.all(np.diff([rough.ts[part.maxima[0]] for part in parts]) < 0)
    assert all(np.all(np.diff(rough.ts[part.maxima]) < 0) for part in parts)
    assert parts[0].maxima[0] == np.nanargmax(rough.ts)


def test_equal_cells_that_touch_have_one_maximum():
    cells = make([0, 1, 2, 3])
    assert find_region(cells, 0.9).parts[0].maxima.tolist() == [0]


@pytest.mark.parametrize("n_fine", [9, 10])
def test_region_of_many_orders_is_resolved_by_its_largest_cell(n_fine):
    uniq = np.concatenate([to_uniq(3, np.arange(n_fine)), to_uniq(1, np.array([40]))])
    cells = MultiOrderMap("icrs", uniq, {"ts": np.ones(uniq.size)})
    region = make_region(cells, cells.order == 3, cells.ts, 0.9, 1.0)
    assert region.is_resolved == (n_fine >= RESOLVED_PIXELS)
    # with the one that is as large as sixteen
    assert not make_region(cells, cells.order > 0, cells.ts, 0.9, 1.0).is_resolved


def test_region_of_a_coarse_cell_beside_one_that_lacks_a_fine_part_is_cut():
    uniq = np.concatenate([to_uniq(0, np.arange(11)), to_uniq(1, np.arange(44, 47))])
    ts = np.where(uniq == 4 + 7, 20.0, 0.0)
    cells = MultiOrderMap("icrs", uniq, {"ts": ts})
    assert find_region(cells, 0.9).is_cut
    whole = MultiOrderMap("icrs", np.append(uniq, 16 + 47), {"ts": np.append(ts, 0.0)})
    assert not find_region(whole, 0.9).is_cut
