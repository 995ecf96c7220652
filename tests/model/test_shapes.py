"""Shapes as weighted directions, seen by a Gaussian point spread function, against integrals."""

import numpy as np
import pytest
from scipy.special import ive

from skyquilt.model.shapes import SHAPES, disk, gaussian

WIDTHS = (0.0, 0.05, 0.3, 1.0, 2.5, 8.0)  # of the point spread function
AT = np.linspace(0.0, 12.0, 61)


def seen(points, x, y):
    """Density of a shape seen with a point spread function of standard deviation 1."""
    east, north, weight = points
    squared = (x[:, np.newaxis] - east) ** 2 + (y[:, np.newaxis] - north) ** 2
    return np.exp(-squared / 2) @ weight / (2 * np.pi)


@pytest.mark.parametrize("sigma", WIDTHS)
@pytest.mark.parametrize("largest", [1.0, 1.5])
@pytest.mark.parametrize("ratio", [1.0, 0.4])
def test_gaussian_is_seen_as_a_gaussian(sigma, largest, ratio):
    shape = gaussian(1.0, max(largest * sigma, 0.1))
    along, across = np.hypot(1, sigma), np.hypot(1, ratio * sigma)
    for x, y in ((AT, 0 * AT), (0 * AT, AT), (AT / 2, AT / 2)):
        # the angle is from north to east: at 90 deg the long axis lies along x
        found = seen(shape.points(sigma=sigma, ratio=ratio, angle=90.0), x, y)
        wanted = np.exp(-((x / along) ** 2 + (y / across) ** 2) / 2) / (2 * np.pi * along * across)
        np.testing.assert_allclose(found, wanted, atol=1e-4 / (2 * np.pi * along * across))


@pytest.mark.parametrize("radius", WIDTHS)
@pytest.mark.parametrize("largest", [1.0, 1.5])
def test_disk_is_seen_as_the_integral_of_it(radius, largest):
    shape = disk(1.0, max(largest * radius, 0.1))
    t, weight = np.polynomial.legendre.leggauss(200)
    r = radius * (1 + t) / 2
    # the point spread function averaged over a ring: exp(-(x - r)^2 / 2) I0(x r) e^(-x r)
    ring = np.exp(-((AT[:, np.newaxis] - r) ** 2) / 2) * ive(0, AT[:, np.newaxis] * r)
    wanted = ring @ (weight * (1 + t) / 2) / (2 * np.pi)
    for turn in (0.0, 0.7):
        x, y = AT * np.cos(turn), AT * np.sin(turn)
        found = seen(shape.points(radius=radius), x, y)
        np.testing.assert_allclose(found, wanted, atol=1e-4 * wanted.max())


def test_angle_of_an_ellipse_is_from_north_to_east():
    east, north, weight = gaussian(1.0, 2.0).points(sigma=2.0, ratio=0.1, angle=30.0)
    assert weight.sum() == pytest.approx(1, rel=1e-12)
    spread = np.array([[weight @ (a * b) for a in (east, north)] for b in (east, north)])
    along = np.array([np.sin(np.radians(30)), np.cos(np.radians(30))])
    assert along @ spread @ along == pytest.approx(4.0, rel=1e-3)
    across = np.array([along[1], -along[0]])
    assert across @ spread @ across == pytest.approx(0.04, rel=1e-3)


@pytest.mark.parametrize("name", SHAPES)
def test_number_of_points_does_not_depend_on_the_size(name):
    shape = SHAPES[name](1.0, 3.0)
    values = dict.fromkeys(shape.parameters, 0.5)
    larger = dict.fromkeys(shape.parameters, 2.5)
    assert len(shape.points(**values)[2]) == len(shape.points(**larger)[2])
