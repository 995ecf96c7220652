"""Refinement of surfaces in closed form, against the full map of the final order."""

import logging

import numpy as np
import pytest

from skyquilt.config.refine import RefineOptions
from skyquilt.localisation.refine.cells import cells_to_split, children, make_goal, touching_cells
from skyquilt.localisation.refine.start import start_cells
from skyquilt.localisation.refine.steps import refine_map
from skyquilt.maps.containment import containment_threshold
from skyquilt.maps.multiorder import MultiOrderMap
from skyquilt.maps.skymap import SkyMap
from skyquilt.sky.frames import lonlat_to_vec, rotate, rotation, separation
from skyquilt.sky.healpix import nest_to_vec, vec_to_nest
from skyquilt.sky.neighbours import neighbours

PLACE = lonlat_to_vec(83.6, 22.0)


def peak(height, sigma, place=PLACE):
    """TS of a source that falls as a Gaussian of so many degrees; 2 of noise everywhere."""
    return lambda vec: 2 + height * np.exp(-0.5 * (separation(vec, place) / sigma) ** 2)


def make_map(surface, nside, frame="galactic", is_in=None):
    """Map of a surface, which is given in ICRS; `is_in` says which directions it has."""
    ipix = np.arange(12 * nside**2)
    vec = rotate(rotation(frame, "icrs"), nest_to_vec(nside, ipix))
    kept = np.ones(len(vec), dtype=bool) if is_in is None else is_in(vec)
    return SkyMap(nside, frame, ipix[kept], {"ts": surface(vec[kept])})


class Refinement:
    """Refined map of a surface, and how many cells were evaluated."""

    def __init__(self, surface, skymap, levels=(0.9,), **options):
        self.n_evaluated = 0
        self.goal = make_goal(RefineOptions(**options), levels, skymap.nside.bit_length() - 1)

        def evaluate(uniq):
            self.n_evaluated += uniq.size
            return {"ts": surface(MultiOrderMap("icrs", uniq, {}).centres)}

        self.start = start_cells(skymap, self.goal)
        self.cells = refine_map(self.start, evaluate, self.goal)

    @property
    def best(self):
        return self.cells.centres[np.nanargmax(self.cells.ts)]

    def inside(self, level):
        return np.nanmax(self.cells.ts) - self.cells.ts <= containment_threshold(level)


def full_map(surface, refined, is_in=None):
    """Map of the finest order, in all of the base cells (order 3) in and around the region."""
    depth = refined.cells.max_order - 3
    inside = refined.cells.centres[refined.inside(0.999)]
    base = np.unique(vec_to_nest(8, inside))
    base = np.setdiff1d(np.union1d(base, neighbours(8, base)), -1)
    ipix = np.concatenate([np.arange(cell << 2 * depth, cell + 1 << 2 * depth) for cell in base])
    vec = nest_to_vec(8 << depth, ipix)
    kept = np.ones(len(vec), dtype=bool) if is_in is None else is_in(vec)
    return SkyMap(8 << depth, "icrs", ipix[kept], {"ts": surface(vec[kept])})


def assert_same_region(refined, surface, level, is_in=None):
    """Cells of the region are the pixels of the full map of the finest order."""
    inside = refined.inside(level)
    assert np.all(refined.cells.order[inside] == refined.cells.max_order)
    full = full_map(surface, refined, is_in)
    wanted = full.ipix[np.nanmax(full.ts) - full.ts <= containment_threshold(level)]
    np.testing.assert_array_equal(refined.cells.ipix[inside], wanted)


@pytest.mark.parametrize("frame", ["galactic", "icrs"])
@pytest.mark.parametrize(("height", "sigma"), [(20, 8.0), (100, 8.0), (3000, 6.0)])
def test_regions_are_those_of_the_full_map_at_a_few_percent_of_its_cost(height, sigma, frame):
    surface = peak(height, sigma)

    refined = Refinement(surface, make_map(surface, 8, frame), levels=(0.5, 0.9))

    assert refined.cells.max_order > 4
    for level in (0.5, 0.9):
        assert_same_region(refined, surface, level)
    assert refined.n_evaluated < 0.1 * 12 * 4**refined.cells.max_order


def test_cells_of_the_smallest_region_are_below_a_fifth_of_its_radius():
    surface = peak(100, 8.0)
    refined = Refinement(surface, make_map(surface, 8), levels=(0.5, 0.9))

    area = refined.cells.pixel_area[refined.inside(0.5)]

    radius = np.sqrt(area.sum() / np.pi)
    assert radius / 10 < np.sqrt(area.max()) <= radius / 5  # not finer than needed


def test_posterior_is_that_of_the_full_map():
    surface = peak(100, 8.0)
    refined = Refinement(surface, make_map(surface, 8))
    full = make_map(surface, 1 << refined.cells.max_order, "icrs")

    mass = np.sum(np.exp(refined.cells.ts / 2) * refined.cells.pixel_area)

    # cells below MIN_FRACTION stay coarse; together they hold about 1e-3
    assert mass == pytest.approx(np.sum(np.exp(full.ts / 2)) * full.pixel_area, rel=1e-3)


