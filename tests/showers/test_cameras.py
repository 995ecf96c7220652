"""Cameras: neighbours, rings, positions."""

from dataclasses import replace

import numpy as np
import pytest

from skyquilt.errors import InputError
from skyquilt.showers.cameras import Cameras, make_camera


def test_pixels_of_a_hexagonal_camera(telescope, camera, near):
    pixels = camera.pixels
    assert pixels.n_pixel == 127
    assert np.array_equal(near, near.T)
    # rings of 6 n pixels: the outer one has 6 corners with 3 neighbours, the others there have 4
    assert np.bincount(near.sum(axis=1)).tolist() == [0, 0, 0, 6, 30, 0, 91]
    assert np.bincount(pixels.ring).tolist() == [61, 36, 30]
    assert pixels.x == pytest.approx(np.rad2deg(telescope.settings["pixel_y"] / 28.0), rel=1e-6)
    assert pixels.y == pytest.approx(np.rad2deg(telescope.settings["pixel_x"] / 28.0), rel=1e-6)
    # float32 of the file
    assert pixels.diameter == pytest.approx(np.rad2deg(0.05 / 28), rel=1e-6)


def test_a_square_camera_has_four_neighbours(telescope):
    x, y = (PITCH * one.ravel() for one in np.mgrid[:5, :5])
    settings = {
        "pixel_x": x,
        "pixel_y": y,
        "pixel_area": np.full(25, PITCH**2),
        "pixel_shape": np.full(25, 2),
    }
    square = replace(telescope, settings=telescope.settings | settings)
    pixels = make_camera(square, 10.0).pixels
    assert np.bincount(np.diff(pixels.indptr)).tolist() == [0, 0, 4, 12, 9]
    assert pixels.diameter == pytest.approx(np.rad2deg(PITCH / 10))


PITCH = 0.05


def test_a_rotated_camera_is_turned_back(telescope, camera):
    angle = 0.3
    x, y = telescope.settings["pixel_x"], telescope.settings["pixel_y"]
    turned = {
        "pixel_x": np.cos(angle) * x + np.sin(angle) * y,
        "pixel_y": -np.sin(angle) * x + np.cos(angle) * y,
        "cam_rot": angle,
    }
    found = make_camera(replace(telescope, settings=telescope.settings | turned), 28.0)
    # float32 positions of up to 0.3 m, seen from 28 m
    assert found.pixels.x == pytest.approx(camera.pixels.x, abs=1e-7)
    assert np.array_equal(found.pixels.neighbour, camera.pixels.neighbour)


def test_cameras_are_told_apart_by_content(telescope):
    cameras = Cameras("effective")
    first = cameras.find(telescope)
    assert cameras.find(replace(telescope, camera="another name")) is first
    other = telescope.settings | {"effective_focal_length": 29.0}
    assert cameras.find(replace(telescope, settings=other)) is not first


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"effective_focal_length": np.nan}, "`focal_length: nominal` takes the other one"),
        ({"pixel_shape": np.full(127, 9)}, "pixels of shape 9; known are"),
    ],
)
def test_a_camera_that_cannot_be_made_is_one_message(telescope, change, words):
    odd = replace(telescope, settings=telescope.settings | change)
    with pytest.raises(InputError, match=words):
        Cameras("effective").find(odd)
