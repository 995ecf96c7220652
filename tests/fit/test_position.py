import numpy as np
import pytest

from skyquilt.fit.position import REACH, refine_positions
from skyquilt.sky.frames import lonlat_to_vec, rotation, separation
from skyquilt.sky.tangent import from_tangent, tangent_axes

PIXEL = 1.0
PLACES = [(10.0, 0.0), (359.9, 40.0), (180.0, -89.9), (0.0, 90.0)]


def peak(lon, lat, major=0.3, minor=0.15, angle=30.0, top=100.0, frame="icrs"):
    """TS that falls as an ellipse, by 1 at the axes given [deg]; angle from north to east."""
    vec = lonlat_to_vec(np.array([lon]), np.array([lat]))
    east, north = tangent_axes(vec, rotation("icrs", frame)[:, 2])
    turn = np.radians(angle)
    long = np.sin(turn) * east + np.cos(turn) * north
    short = np.cos(turn) * east - np.sin(turn) * north

    def ts_at(directions):
        along, across = (
            np.degrees((directions @ axis.T) / (directions @ vec.T))[:, 0] for axis in (long, short)
        )
        return top - (along / major) ** 2 - (across / minor) ** 2

    return vec, ts_at


def start_near(vec, east, north):
    axes = tangent_axes(vec, np.array([0.0, 0.0, 1.0]))
    return from_tangent(vec, axes, np.array([[east]]), np.array([[north]]))[:, 0]


@pytest.mark.parametrize(("lon", "lat"), PLACES)
def test_refined_position_of_a_parabola_is_exact(lon, lat):
    vec, ts_at = peak(lon, lat)
    found = refine_positions(ts_at, start_near(vec, 0.4, -0.3), "icrs", PIXEL)
    assert found.is_fitted.tolist() == [True]
    # the last move is below 0.05 of the mean error of 0.21 deg
    assert separation(found.direction, vec)[0] < 0.011
    assert found.ts[0] == pytest.approx(100, abs=0.05**2 * 2)


@pytest.mark.parametrize("frame", ["icrs", "galactic"])
def test_covariance_is_that_of_the_ellipse_in_icrs(frame):
    vec, ts_at = peak(50.0, 20.0, major=0.4, minor=0.2, angle=30.0, frame=frame)
    found = refine_positions(ts_at, vec, frame, PIXEL)
    s, c = np.sin(np.radians(30)), np.cos(np.radians(30))
    axes = np.array([[s, c], [c, -s]])  # rows: major and minor axis as (east, north)
    expected = axes.T @ np.diag([0.16, 0.04]) @ axes
    # the tangent plane stretches by the square of 0.5 deg
    np.testing.assert_allclose(found.covariance[0], expected, rtol=1e-3)


@pytest.mark.parametrize("width", [0.003, 0.03, 0.3, 3.0])
def test_error_does_not_depend_on_the_pixel(width):
    vec, ts_at = peak(120.0, -30.0, major=width, minor=width, top=1e6)
    found = refine_positions(ts_at, start_near(vec, 0.3, 0.5), "icrs", PIXEL)
    assert found.is_fitted[0]
    assert np.sqrt(found.covariance[0, 0, 0]) == pytest.approx(width, rel=5e-3)
    assert separation(found.direction, vec)[0] < 0.05 * width


def test_error_is_that_of_the_top_where_the_flanks_flatten():
    vec = lonlat_to_vec(np.array([30.0]), np.array([10.0]))

    def ts_at(directions):
        return 400 * np.exp(-0.5 * (separation(directions, vec) / 2.0) ** 2)

    found = refine_positions(ts_at, start_near(vec, 0.5, 0.5), "icrs", PIXEL)
    # 400 (1 - exp(-x^2/8)) = 1 at x = 0.1416 deg
    assert np.sqrt(found.covariance[0, 1, 1]) == pytest.approx(0.1416, rel=0.01)


def test_peak_that_rises_beyond_reach_is_not_fitted():
    vec, ts_at = peak(0.0, 0.0, major=3.0, minor=3.0)
    start = start_near(vec, 5.0, 0.0)
    found = refine_positions(ts_at, start, "icrs", PIXEL)
    assert found.is_fitted.tolist() == [False]
    assert np.all(np.isnan(found.covariance))
    assert separation(found.direction, start)[0] <= REACH * PIXEL * 1.001
    assert found.ts[0] == pytest.approx(ts_at(found.direction)[0])


def test_plain_without_a_top_is_not_fitted():
    start = lonlat_to_vec(np.array([1.0]), np.array([2.0]))
    found = refine_positions(lambda vec: np.zeros(len(vec)), start, "icrs", PIXEL)
    assert found.is_fitted.tolist() == [False]
    assert found.ts.tolist() == [0.0]
    assert separation(found.direction, start)[0] == pytest.approx(0, abs=1e-9)


def test_directions_without_a_ts_are_avoided():
    vec, ts_at = peak(0.0, 0.0)
    edge = lonlat_to_vec(0.05, 0.0)[1]  # nothing is seen farther east

    def with_edge(directions):
        return np.where(directions[:, 1] > edge, np.nan, ts_at(directions))

    found = refine_positions(with_edge, start_near(vec, -0.3, 0.0), "icrs", PIXEL)
    assert np.isfinite(found.ts[0])
    assert separation(found.direction, vec)[0] < 0.3


def test_many_peaks_give_the_positions_of_each_alone():
    places = [(10.0, 0.0), (40.0, 50.0), (200.0, -70.0)]
    peaks = [peak(*place) for place in places]

    def ts_at(directions):
        return np.max([one(directions) for _, one in peaks], axis=0)

    start = np.concatenate([start_near(vec, 0.2, 0.1 * k) for k, (vec, _) in enumerate(peaks)])
    together = refine_positions(ts_at, start, "icrs", PIXEL)
    for k in range(3):
        alone = refine_positions(ts_at, start[k : k + 1], "icrs", PIXEL)
        # sums of three products may round in another order: 1e-16 per round
        np.testing.assert_allclose(together.direction[k], alone.direction[0], atol=1e-14)


def test_no_peaks_are_no_positions():
    found = refine_positions(lambda vec: np.zeros(len(vec)), np.empty((0, 3)), "icrs", PIXEL)
    assert found.direction.shape == (0, 3)
    assert found.covariance.shape == (0, 2, 2)