def test_candidates_have_neighbours_as_fine_as_themselves():
    surface = peak(3000, 6.0)
    cells = Refinement(surface, make_map(surface, 8)).cells

    inside = np.nanmax(cells.ts) - cells.ts <= containment_threshold(0.9)

    around = touching_cells(cells, np.flatnonzero(inside))
    assert np.all(cells.order[around] >= cells.max_order)


def test_ridge_between_the_pixels_is_found_to_its_ends():
    # ten times as long as wide, at 30 degrees to the meridian
    east, north = np.array([0.0, 1, 0]), np.array([0.0, 0, 1])
    along, across = (
        np.degrees(axis) for axis in (east * 0.5 + north * 0.866, north * 0.5 - east * 0.866)
    )

    def surface(vec):
        radius2 = (vec @ along / 10) ** 2 + (vec @ across) ** 2
        return np.where(vec[:, 0] > 0, 40 * np.exp(-0.5 * radius2 / 3**2), 0)

    refined = Refinement(surface, make_map(surface, 16))

    assert_same_region(refined, surface, 0.9)


def test_higher_of_two_peaks_is_found_where_the_map_shows_it_lower():
    nside = 8
    centre, beside = nest_to_vec(nside, np.array([100, 500]))
    # a corner of pixels: the southern one of a pixel is the middle of its subpixel 0, ... 0
    corner = nest_to_vec(4096, np.array([500 << 2 * 9]))[0]
    first, second = peak(1000, 7.0, centre), peak(1020, 7.0, corner)

    def surface(vec):
        return np.maximum(first(vec), second(vec))

    skymap = make_map(surface, nside, "icrs")
    refined = Refinement(surface, skymap)

    assert separation(beside, corner) > 4
    assert skymap.ipix[np.argmax(skymap.ts)] == 100
    assert skymap.sample("ts", np.array([500]))[0] < 1000 - 100
    assert separation(refined.best, corner) < 0.1
    assert_same_region(refined, surface, 0.9)


def test_two_peaks_of_one_height_are_both_resolved():
    other = lonlat_to_vec(250.0, -40.0)
    first, second = peak(100, 8.0), peak(101, 8.0, other)

    def surface(vec):
        return np.maximum(first(vec), second(vec))

    refined = Refinement(surface, make_map(surface, 8))

    inside = refined.cells.centres[refined.inside(0.9)]
    near = separation(inside, PLACE) < separation(inside, other)
    assert 0.3 < near.mean() < 0.7
    assert_same_region(refined, surface, 0.9)


def test_region_at_the_edge_of_what_could_be_fitted_is_that_of_the_full_map():
    whole = peak(100, 8.0)

    def surface(vec):  # nothing north of a parallel through the region
        return np.where(vec[:, 2] < PLACE[2] + 0.01, whole(vec), np.nan)

    refined = Refinement(surface, make_map(surface, 8))

    assert np.any(np.isnan(refined.cells.ts[refined.cells.order == refined.cells.max_order]))
    assert_same_region(refined, surface, 0.9)


@pytest.mark.parametrize("offset", [0.0, 12.0], ids=["inside", "peak beyond the edge"])
def test_part_of_the_sky_is_refined_within_its_edge(offset):
    surface, middle = peak(300, 8.0), lonlat_to_vec(83.6, 22.0 - offset)

    def is_in(vec):
        return separation(vec, middle) < 11

    skymap = make_map(surface, 16, "galactic", is_in)
    refined = Refinement(surface, skymap)

    # no more than a pixel of the map beyond the region
    assert separation(refined.cells.centres, middle).max() < 11 + 2 * np.sqrt(skymap.pixel_area)
    assert refined.cells.pixel_area.sum() == pytest.approx(
        skymap.ipix.size * skymap.pixel_area, rel=0.1
    )
    assert separation(refined.best, PLACE) < (0.1 if offset == 0 else 3)

    def is_in_cells(vec):
        return MultiOrderMap("icrs", refined.start, {}).find(vec) >= 0

    assert_same_region(refined, surface, 0.9, is_in_cells)


def test_map_of_one_pixel_is_refined():
    surface = peak(300, 8.0)
    skymap = make_map(surface, 8, "galactic", lambda vec: separation(vec, PLACE) < 4)

    refined = Refinement(surface, SkyMap(8, "galactic", skymap.ipix[:1], {"ts": skymap.ts[:1]}))

    assert refined.cells.max_order > 5
    assert refined.n_evaluated < 2000


def test_map_of_twelve_pixels_leads_to_a_wide_peak():
    surface = peak(200, 25.0)

    refined = Refinement(surface, make_map(surface, 1))

    assert separation(refined.best, PLACE) < 1
    assert_same_region(refined, surface, 0.9)


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_map_without_any_source_is_not_split(value):
    def surface(vec):
        return np.full(len(vec), value)

    refined = Refinement(surface, make_map(surface, 8))

    np.testing.assert_array_equal(refined.cells.order, 3)
    assert refined.n_evaluated == refined.cells.uniq.size == 768


