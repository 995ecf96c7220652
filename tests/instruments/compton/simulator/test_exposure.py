import numpy as np
import pytest

from skyquilt.instruments.compton.simulator.exposure import (
    exposures,
    livetime_within,
    record_weights,
    spacecraft_axes,
    take,
    within,
)
from skyquilt.instruments.compton.simulator.telescope import zenith_factor


def test_exposures_equal_a_loop_over_records(orientation):
    directions = np.array([orientation.z[3], -orientation.zenith[3], orientation.x[9]])
    expected = np.zeros(3)
    limb = np.degrees(np.arcsin(6378 / 6928))
    for z, zenith, live in zip(
        orientation.z, orientation.zenith, orientation.livetime, strict=True
    ):
        for place, direction in enumerate(directions):
            if np.degrees(np.arccos(zenith @ direction)) < 180 - limb:
                expected[place] += live * zenith_factor(z @ direction)
    np.testing.assert_allclose(
        exposures(orientation, orientation.livetime, directions), expected, rtol=1e-12
    )


def test_exposures_in_many_blocks_are_the_same(orientation, monkeypatch):
    directions = orientation.z[:5]
    whole = exposures(orientation, orientation.livetime, directions)
    monkeypatch.setattr("skyquilt.instruments.compton.simulator.exposure._BLOCK", 64)
    parts = exposures(orientation, orientation.livetime, directions)
    np.testing.assert_allclose(parts, whole, rtol=1e-13)  # order of the sum


def test_record_weights_below_the_horizon_are_zero(orientation):
    weights = record_weights(orientation, orientation.livetime, -orientation.zenith[:1])
    assert weights[0, 0] == 0
    assert weights.max() > 0


def test_livetime_within_counts_parts_of_records(orientation):
    start = orientation.time[0]
    live = livetime_within(orientation, start + 6, start + 12.5)
    assert live.sum() == pytest.approx(6.5 * 0.92, rel=1e-9)  # stamps to 2e-7 s


def test_within_is_half_open():
    time = np.arange(4.0)
    np.testing.assert_array_equal(within(time, 1.0, 3.0), [False, True, True, False])


def test_take_some_records_keeps_their_columns(orientation):
    some = take(orientation, np.array([3, 5]))
    np.testing.assert_array_equal(some.time, orientation.time[[3, 5]])
    np.testing.assert_array_equal(some.livetime, orientation.livetime[[3, 5]])


def test_spacecraft_axes_are_right_handed(orientation):
    x, y, z = spacecraft_axes(orientation)
    np.testing.assert_allclose(np.cross(x, y), z, atol=1e-14)
