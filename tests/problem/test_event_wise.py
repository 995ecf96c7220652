"""The event-wise expectation against its formula, event by event in NumPy."""

from dataclasses import replace

import numpy as np
import pytest

from skyquilt.problem.buckets import Buckets
from skyquilt.problem.event_wise import EventWise
from skyquilt.problem.sky_grid import HealpixGrid
from skyquilt.sky.frames import separation
from skyquilt.sky.healpix import nest_to_vec
from skyquilt.status import GOOD

THETA = np.radians(np.linspace(0, 1, 500) ** 2 * 12)
SIGMA = np.radians([0.3, 0.5, 1.0])
PROFILE = np.exp(-((THETA / SIGMA[:, None]) ** 2) / 2) / (2 * np.pi * SIGMA[:, None] ** 2)
DIRECTIONS = nest_to_vec(16, np.arange(100, 900, 37))
N = 20000


@pytest.fixture(scope="module")
def events():
    rng = np.random.default_rng(1)
    direction = rng.normal(size=(N, 3))
    direction /= np.linalg.norm(direction, axis=1)[:, np.newaxis]
    buckets, order = Buckets.sort(16, direction)
    return EventWise(
        direction=direction[order],
        flux_density=rng.uniform(1, 2, N),
        psf_node=np.append(rng.uniform(0, 2, N - 2), [0.0, 2.0]),
        exposure_node=np.append(rng.uniform(0, 3, N - 2), [0.0, 3.0]),
        buckets=buckets,
        exposure=HealpixGrid(4, rng.uniform(1, 2, (192, 4))),
        total_weight=rng.uniform(1, 2, 4),
        theta=THETA,
        profile=PROFILE,
    )


def linear(values, position):
    """Values between rows, shape (n,)."""
    below = np.minimum(position.astype(int), len(values) - 2)
    fraction, every = position - below, np.arange(len(position))
    return (1 - fraction) * values[below, every] + fraction * values[below + 1, every]


def slow_density(events, direction):
    """e_i(p) of all events, without any radius."""
    theta = np.radians(separation(events.direction, direction))
    psf = linear(np.array([np.interp(theta, THETA, row) for row in PROFILE]), events.psf_node)
    exposure = events.exposure.at(direction[np.newaxis])[0]
    seen = linear(np.repeat(exposure[:, np.newaxis], N, axis=1), events.exposure_node)
    return events.flux_density * seen * psf


def dense(block, n_hit):
    values = np.zeros((len(block.total), n_hit))
    row = block.direction
    values[row, block.bin] = block.unit_counts
    return values


def test_densities_equal_the_formula_event_by_event(events):
    found = dense(events.block(DIRECTIONS), N)

    assert np.count_nonzero(found) > 200
    for row, direction in zip(found, DIRECTIONS, strict=True):
        expected = slow_density(events, direction)
        # steps of the table, 1e-5 in the core; what is beyond the reach is below 1e-3 of the peak
        seen = row > 0
        np.testing.assert_allclose(row[seen], expected[seen], rtol=2e-3, atol=3e-5 * expected.max())
        assert np.all(expected[~seen] < 2e-3 * PROFILE.max() * 4)


def test_each_event_is_there_once(events):
    block = events.block(DIRECTIONS)

    for bins in np.split(block.bin, block.indptr[1:-1]):
        assert len(set(bins)) == len(bins)


def test_no_event_within_reach_is_missed(events):
    found = dense(events.block(DIRECTIONS), N) > 0

    # three sigma of the narrowest are within the reach, 3.7 sigma, of every event
    is_close = np.array([separation(events.direction, d) < 0.9 for d in DIRECTIONS])
    assert is_close.sum() > 5
    assert np.all(found[is_close])


def test_total_is_the_weighted_exposure(events):
    block = events.block(DIRECTIONS)

    expected = events.exposure.at(DIRECTIONS) @ events.total_weight
    np.testing.assert_allclose(block.total, expected, rtol=1e-12)
    assert np.all(block.status == GOOD)


def test_density_integrates_to_the_exposure():
    # events on a fine grid around the source stand for an integral over solid angle
    nside, exposure = 512, 7.0
    ipix = np.arange(12 * nside**2)
    near = nest_to_vec(nside, ipix)
    near = near[separation(near, DIRECTIONS[0]) < 5]
    n = len(near)
    buckets, order = Buckets.sort(16, near)
    grid = EventWise(
        *(near[order], np.ones(n), np.full(n, 1.0), np.zeros(n), buckets),
        exposure=HealpixGrid(1, np.full((12, 1), exposure)),
        total_weight=np.ones(1),
        theta=THETA,
        profile=PROFILE,
    )

    block = grid.block(DIRECTIONS[:1])

    # lost beyond the reach: at most 1e-3
    integral = block.unit_counts.sum() * 4 * np.pi / (12 * nside**2)
    assert 0.999 * block.total[0] < integral * (1 + 1e-4) < block.total[0] * (1 + 2e-4)


def test_result_does_not_depend_on_the_block(events):
    together = dense(events.block(DIRECTIONS), N)
    alone = np.concatenate([dense(events.block(d[np.newaxis]), N) for d in DIRECTIONS])

    np.testing.assert_array_equal(together, alone)


def test_no_directions_give_an_empty_block(events):
    block = events.block(np.empty((0, 3)))

    assert [len(part) for part in block[:5]] == [1, 0, 0, 0, 0]


def test_selected_events_have_the_same_densities(events):
    kept = np.arange(0, N, 7)

    block = events.select_bins(kept).block(DIRECTIONS)

    found = dense(block, len(kept))
    np.testing.assert_array_equal(found, dense(events.block(DIRECTIONS), N)[:, kept])
    np.testing.assert_array_equal(block.total, events.block(DIRECTIONS).total)


def test_smaller_lost_fraction_reaches_farther(events):
    few = events.block(DIRECTIONS)
    many = replace(events, lost_fraction=1e-6).block(DIRECTIONS)

    assert len(many.bin) > 1.5 * len(few.bin)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("flux_density", np.ones(3), "flux_density: shape"),
        ("direction", np.ones((3, 3)), "direction: shape"),
        ("total_weight", np.ones(3), "total_weight: shape"),
        ("psf_node", np.full(N, 2.1), "psf_node: allowed are 0 to 2"),
        ("exposure_node", np.full(N, np.nan), "exposure_node: allowed are 0 to 3"),
    ],
)
def test_impossible_parts_are_refused(events, name, value, message):
    with pytest.raises(ValueError, match=message):
        replace(events, **{name: value})
