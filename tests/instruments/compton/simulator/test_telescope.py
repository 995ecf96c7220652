import numpy as np
import pytest

from skyquilt.instruments.compton.simulator.telescope import (
    ELECTRON_KEV,
    areas,
    arm_fwhm,
    arm_profile,
    bin_energies,
    effective_area,
    energy_redistribution,
    klein_nishina,
    zenith_factor,
)


@pytest.mark.parametrize("energy", [10.0, 300.0, 5000.0])
def test_klein_nishina_over_sphere_equals_closed_form(energy):
    # Total cross-section, Heitler, The Quantum Theory of Radiation, sec. 22, eq. 44
    k = energy / ELECTRON_KEV
    log = np.log(1 + 2 * k)
    first = (1 + k) / k**3 * (2 * k * (1 + k) / (1 + 2 * k) - log)
    total = 2 * np.pi * (first + log / (2 * k) - (1 + 3 * k) / (1 + 2 * k) ** 2)
    nodes, weights = np.polynomial.legendre.leggauss(200)
    integral = 2 * np.pi * weights @ klein_nishina(energy, np.arccos(nodes))
    # the closed form loses digits at small k: three terms of order k^-2 cancel
    assert integral == pytest.approx(total, rel=1e-9)


def test_zenith_factor_falls_from_one_on_the_axis_to_the_floor():
    factor = zenith_factor(np.cos(np.radians(np.arange(181.0))))
    assert factor[0] == pytest.approx(1, abs=1e-12)  # exact but for rounding
    assert np.all(np.diff(factor) < 0)
    assert 0.01 < factor[180] < 0.011


def test_areas_are_means_of_the_effective_area_over_bins():
    edges = np.array([100.0, 1000.0])
    energy = np.geomspace(100, 1000, 100_001)
    # the midpoint rule with 33 energies in a decade
    assert areas(edges)[0] == pytest.approx(effective_area(energy).mean(), rel=1e-3)


def test_energy_redistribution_rows_sum_to_one_and_never_gain_energy():
    edges = np.geomspace(100, 10_000, 11)
    matrix = energy_redistribution(edges)
    np.testing.assert_allclose(matrix.sum(axis=1), 1, rtol=1e-14)  # rounding
    # the photopeak, 1 % wide, leaks over the edge only from the nearest bin
    assert np.all(np.diag(matrix, 1) < 0.02)
    assert np.triu(matrix, 2).max() < 1e-12


def test_energy_redistribution_has_peak_fraction_in_fine_bins():
    edges = np.geomspace(100, 10_000, 41)
    diagonal = np.diag(energy_redistribution(edges))[20:]
    # 70 % in the peak, of which 4 % leak over the edges, and a few per cent of the tail
    assert np.all((diagonal > 0.66) & (diagonal < 0.75))


def test_arm_profile_at_half_width_is_one_half():
    np.testing.assert_allclose(arm_profile(np.array([0.0, 2.5, -2.5]), 5.0), [1, 0.5, 0.5])


def test_arm_fwhm_shrinks_with_energy():
    assert arm_fwhm(511.0) == 4.1
    assert np.all(np.diff(arm_fwhm(np.geomspace(100, 10_000, 9))) < 0)


def test_bin_energies_lie_inside_their_bins():
    edges = np.array([100.0, 200.0, 1000.0])
    energy = bin_energies(edges)
    assert np.all((energy > edges[:-1, None]) & (energy < edges[1:, None]))
