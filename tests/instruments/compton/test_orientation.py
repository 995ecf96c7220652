import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skyquilt.errors import InputError
from skyquilt.instruments.compton.orientation import Orientation, cut_attitude
from skyquilt.sky.frames import lonlat_to_vec, separation

START = 1.8e9


def orientation(time, z_lon=0.0, z_lat=0.0, livetime=None, altitude=550.0):
    """Orientation with x on the equator; `time` in s after the start."""
    time = np.array(time, dtype=float)
    z_lon, z_lat = np.broadcast_to(z_lon, time.shape), np.broadcast_to(z_lat, time.shape)
    livetime = np.append(np.diff(time), 0) if livetime is None else np.array(livetime, dtype=float)
    z, x = lonlat_to_vec(z_lon, z_lat), lonlat_to_vec(z_lon + 90.0, 0 * z_lat)
    return Orientation("o.ori", START + time, x, z, z, np.full(time.shape, altitude), livetime)


def cut(orientation, start, stop, weights="livetime"):
    return cut_attitude(orientation, START + start, START + stop, weights)


def z_axes(attitude):
    return attitude.rotation[:, 2]


def test_rotation_takes_the_axes_of_the_spacecraft_to_unit_vectors():
    attitude = cut(orientation([0, 1], z_lon=40.0, z_lat=30.0), 0, 1)

    x, z = lonlat_to_vec(130.0, 0.0), lonlat_to_vec(40.0, 30.0)
    frame = attitude.rotation[0] @ np.stack([x, np.cross(z, x), z], axis=1)
    np.testing.assert_allclose(frame, np.eye(3), atol=1e-15)


def test_rotation_of_slightly_skew_axes_is_the_nearest_one():
    skew = orientation([0, 1])
    skew.x[:] = lonlat_to_vec(90.001, 0.0)

    rotation = cut(skew, 0, 1).rotation[0]

    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-15)
    # both axes give way by half of the thousandth of a degree
    assert separation(rotation[2], skew.z[0]) == pytest.approx(0.0005, rel=1e-3)
    assert separation(rotation[0], skew.x[0]) == pytest.approx(0.0005, rel=1e-3)


@pytest.mark.parametrize(
    ("start", "stop", "weights"),
    [
        (5, 45, [10, 15, 15]),
        (0, 40, [15, 15, 10]),
        (15, 45, [15, 15]),
        (5.5, 45.5, [9.5, 15, 15, 0.5]),
        (20, 25, [5]),
        (29.75, 30.5, [0.25, 0.5]),
    ],
)
def test_weights_at_15_s_sampling_add_up_to_the_interval(start, stop, weights):
    # cosipy keeps 30 s of [5, 45], 45 s of [0, 40] and 40 s of [5.5, 45.5]
    attitude = cut(orientation(np.arange(0, 61, 15)), start, stop)

    np.testing.assert_allclose(attitude.weight, weights, rtol=1e-12)


@given(st.floats(0, 60), st.floats(0, 60))
def test_elapsed_weights_add_up_to_any_interval(first, second):
    start, stop = START + min(first, second), START + max(first, second)
    if start == stop:
        return

    attitude = cut_attitude(orientation([0, 3, 20, 21, 45, 60]), start, stop, "elapsed")

    assert attitude.weight.sum() == pytest.approx(stop - start, rel=1e-12)


def test_livetime_weights_differ_from_elapsed_time():
    half = orientation(np.arange(0, 41, 10), livetime=[5, 5, 5, 5, 0])

    assert cut(half, 0, 40, "livetime").weight.sum() == 20
    assert cut(half, 0, 40, "elapsed").weight.sum() == 40
    assert cut(half, 5, 20, "livetime").weight.tolist() == [2.5, 5]


def test_intervals_without_livetime_leave_no_sample():
    gap = orientation(np.arange(0, 41, 10), z_lon=np.arange(5.0), livetime=[10, 0, 0, 10, 0])

    attitude = cut(gap, 0, 40)

    assert attitude.weight.tolist() == [10, 10]
    np.testing.assert_allclose(z_axes(attitude), lonlat_to_vec(np.array([0.0, 3.0]), np.zeros(2)))


