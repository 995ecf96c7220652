import numpy as np
import pytest

from skyquilt.config.refine import RefineOptions
from skyquilt.localisation.refine.cells import make_goal
from skyquilt.localisation.refine.start import start_cells
from skyquilt.localisation.refine.steps import (
    N_CELLS,
    WORTH_CHUNKS_S,
    is_worth_chunks,
    join_cells,
    map_to_cells,
    missing_cells,
    next_pixels,
    refine_map,
)
from skyquilt.maps.multiorder import MultiOrderMap
from skyquilt.maps.skymap import SkyMap
from skyquilt.sky.frames import lonlat_to_vec, separation
from skyquilt.sky.healpix import nest_to_vec

PLACE = lonlat_to_vec(83.6, 22.0)


def surface(vec):
    return 500 * np.exp(-0.5 * (separation(vec, PLACE) / 8) ** 2)


def make_map(nside, ipix):
    return SkyMap(nside, "icrs", ipix, {"ts": surface(nest_to_vec(nside, ipix))})


def evaluate(uniq):
    return {"ts": surface(MultiOrderMap("icrs", uniq, {}).centres)}


@pytest.fixture
def begun():
    """Cells to begin with, of several orders, and the goal."""
    goal = make_goal(RefineOptions(), (0.9,), 5)
    return start_cells(make_map(32, np.arange(12 * 32**2)), goal), goal


def test_steps_of_one_order_each_give_the_map_of_one_process(begun):
    start, goal = begun
    parts, orders = [], []
    while (step := next_pixels(start, parts, goal))[1].size:
        order, ipix = step
        orders.append(order)
        parts.append(map_to_cells(make_map(1 << order, np.sort(ipix))))

    joined, whole = join_cells(parts), refine_map(start, evaluate, goal)

    assert orders == sorted(orders)
    np.testing.assert_array_equal(joined.uniq, whole.uniq)
    np.testing.assert_array_equal(joined.ts, whole.ts)


def test_first_steps_are_the_cells_to_begin_with_coarsest_first(begun):
    start, goal = begun

    order, ipix = next_pixels(start, [], goal)
    parts = [map_to_cells(make_map(1 << order, ipix))]

    assert order == 3
    assert next_pixels(start, parts, goal)[0] == 4
    np.testing.assert_array_equal(missing_cells(start, parts), start[start >= 4 << 2 * 4])
    np.testing.assert_array_equal(missing_cells(start, []), start)


def test_cells_whose_parts_were_evaluated_give_way_whatever_the_order_of_the_parts():
    coarse = (np.array([4, 5]), {"ts": np.array([1.0, 2.0])})
    middle = (np.array([16, 17, 18, 19]), {"ts": np.array([3.0, 4, 5, 6])})
    fine = (np.array([68, 69, 70, 71]), {"ts": np.array([7.0, 8, 9, 10])})

    for parts in ([coarse, middle, fine], [fine, coarse, middle]):
        cells = join_cells(parts)
        np.testing.assert_array_equal(cells.uniq, [16, 68, 69, 70, 71, 18, 19, 5])
        np.testing.assert_array_equal(cells.ts, [3, 7, 8, 9, 10, 5, 6, 2])


def test_refinement_is_worth_chunks_when_one_process_takes_minutes():
    limit = WORTH_CHUNKS_S / N_CELLS

    assert is_worth_chunks(1.01 * limit)
    assert not is_worth_chunks(0.99 * limit)
