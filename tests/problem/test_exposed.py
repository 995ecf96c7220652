"""Directions beside others that have some response."""

import numpy as np
import pytest

from skyquilt.fit.pixels import fit_pixels
from skyquilt.problem import Description, FitProblem, LocalTable, SkyTable
from skyquilt.problem.exposed import LEAST_EXPOSURE
from skyquilt.sky.healpix import nest_to_vec, ring_to_vec
from skyquilt.status import GOOD, NO_EXPOSURE, OCCULTED

NSIDE = 4
N_ROW = 12 * NSIDE**2


def make_rows(is_seen, rng):
    rows = rng.gamma(1, 1, (N_ROW, 20)) * is_seen[:, np.newaxis]
    return rows.astype(np.float32), rows.sum(axis=1)


def make_problem(expectation):
    n = expectation.n_hit
    about = Description("toy", "flat", (1.0, 2.0), n_bins=n)
    return FitProblem(np.ones(n), np.ones(n), expectation, "galactic", 1.0, about)


@pytest.mark.parametrize("ordering", ["RING", "NESTED"])
def test_direction_without_response_beside_one_with_some_has_no_exposure(ordering):
    """Its centre is off by rounding, so that bilinear weights of neighbours are 1e-14, not 0."""
    rng = np.random.default_rng(1)
    centers = (ring_to_vec if ordering == "RING" else nest_to_vec)(NSIDE, np.arange(N_ROW))
    is_seen = centers[:, 2] > 0.1
    expectation = SkyTable(*make_rows(is_seen, rng), NSIDE, ordering, "bilinear")
    nudged = centers + 1e-15 * rng.normal(size=centers.shape)

    fit = fit_pixels(make_problem(expectation), np.concatenate([centers, nudged]))

    expected = np.tile(np.where(is_seen, True, False), 2)
    np.testing.assert_array_equal(fit.status != NO_EXPOSURE, expected)
    assert np.all(np.isnan(fit.flux[~expected]))
    assert np.nanmax(fit.flux) < 100


def test_status_follows_the_total_whatever_the_cut():
    rng = np.random.default_rng(2)
    is_seen = ring_to_vec(NSIDE, np.arange(N_ROW))[:, 2] > 0
    expectation = SkyTable(*make_rows(is_seen, rng), NSIDE, "RING", "bilinear")
    directions = nest_to_vec(64, np.arange(0, 49152, 11))
    block = expectation.block(directions)

    is_lost = block.total < LEAST_EXPOSURE * expectation.totals.max()
    np.testing.assert_array_equal(block.status, np.where(is_lost, NO_EXPOSURE, GOOD))
    alone = [expectation.block(direction[np.newaxis]).status[0] for direction in directions[::50]]
    np.testing.assert_array_equal(alone, block.status[::50])


def test_occulted_directions_stay_so():
    rng = np.random.default_rng(3)
    is_seen = ring_to_vec(NSIDE, np.arange(N_ROW))[:, 2] > 0
    place = np.array([[0.0, 0.0, 1.0]])
    table = LocalTable(
        *make_rows(is_seen, rng),
        *(NSIDE, np.eye(3)[np.newaxis], np.array([10.0]), place, np.array([-0.2])),
    )

    up, low = [0.6, 0.0, 0.8], [0.96, 0.0, -0.28]
    status = table.block(np.array([up, low, [0.0, 0.0, -1.0]])).status

    assert status.tolist() == [GOOD, OCCULTED, OCCULTED]
