"""Benchmarks of positions: response_grid.py and source_table.py find what is known."""

import numpy as np
import pytest
from response_grid import LEVELS, Grid, Shape, find_bias, find_regions
from source_table import measure, observe_imager

from skyquilt.sky.healpix import ring_to_vec


@pytest.fixture(scope="module")
def grid():
    return Grid(Shape(4, 4, 18, (251.189, 398.107)))


def test_bias_is_none_where_there_is_a_row(grid):
    # pixel 80 of the equatorial belt; steps of the search are 0.22 deg
    assert np.hypot(*find_bias(grid, ring_to_vec(4, np.array([80]))[0])) < 0.3


def test_bias_between_rows_is_a_part_of_a_pixel(grid):
    between = np.add(ring_to_vec(4, np.array([80, 81])).sum(axis=0), (0, 0, 0.15))
    assert 0.5 < np.hypot(*find_bias(grid, between / np.linalg.norm(between))) < grid.pixel / 2


def test_systematic_error_of_the_benchmark_widens_every_region(grid):
    found = find_regions(grid, ring_to_vec(4, np.array([80]))[0], 3000.0, np.random.default_rng(1))
    assert np.all(np.array(found.area[1]) > found.area[0])
    assert np.shape(found.is_inside) == (2, len(LEVELS))


def test_source_of_the_table_is_measured_where_it_is():
    found = measure(*observe_imager(4.0, np.random.default_rng(1)), 4.0)
    # 400 counts with a point spread of 3 deg: 0.15 deg along an axis; 4 of these
    assert found.offset < 0.6
    assert found.drop < 20
    assert abs(found.pull) < 4
