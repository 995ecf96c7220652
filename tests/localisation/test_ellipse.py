"""The ellipse of a posterior against Gaussians of known widths."""

import numpy as np
import pytest

from skyquilt.localisation.ellipse import find_ellipse
from skyquilt.maps.multiorder import MultiOrderMap
from skyquilt.sky.frames import lonlat_to_vec, rotation
from skyquilt.sky.healpix import nest_to_vec
from skyquilt.sky.tangent import tangent_axes
from skyquilt.sky.uniq import to_uniq

ORDER = 7
VEC = nest_to_vec(1 << ORDER, np.arange(12 << 2 * ORDER))
POLE = np.array([0.0, 0.0, 1.0])


def gaussian(lon, lat, major, minor, angle, frame="icrs", floor=0.0):
    """Cells whose density is a Gaussian around a position in ICRS, in the frame of the map."""
    centre = lonlat_to_vec(lon, lat)
    vec = VEC @ rotation(frame, "icrs").T
    east, north = (axis[0] for axis in tangent_axes(centre[None], POLE))
    x, y = vec @ east, vec @ north
    length = np.hypot(x, y)
    scale = np.degrees(np.arctan2(length, vec @ centre)) / np.maximum(length, 1e-12)
    turn = np.radians(angle)
    along = scale * (y * np.cos(turn) + x * np.sin(turn))
    across = scale * (x * np.cos(turn) - y * np.sin(turn))
    density = np.exp(-0.5 * ((along / major) ** 2 + (across / minor) ** 2)) + floor
    density /= density.sum() * np.pi / 3 / 4**ORDER
    uniq = to_uniq(ORDER, np.arange(len(VEC)))
    return MultiOrderMap(frame, uniq, {"ts": np.log(density + 1e-300), "probdensity": density})


@pytest.mark.parametrize("position", [(0, 0), (83, 22), (359.9, -60), (10, 89.5), (0, -90)])
@pytest.mark.parametrize("angle", [0, 30, 90, 150])
def test_ellipse_of_a_gaussian_is_that_gaussian(position, angle):
    found = find_ellipse(gaussian(*position, 4.0, 2.0, angle), 0.9)

    scale = np.sqrt(-2 * np.log(0.1))
    assert found.level == 0.9
    # cells of 0.46 deg at the edge of the region whose moments are taken
    assert found.semi_major_deg == pytest.approx(4 * scale, rel=0.02)
    assert found.semi_minor_deg == pytest.approx(2 * scale, rel=0.02)
    if abs(position[1]) < 89:
        assert abs((found.position_angle_deg - angle + 90) % 180 - 90) < 1


def test_ellipse_does_not_depend_on_the_frame_of_the_map():
    in_icrs = find_ellipse(gaussian(83, 22, 4.0, 2.0, 30))
    in_galactic = find_ellipse(gaussian(83, 22, 4.0, 2.0, 30, frame="galactic"))
    np.testing.assert_allclose(in_galactic, in_icrs, rtol=0.02)  # other cells


def test_ellipse_is_not_blown_up_by_a_floor_over_the_sky():
    clean = find_ellipse(gaussian(83, 22, 4.0, 2.0, 30))
    # 0.5 % of the probability lies anywhere
    with_floor = find_ellipse(gaussian(83, 22, 4.0, 2.0, 30, floor=6e-6))
    assert with_floor.semi_major_deg < 1.2 * clean.semi_major_deg


def test_ellipse_of_a_sky_is_none():
    assert find_ellipse(gaussian(0, 0, 1e4, 1e4, 0)) is None


def test_ellipse_of_one_cell_is_as_wide_as_the_cell():
    cells = gaussian(0, 0, 1.0, 1.0, 0)
    density = cells.columns["probdensity"]
    density[:] = np.where(density == density.max(), 4**ORDER * 3 / np.pi, 0)
    n = np.count_nonzero(density)
    found = find_ellipse(cells, 0.9)
    side = np.degrees(np.sqrt(np.pi / 3 / 4**ORDER))
    assert 0.5 * side < found.semi_minor_deg <= found.semi_major_deg < 2 * n * side