def test_start_inside_an_interval_without_livetime_enters_at_the_next():
    # cosipy raises UnboundLocalError for a non-integer start there
    gap = orientation(np.arange(0, 41, 10), z_lon=np.arange(5.0), livetime=[10, 0, 10, 10, 0])

    attitude = cut(gap, 12.5, 40)

    assert attitude.weight.tolist() == [10, 10]
    np.testing.assert_allclose(z_axes(attitude)[0], lonlat_to_vec(2.0, 0.0))


@pytest.mark.parametrize(
    ("lon_from", "lon_to", "between"),
    [
        (10.0, 20.0, 15.0),
        (50.0, 49.9, 49.95),  # cosipy: 229.95
        (359.9, 0.1, 0.0),
        (0.1, 359.9, 0.0),
        (355.0, 5.0, 0.0),
        (5.0, 355.0, 0.0),
    ],
)
def test_attitude_between_stamps_follows_the_short_way(lon_from, lon_to, between):
    attitude = cut(orientation([0, 10], z_lon=np.array([lon_from, lon_to])), 5, 10)

    # 1e-12 deg is rounding of unit vectors, 4e-15, in the middle of the way
    assert separation(z_axes(attitude)[0], lonlat_to_vec(between, 0.0)) < 1e-12
    assert separation(attitude.zenith[0], lonlat_to_vec(between, 0.0)) < 1e-12


def test_attitude_between_stamps_near_the_pole_is_on_the_great_circle():
    slew = orientation([0, 10], z_lon=np.array([0.0, 180.0]), z_lat=np.array([80.0, 80.0]))
    slew.x[:] = lonlat_to_vec(90.0, 0.0)  # the slew turns around x, over the pole

    assert separation(z_axes(cut(slew, 5, 10))[0], lonlat_to_vec(0.0, 90.0)) < 1e-12


def test_attitude_at_a_quarter_of_the_step_is_a_quarter_of_the_way():
    attitude = cut(orientation([0, 10], z_lon=np.array([0.0, 8.0])), 2.5, 10)

    assert separation(z_axes(attitude)[0], lonlat_to_vec(2.0, 0.0)) < 1e-12


def test_attitude_within_the_interval_is_that_of_the_stamps():
    lon = np.array([0.0, 8.0, 9.0])
    attitude = cut(orientation([0, 10, 20], z_lon=lon), 0, 20)

    np.testing.assert_allclose(z_axes(attitude), lonlat_to_vec(lon[:2], np.zeros(2)), atol=1e-15)


def test_cut_does_not_change_the_orientation():
    whole = orientation([0, 10, 20], z_lon=np.array([0.0, 8.0, 9.0]))
    before = {name: np.copy(value) for name, value in vars(whole).items()}

    cut(whole, 5, 15)

    for name, value in before.items():
        np.testing.assert_array_equal(getattr(whole, name), value)


def test_altitude_between_stamps_is_interpolated():
    rising = orientation([0, 10])
    rising.altitude[:] = [500, 600]

    # FORMATS of cosipy: occulted from 180 deg - asin(R / (R + h)), h = 550 km
    angle = np.pi - np.arcsin(6378 / (6378 + 550))
    assert cut(rising, 5, 10).horizon_cos[0] == pytest.approx(np.cos(angle), rel=1e-12)


@pytest.mark.parametrize(("start", "stop"), [(-1, 5), (5, 41), (-2, -1), (50, 60)])
def test_interval_that_is_not_covered_is_refused(start, stop):
    with pytest.raises(InputError, match=r"o\.ori: covers 1800000000\.0+ to 1800000040\.0+ s, not"):
        cut(orientation(np.arange(0, 41, 10)), start, stop)


def test_interval_without_livetime_is_refused():
    dead = orientation([0, 10, 20], livetime=[10, 0, 0])

    with pytest.raises(InputError, match=r"no livetime time between .*`time_weights: elapsed`"):
        cut(dead, 12, 18)
    assert cut(dead, 12, 18, "elapsed").weight.tolist() == [6]


def test_livetime_between_counts_parts_in_proportion():
    half = orientation([0, 10, 20], livetime=[5, 10, 0])

    assert half.livetime_between(START + 5, START + 15) == 7.5


@pytest.mark.parametrize(("altitude", "has_earth"), [(550, True), (0, False)])
def test_has_earth_needs_an_altitude(altitude, has_earth):
    assert orientation([0, 10], altitude=altitude).has_earth() is has_earth
