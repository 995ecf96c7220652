import numpy as np
import pytest

from skyquilt.localisation.standing import find_standing
from skyquilt.maps.containment import containment_threshold
from skyquilt.maps.credible import cell_areas
from skyquilt.maps.multiorder import MultiOrderMap

DENSITY = np.array([0.1, 0.4, 0.2, 0.2, *[0.0] * 7, 0.1])


@pytest.fixture
def cells():
    """Twelve base pixels; the twelfth was not fitted."""
    ts = np.where(np.arange(12) == 11, np.nan, DENSITY * 20)
    columns = {"probdensity": DENSITY * 3 / np.pi, "ts": ts}
    return MultiOrderMap("icrs", np.arange(4, 16), columns)


def stand(cells, ipix):
    return find_standing(cells, cells.centres[ipix])


def test_standing_of_the_best_cell(cells):
    standing = stand(cells, 1)
    assert (standing.cell, standing.ts_drop, standing.containment_level) == (1, 0, 0)
    assert standing.probability == pytest.approx(0.4, rel=1e-12)
    assert standing.area == cells.pixel_area[0]


@pytest.mark.parametrize("ipix", [2, 3])
def test_equal_cells_are_searched_together(cells, ipix):
    standing = stand(cells, ipix)
    assert standing.probability == pytest.approx(0.8, rel=1e-12)
    assert standing.area == pytest.approx(3 * cells.pixel_area[0], rel=1e-12)


def test_containment_level_is_that_of_the_drop(cells):
    standing = stand(cells, 2)
    assert standing.ts_drop == pytest.approx(4)
    assert containment_threshold(standing.containment_level) == pytest.approx(4)


def test_cell_without_probability_is_searched_last(cells):
    standing = stand(cells, 6)
    assert standing.probability == pytest.approx(1, rel=1e-12)
    assert standing.area == pytest.approx(np.sum(cells.pixel_area), rel=1e-12)
    assert np.sum(cell_areas(cells)) == pytest.approx(4 * np.pi)


def test_direction_that_was_not_fitted_has_no_standing(cells):
    assert stand(cells, 11) is None
