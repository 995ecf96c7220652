import numpy as np
import pytest

from skyquilt.problem.folding import fold_disks, fold_gaussian
from skyquilt.problem.profiles import linear_integral

THETA = np.radians(np.concatenate([[0.0], np.geomspace(0.002, 10, 299)]))


def king(sigma_deg, gamma=2.5):
    """Profiles of a core and a tail, as those of Fermi-LAT."""
    sigma = np.radians(np.atleast_1d(sigma_deg))[:, np.newaxis]
    x = THETA**2 / (2 * sigma**2)
    return (1 - 1 / gamma) / (2 * np.pi * sigma**2) * (1 + x / gamma) ** -gamma


def gaussian(sigma_deg):
    sigma = np.radians(sigma_deg)
    return (np.exp(-(THETA**2) / (2 * sigma**2)) / (2 * np.pi * sigma**2))[np.newaxis]


PROFILE = king([0.05, 0.2, 0.6])


def mean_over(radius, turn, profile, r):
    """Mean of a profile over places around a centre, seen from an angle r: a brute-force sum."""
    cosine = np.cos(r) * np.cos(radius) + np.sin(r) * np.sin(radius) * np.cos(turn)
    rho = np.arccos(np.clip(cosine, -1, 1))
    return np.array([np.interp(rho, THETA, row, right=0.0).mean() for row in profile])


def even_disk(radius_deg, n=1500):
    """Places of equal solid angle in a disk."""
    part = (np.arange(n) + 0.5) / n
    radius = 2 * np.arcsin(np.sqrt(part) * np.sin(np.radians(radius_deg) / 2))
    turn = np.pi * (np.arange(400) + 0.5) / 400
    return np.repeat(radius, 400), np.tile(turn, n)


@pytest.mark.parametrize("radius", [0.02, 0.3, 1.5])
def test_disk_equals_the_mean_over_its_area(radius):
    theta, folded = fold_disks(THETA, PROFILE, np.radians([radius]), np.ones(1))
    places = even_disk(radius)
    for r in np.radians([0.0, 0.6 * radius, 0.95 * radius, 1.2 * radius, 3 * radius]):
        wanted = mean_over(*places, PROFILE, r)
        found = np.array([np.interp(r, theta, row) for row in folded])
        # of the peak; the brute-force sum has steps of 1 / 400 of a turn
        np.testing.assert_allclose(found, wanted, atol=3e-4 * folded.max(), rtol=3e-3)


@pytest.mark.parametrize("radius", [1e-4, 0.01, 0.1, 0.378, 3.0, 20.0])
def test_centre_of_a_disk_is_what_is_enclosed_over_its_area(radius):
    """Closed form; before its integral is restored the quadrature is off by less than 4e-4."""
    edge = np.radians(radius)
    theta, folded = fold_disks(THETA, PROFILE, np.array([edge]), np.ones(1))
    within = np.unique(np.minimum(np.append(THETA, edge), min(edge, THETA[-1])))
    inner = np.array([np.interp(within, THETA, row) for row in PROFILE])
    wanted = linear_integral(within, inner) / (4 * np.pi * np.sin(edge / 2) ** 2)
    np.testing.assert_allclose(folded[:, theta == 0][:, 0], wanted, rtol=8e-4)


@pytest.mark.parametrize("sigma", [1e-4, 0.01, 0.05, 0.3, 2.0, 10.0])
def test_centre_of_a_gaussian_is_its_mean_of_the_profile(sigma):
    """A sum over the angle; before its integral is restored the quadrature is off by < 5e-4."""
    width = np.radians(sigma)
    theta, folded = fold_gaussian(THETA, PROFILE, width)
    rho = np.linspace(0, min(7 * width, np.pi), 200_001)
    weight = np.exp((np.cos(rho) - 1) / width**2) * np.sin(rho)
    mean = [weight @ np.interp(rho, THETA, row, right=0.0) for row in PROFILE]
    np.testing.assert_allclose(folded[:, theta == 0][:, 0], mean / weight.sum(), rtol=1e-3)


@pytest.mark.parametrize("fold", ["disk", "gaussian"])
@pytest.mark.parametrize("width", [1e-3, 0.2, 4.0])
def test_integral_is_exactly_that_of_the_point_spread_function(fold, width):
    if fold == "disk":
        theta, folded = fold_disks(THETA, PROFILE, np.radians([width]), np.ones(1))
    else:
        theta, folded = fold_gaussian(THETA, PROFILE, np.radians(width))
    wanted = linear_integral(THETA, PROFILE)
    # differences of cosines are rounded
    np.testing.assert_allclose(linear_integral(theta, folded), wanted, rtol=1e-10)
    assert theta[0] == 0
    assert np.all(np.diff(theta) > 0)


@pytest.mark.parametrize(("one", "two"), [(0.1, 0.02), (0.1, 0.1), (0.05, 0.4)])
def test_gaussian_of_a_gaussian_is_a_wider_gaussian(one, two):
    theta, folded = fold_gaussian(THETA, gaussian(one), np.radians(two))
    sigma = np.radians(np.hypot(one, two))
    wanted = np.exp(-(theta**2) / (2 * sigma**2)) / (2 * np.pi * sigma**2)
    # 1e-3 of the peak: THETA has steps of 3 %, so that lines between them are so far off
    np.testing.assert_allclose(folded[0], wanted, atol=1e-3 * wanted.max())


def test_ring_equals_the_difference_of_its_disks():
    radius, area = np.radians([2.0, 1.0]), np.array([4.0, -1.0]) / 3
    theta, ring = fold_disks(THETA, PROFILE, radius, area)
    outer = [np.interp(theta, *one) for one in rows(fold_disks(THETA, PROFILE, radius[:1], [1.0]))]
    inner = [np.interp(theta, *one) for one in rows(fold_disks(THETA, PROFILE, radius[1:], [1.0]))]
    difference = area[0] * np.array(outer) + area[1] * np.array(inner)
    np.testing.assert_allclose(ring, difference, atol=2e-3 * ring.max())
    assert np.all(ring >= 0)


def rows(folded):
    theta, profile = folded
    return [(theta, row) for row in profile]


def test_tiny_shape_leaves_the_point_spread_function_as_it_is():
    for theta, folded in (
        fold_disks(THETA, PROFILE, np.radians([1e-5]), np.ones(1)),
        fold_gaussian(THETA, PROFILE, np.radians(1e-5)),
    ):
        for row, profile in zip(folded, PROFILE, strict=True):
            wanted = np.interp(theta, THETA, profile)
            np.testing.assert_allclose(row, wanted, atol=2e-3 * profile.max())
