import numpy as np

from skyquilt.instruments.compton.simulator.counts import (
    burst_expectation,
    sample_poisson,
    split_in_time,
)
from skyquilt.instruments.compton.simulator.telescope import zenith_factor


def test_sample_poisson_keeps_only_bins_with_counts():
    coords, counts = sample_poisson(np.array([[0.0, 50.0], [0.0, 70.0]]), np.random.default_rng(1))
    np.testing.assert_array_equal(coords, [[0, 1], [1, 1]])
    assert np.all(np.abs(counts - [50, 70]) < 40)  # five sigma


def test_split_in_time_keeps_counts_and_avoids_dead_bins():
    coords, counts = np.array([[0, 1], [2, 3]]), np.array([1000, 10])
    where, number = split_in_time(
        coords, counts, np.array([1.0, 0.0, 3.0]), np.random.default_rng(1)
    )
    assert set(where[0]) == {0, 2}
    assert number[where[1] == 0].sum() == 1000
    # five sigma of a binomial of 1000 at 1/4
    assert abs(number[(where[0] == 0) & (where[1] == 0)].sum() - 250) < 70


def test_burst_expectation_sums_to_area_times_fluence(simulation, instrument, orientation):
    burst = simulation.sources["grb"]
    direction = orientation.z[0]
    photons = np.array([3.0, 5.0])
    expected = burst_expectation(instrument, orientation, burst.interval, direction, photons)
    assert len(expected) == 10
    rate = photons @ instrument.area.sum(axis=1)
    factors = zenith_factor(orientation.z[1:11] @ direction)
    # float32 images
    np.testing.assert_allclose(expected.sum(axis=(1, 2, 3)), 0.92 * rate * factors, rtol=1e-5)