def test_region_that_the_map_resolves_is_not_split():
    surface = peak(20, 50.0)

    refined = Refinement(surface, make_map(surface, 16))

    assert refined.cells.max_order == 4


def test_splitting_ends_at_the_finest_order_allowed():
    surface = peak(3000, 6.0)

    assert Refinement(surface, make_map(surface, 8), max_order=5).cells.max_order == 5


@pytest.mark.parametrize("options", [{"enabled": False}, {"max_order": 3}])
def test_map_stays_at_its_order_when_nothing_finer_is_asked_for(options):
    surface = peak(3000, 6.0)

    assert Refinement(surface, make_map(surface, 8), **options).cells.max_order == 3


def test_map_finer_than_allowed_is_made_coarser():
    surface = peak(3000, 6.0)
    refined = Refinement(surface, make_map(surface, 16), max_order=3)

    np.testing.assert_array_equal(refined.cells.order, 3)


def test_drop_of_the_configuration_decides_what_is_split():
    surface = peak(3000, 6.0)
    skymap = make_map(surface, 8)

    narrow, wide = (Refinement(surface, skymap, drop=drop).cells for drop in (0.5, 60.0))

    finest = wide.max_order
    assert np.sum(wide.order == finest) > 2 * np.sum(narrow.order == finest)
    assert np.all(wide.order[np.nanmax(wide.ts) - wide.ts <= 60] == finest)


def test_too_many_cells_end_the_splitting_with_a_warning(monkeypatch, caplog):
    monkeypatch.setattr("skyquilt.localisation.refine.cells.MAX_CELLS", 1000)
    surface = peak(3000, 6.0)

    refined = Refinement(surface, make_map(surface, 8))

    assert 800 < refined.cells.uniq.size <= 1000
    assert caplog.record_tuples[0][1] == logging.WARNING
    assert "its region not resolved" in caplog.text


def test_split_cells_keep_the_values_of_all_others():
    surface = peak(100, 8.0)
    cells = Refinement(surface, make_map(surface, 8)).cells

    np.testing.assert_array_equal(cells.ts, surface(cells.centres))
    assert cells.pixel_area.sum() == pytest.approx(
        4 * np.pi * (180 / np.pi) ** 2, rel=1e-12
    )  # rounding
    assert cells_to_split(cells, make_goal(RefineOptions(), (0.9,), 3)).size == 0


def one_split(fine, coarse=0.0):
    """Cells of order 3, of which the first was split; TS of its first part and of a far cell."""
    uniq = np.concatenate([children(np.array([4 * 4**3])), 4 * 4**3 + np.arange(1, 768)])
    ts = np.zeros(uniq.size)
    ts[0], ts[603] = fine, coarse
    return MultiOrderMap("icrs", uniq, {"ts": ts})


def test_neighbours_coarser_than_a_candidate_are_split_before_it():
    cells, goal = one_split(1000.0), make_goal(RefineOptions(), (0.9,), 4)

    found = cells_to_split(cells, goal)

    # pixel 0 of order 4 is the southern corner of its parent: five of its neighbours lie outside
    around = neighbours(16, np.array([0]))[0]
    wanted = np.unique(around[around > 3] >> 2)
    np.testing.assert_array_equal(cells.ipix[found], wanted)
    np.testing.assert_array_equal(cells.order[found], 3)


def test_candidates_coarser_than_others_are_split_before_them():
    cells = one_split(1000.0, coarse=999.0)

    found = cells_to_split(cells, make_goal(RefineOptions(), (0.9,), 4))

    assert 603 in found
    np.testing.assert_array_equal(cells.order[found], 3)


def test_largest_level_decides_what_is_split_and_the_smallest_when_to_stop():
    goal = make_goal(RefineOptions(), (0.5, 0.9), 4)

    # -2 ln(1 - level)
    assert (goal.drop, goal.region_drop) == pytest.approx((4.605, 1.386), abs=1e-3)


def test_touching_cells_hold_the_centres_of_the_neighbours():
    surface = peak(3000, 6.0)
    cells = Refinement(surface, make_map(surface, 8)).cells
    places = np.arange(0, cells.uniq.size, 7)

    for place, around in zip(places, touching_cells(cells, places), strict=True):
        nside = 1 << int(cells.order[place])
        ipix = neighbours(nside, cells.ipix[place : place + 1])[0]
        # a little north of the centre, which can be a corner of finer cells
        north = nest_to_vec(nside, np.maximum(ipix, 0))
        north[:, 2] += 1e-9
        found = cells.find(north / np.linalg.norm(north, axis=1, keepdims=True))
        np.testing.assert_array_equal(around, np.where(ipix >= 0, found, -1))
