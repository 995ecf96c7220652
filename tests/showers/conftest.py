"""A toy camera of hexagons, and the shared runs."""

import numpy as np
import pytest

from skyquilt.showers.cameras import make_camera
from skyquilt.showers.extractors import Pulse
from skyquilt.showers.simtel import Telescope

N_RING = 6
PITCH = 0.05  # between the middles of pixels [m]
LENGTH = 28.0  # focal length [m]


@pytest.fixture(scope="session")
def telescope():
    """127 hexagons in rings around the middle of the camera."""
    q, r = np.mgrid[-N_RING : N_RING + 1, -N_RING : N_RING + 1].reshape(2, -1)
    inside = np.abs(q + r) <= N_RING
    x = PITCH * (q + r / 2)[inside]
    y = PITCH * (np.sqrt(3) / 2 * r)[inside]
    settings = {
        "n_pixels": x.size,
        "pixel_x": x.astype(np.float32),
        "pixel_y": y.astype(np.float32),
        "pixel_area": np.full(x.size, np.sqrt(3) / 2 * PITCH**2, np.float32),
        "pixel_shape": np.full(x.size, 1),
        "cam_rot": 0.0,
        "mirror_area": 380.0,
        "focal_length": LENGTH,
        "effective_focal_length": LENGTH,
    }
    time = np.arange(0, 20, 0.25)
    shape = np.exp(-((time - 8) ** 2) / 8)[np.newaxis]
    return Telescope(
        tel_id=1,
        camera="ToyCam",
        optics="Toy",
        position=np.zeros(3),
        settings=settings,
        pulse=Pulse(np.repeat(shape, 2, axis=0), 0.25),
        sample=1.0,
        n_sample=30,
        broken=np.zeros(x.size, dtype=np.uint8),
    )


@pytest.fixture(scope="session")
def camera(telescope):
    return make_camera(telescope, LENGTH)


@pytest.fixture(scope="session")
def pixels(camera):
    return camera.pixels


@pytest.fixture(scope="session")
def near(pixels):
    """Which pixels are neighbours, shape (n_pixel, n_pixel)."""
    found = np.zeros((pixels.n_pixel, pixels.n_pixel), dtype=bool)
    found[np.repeat(np.arange(pixels.n_pixel), np.diff(pixels.indptr)), pixels.neighbour] = True
    return found
