import numpy as np
import pytest

from skyquilt.sky.frames import lonlat_to_vec, separation, vec_to_lonlat
from skyquilt.sky.tangent import from_tangent, tangent_axes

POLE = np.array([0.0, 0.0, 1.0])
PLACES = [(0.0, 0.0), (180.0, 5.0), (359.999, -60.0), (93.0, 89.999), (10.0, 90.0), (0.0, -90.0)]


@pytest.mark.parametrize(("lon", "lat"), PLACES)
def test_tangent_axes_are_a_right_handed_frame_with_the_direction(lon, lat):
    vec = lonlat_to_vec(np.array([lon]), np.array([lat]))
    east, north = tangent_axes(vec, POLE)
    frame = np.stack([vec[0], east[0], north[0]])
    np.testing.assert_allclose(frame @ frame.T, np.eye(3), atol=1e-15)
    assert np.linalg.det(frame) == pytest.approx(1, abs=1e-15)


def test_from_tangent_to_the_east_and_north_raises_longitude_and_latitude():
    vec = lonlat_to_vec(np.array([359.99, 50.0]), np.array([0.0, 40.0]))
    moved = from_tangent(
        vec, tangent_axes(vec, POLE), np.array([[0.02, 0.0]]).T, np.array([[0.0, 1.0]]).T
    )
    lon, lat = vec_to_lonlat(moved[:, 0])
    # gnomonic: arctan of the place, 1e-4 of 1 deg
    np.testing.assert_allclose(lon, [0.01, 50.0], atol=1e-4)
    np.testing.assert_allclose(lat, [0.0, 41.0], atol=2e-4)


@pytest.mark.parametrize(("lon", "lat"), PLACES)
def test_from_tangent_keeps_distances_near_the_centre(lon, lat):
    vec = lonlat_to_vec(np.array([lon]), np.array([lat]))
    x, y = np.array([[0.3, -0.5, 0.0]]), np.array([[0.4, 0.0, 0.0]])
    moved = from_tangent(vec, tangent_axes(vec, POLE), x, y)[0]
    # a tangent differs from its angle by a third of its square: 2.5e-5 at 0.5 deg
    np.testing.assert_allclose(separation(moved, vec), [0.5, 0.5, 0.0], rtol=3e-5, atol=1e-9)
