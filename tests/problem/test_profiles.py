import numpy as np
import pytest

from skyquilt.problem.profiles import N_COLUMN, blur, tabulate

SIGMA = np.radians([0.1, 0.4])
THETA = np.radians(np.linspace(0, 1, 2001) ** 2 * 10)


def gaussians():
    """Normal in the plane; on the sphere the integral is 1 but for sigma^2 / 6, 1e-5 here."""
    width = SIGMA[:, np.newaxis]
    return np.exp(-((THETA / width) ** 2) / 2) / (2 * np.pi * width**2)


def test_contained_fraction_of_a_gaussian_equals_the_closed_form():
    psf = tabulate(THETA, gaussians(), 1e-3)

    root = psf.step * np.arange(N_COLUMN)
    theta = 2 * np.arcsin(root**2 / 2)
    expected = 1 - np.exp(-((theta / SIGMA[:, np.newaxis]) ** 2) / 2)
    # linear interpolation of the given profile between 2001 angles
    np.testing.assert_allclose(psf.contained, expected, atol=3e-5)
    np.testing.assert_allclose(psf.total, 1, atol=3e-5)


def test_blur_of_a_parabola_lowers_it_by_the_second_moment_of_the_square():
    theta = np.linspace(0, 0.02, 4001)
    profile = 2 - (theta / 0.02)[np.newaxis] ** 2
    psf = tabulate(theta, profile, 1e-3)
    side = 2e-3
    blurred = blur(theta, profile, psf, side**2)
    inside = 2 * np.arcsin((psf.step * np.arange(N_COLUMN)) ** 2 / 2) < 0.02 - side
    expected = psf.density - side**2 / 6 / 0.02**2
    # the profile is linear between angles 5e-6 apart: (5e-6 / 0.02)^2 / 8
    np.testing.assert_allclose(blurred[:, inside], expected[:, inside], atol=2e-8)


@pytest.mark.parametrize("lost", [1e-1, 1e-3, 1e-5])
def test_reach_of_a_gaussian_leaves_out_the_lost_fraction(lost):
    psf = tabulate(THETA, gaussians(), lost)

    # the reach is a step of the fine angles, about 1e-4 of itself, and the profile is good to 3e-5
    np.testing.assert_allclose(np.exp(-((psf.reach / SIGMA) ** 2) / 2), lost, rtol=0.05)


def test_tables_end_well_beyond_the_longest_reach():
    psf = tabulate(THETA, gaussians(), 1e-3)

    assert 2 * np.arcsin((psf.step * (N_COLUMN - 1)) ** 2 / 2) > 2.9 * psf.reach.max()
    np.testing.assert_allclose(psf.contained[:, -1], psf.total, rtol=1e-6)


def test_core_is_that_of_the_narrowest():
    # 39 % of a Gaussian lie within one sigma
    assert tabulate(THETA, gaussians(), 1e-3).core == pytest.approx(SIGMA.min(), rel=0.01)


def test_total_is_the_integral_of_what_is_given():
    psf = tabulate(THETA, 1.3 * gaussians(), 1e-3)

    np.testing.assert_allclose(psf.total, 1.3, rtol=3e-5)


@pytest.mark.parametrize(
    ("theta", "profile", "message"),
    [
        (THETA, gaussians()[:, :-1], "shape"),
        (THETA + 1e-3, gaussians(), "ascend from 0"),
        (THETA[::-1], gaussians(), "ascend from 0"),
        (THETA * 20, gaussians(), "ascend from 0"),
        (THETA, -gaussians(), "0 or more"),
        (THETA, gaussians() * np.nan, "finite"),
        (THETA, gaussians() * [[0], [1]], "not all 0"),
    ],
)
def test_impossible_profiles_are_refused(theta, profile, message):
    with pytest.raises(ValueError, match=message):
        tabulate(theta, profile, 1e-3)
