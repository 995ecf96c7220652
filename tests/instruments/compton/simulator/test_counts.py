import numpy as np

from skyquilt.config.light_curve import TableLightCurve
from skyquilt.instruments.compton.simulator.counts import (
    burst_expectation,
    split_in_time,
)
from skyquilt.instruments.compton.simulator.telescope import zenith_factor


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
    points, photons = (direction[None], np.ones(1)), np.array([3.0, 5.0])
    expected = burst_expectation(instrument, orientation, burst.interval, points, photons)
    assert len(expected) == 10
    rate = photons @ instrument.area.sum(axis=1)
    factors = zenith_factor(orientation.z[1:11] @ direction)
    # float32 images
    np.testing.assert_allclose(expected.sum(axis=(1, 2, 3)), 0.92 * rate * factors, rtol=1e-5)


def test_burst_expectation_follows_the_light_curve(simulation, instrument, orientation):
    start, stop = simulation.sources["grb"].interval
    points, photons = (orientation.z[:1], np.ones(1)), np.array([3.0, 5.0])
    curve = TableLightCurve(
        model="table", edges=(start + 2, start + 3.5, start + 5), factors=(2.0, 6.0)
    )
    args = (instrument, orientation, (start, stop), points, photons)
    steady, varied = burst_expectation(*args), burst_expectation(*args, curve)
    # records of 1 s: the mean of the factor over each
    factor = np.array([0, 0, 2, 4, 6, 0, 0, 0, 0, 0])
    np.testing.assert_allclose(varied, steady * factor[:, None, None, None], rtol=1e-6)


def test_expectation_of_points_is_the_sum_of_their_weights(simulation, instrument, orientation):
    interval, photons = simulation.sources["grb"].interval, np.array([3.0, 5.0])
    places, weights = orientation.z[[0, 40]], np.array([0.3, 0.7])

    def expect(points):
        return burst_expectation(instrument, orientation, interval, points, photons)

    parts = [
        w * expect((place[None], np.ones(1))) for place, w in zip(places, weights, strict=True)
    ]
    np.testing.assert_allclose(expect((places, weights)), sum(parts), rtol=1e-6)
