import healpy
import numpy as np
import pytest

from skyquilt.maps.multiorder import MultiOrderMap
from skyquilt.maps.skymap import SkyMap
from skyquilt.sky.uniq import to_uniq

# base pixel 0 in four parts, the last of them in four again; base pixel 5 whole
UNIQ = np.array([16, 17, 18, 64 + 12, 64 + 13, 64 + 14, 64 + 15, 4 + 5])
ORDER = np.array([1, 1, 1, 2, 2, 2, 2, 0])
IPIX = np.array([0, 1, 2, 12, 13, 14, 15, 5])


@pytest.fixture
def cells():
    return MultiOrderMap("icrs", UNIQ, {"ts": np.arange(8.0)})


def test_cells_have_the_orders_and_pixels_of_their_numbers(cells):
    np.testing.assert_array_equal(cells.order, ORDER)
    np.testing.assert_array_equal(cells.ipix, IPIX)
    assert cells.max_order == 2


def test_areas_of_cells_are_those_of_healpy(cells):
    wanted = [healpy.nside2pixarea(2**order, degrees=True) for order in ORDER]

    np.testing.assert_allclose(cells.pixel_area, wanted, rtol=1e-14)  # rounding
    assert cells.pixel_area.sum() == pytest.approx(
        2 * healpy.nside2pixarea(1, degrees=True), rel=1e-14
    )


def test_centres_are_those_of_healpy(cells):
    wanted = [healpy.pix2vec(2**o, p, nest=True) for o, p in zip(ORDER, IPIX, strict=True)]

    np.testing.assert_allclose(cells.centres, wanted, atol=1e-15)  # rounding


def test_centre_of_each_cell_is_found_in_it(cells):
    np.testing.assert_array_equal(cells.find(cells.centres), np.arange(8))


def test_any_direction_is_found_in_the_cell_that_healpy_says(cells):
    vec = np.random.default_rng(1).normal(size=(500, 3))
    vec /= np.linalg.norm(vec, axis=1, keepdims=True)
    wanted = np.full(500, -1)
    for place, (order, ipix) in enumerate(zip(ORDER, IPIX, strict=True)):
        wanted[healpy.vec2pix(2**order, *vec.T, nest=True) == ipix] = place

    np.testing.assert_array_equal(cells.find(vec), wanted)
    assert set(wanted) == {-1, *range(8)}


def test_cells_of_a_map_of_one_resolution_are_its_pixels():
    skymap = SkyMap(4, "galactic", np.array([3, 7, 191]), {"ts": np.arange(3.0)})

    cells = MultiOrderMap.from_skymap(skymap)

    assert (cells.frame, cells.order.tolist()) == ("galactic", [2, 2, 2])
    np.testing.assert_array_equal(cells.ipix, skymap.ipix)
    assert cells.pixel_area.sum() == pytest.approx(3 * skymap.pixel_area, rel=1e-14)  # rounding


@pytest.mark.parametrize(
    "uniq",
    [UNIQ[::-1], [16, 16], [4, 16], [16, 4], [16, 4 * 16]],
    ids=["descending", "twice", "child after parent", "parent after child", "child"],
)
def test_cells_that_overlap_or_are_not_ascending_are_refused(uniq):
    with pytest.raises(ValueError, match="overlap or are not ascending"):
        MultiOrderMap("icrs", np.array(uniq), {})


@pytest.mark.parametrize("uniq", [np.empty(0, np.int64), np.array(5), np.array([[4], [5]])])
def test_cells_of_other_shape_are_refused(uniq):
    with pytest.raises(ValueError, match="allowed is"):
        MultiOrderMap("icrs", uniq, {})


def test_cell_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="UNIQ 3: allowed are 4 to"):
        MultiOrderMap("icrs", np.array([3]), {})


def test_column_of_other_length_is_refused():
    with pytest.raises(ValueError, match=r"column 'ts' has shape \(1,\), the map has 2 cells"):
        MultiOrderMap("icrs", to_uniq(0, np.array([0, 1])), {"ts": np.zeros(1)})
