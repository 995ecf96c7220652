import numpy as np
import pytest

from skyquilt.instruments.compton.orientation_files import read_orientation
from skyquilt.instruments.compton.simulator.orbit import Orbit, fly, write_orientation
from skyquilt.sky.frames import separation

DAY = 86400.0


@pytest.fixture(scope="module")
def day(simulation):
    """A day of the same orbit."""
    return fly(simulation.model_copy(update={"duration": "1 d"}))


def test_fly_axes_are_orthogonal_unit_vectors(day):
    for vector in (day.x, day.z, day.zenith):
        np.testing.assert_allclose(np.linalg.norm(vector, axis=1), 1, rtol=1e-14)
    np.testing.assert_allclose(np.sum(day.x * day.z, axis=1), 0, atol=1e-14)  # rounding


def test_fly_stamps_are_fine_in_the_burst_and_coarse_elsewhere(simulation, orientation):
    time = orientation.time - simulation.start
    np.testing.assert_allclose(time[:12], [0, *range(12, 23)])
    np.testing.assert_allclose(np.diff(time)[12:-1], 15)
    assert time[-1] == 3600


def test_fly_rocks_to_both_sides_with_a_slew_between(day):
    angle = separation(day.z, day.zenith)
    assert angle.max() == pytest.approx(22, abs=1e-9)  # rounding of the axes
    assert np.mean(angle > 21.999) > 0.8
    slew = angle[(day.time - day.time[0] < 900)]
    assert 0 < slew[1:-1].min() < 1
    assert np.abs(np.diff(slew)).max() < 1  # degrees per record: no jump


def test_fly_zenith_goes_round_in_one_period(day):
    step = separation(day.zenith[100], day.zenith[101])
    # 360 deg in 95.6 min is 0.94 deg in 15 s
    assert step == pytest.approx(0.9413, rel=1e-3)


def test_fly_livetime_has_dead_time_gaps_and_none_in_the_last_record(day):
    fraction = day.livetime[:-1] / np.diff(day.time)
    assert set(np.unique(fraction.round(9))) == {0.0, 0.92}
    gap = np.flatnonzero(np.diff((fraction == 0).astype(int)) == 1)
    # one passage of the anomaly in each revolution of 102 min above the turning Earth
    assert gap.size == 14
    assert np.mean(fraction == 0) == pytest.approx(40 / 360, abs=0.01)
    assert day.livetime[-1] == 0


def test_axes_turn_the_boresight_to_the_local_z_axis(orbit, orientation):
    axes = orbit.axes(orientation.time)
    local = np.einsum("nij,nj->ni", axes, orientation.z)
    np.testing.assert_allclose(local, np.tile([0, 0, 1], (len(local), 1)), atol=1e-14)
    np.testing.assert_allclose(np.linalg.det(axes), 1, rtol=1e-14)


def test_zenith_at_start_has_the_given_right_ascension(simulation):
    from skyquilt.sky.frames import rotation, vec_to_lonlat

    orbit = Orbit(simulation.orbit, simulation.start)
    lon, lat = vec_to_lonlat(
        orbit.zenith(np.array([simulation.start])) @ rotation("icrs", "galactic")
    )
    np.testing.assert_allclose([lon[0], lat[0]], [330, 0], atol=1e-10)


def test_write_orientation_read_back_is_the_same(tmp_path, orientation):
    path = tmp_path / "orientation.ori"
    write_orientation(path, orientation)
    back = read_orientation(path)
    for name in ("time", "x", "z", "zenith", "altitude", "livetime"):
        # twelve digits of a degree in the text
        np.testing.assert_allclose(getattr(back, name), getattr(orientation, name), atol=1e-12)
    assert path.read_text().endswith("\nEN\n")
