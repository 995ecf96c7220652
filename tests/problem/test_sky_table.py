"""Sky table against healpy."""

import healpy
import numpy as np
import pytest

from skyquilt.problem.sky_table import SkyTable
from skyquilt.sky.healpix import nest_to_vec
from skyquilt.status import GOOD

NSIDE = 4
N_ROW, N_HIT = 12 * NSIDE**2, 7
DIRECTIONS = nest_to_vec(16, np.arange(0, 3072, 13))


def make_table(ordering="RING", interpolation="bilinear", **changes):
    rows = np.random.default_rng(21).gamma(0.5, 1, (N_ROW, N_HIT)).astype(np.float32)
    if ordering == "NESTED":
        rows = healpy.reorder(rows.T, r2n=True).T.copy()
    totals = 3 * rows.sum(axis=1, dtype=float)
    arguments = {"rows": rows, "totals": totals, "nside": NSIDE, "ordering": ordering}
    return SkyTable(**arguments | {"interpolation": interpolation} | changes)


@pytest.mark.parametrize("ordering", ["RING", "NESTED"])
def test_block_when_bilinear_equals_healpy(ordering):
    # weights, and the products and sums of four rows, are rounded to float32
    table = make_table()
    block = make_table(ordering).block(DIRECTIONS)
    theta, phi = healpy.vec2ang(DIRECTIONS)
    for hit in range(N_HIT):
        expected = healpy.get_interp_val(table.rows[:, hit].astype(float), theta, phi)
        np.testing.assert_allclose(block.unit_counts[:, hit], expected, rtol=9 * 2**-24)
    expected = healpy.get_interp_val(table.totals, theta, phi)
    np.testing.assert_allclose(block.total, expected, rtol=2**-24)


@pytest.mark.parametrize("ordering", ["RING", "NESTED"])
def test_block_when_nearest_is_the_row_of_the_pixel(ordering):
    table = make_table()
    block = make_table(ordering, "nearest").block(DIRECTIONS)
    ipix = healpy.vec2pix(NSIDE, *DIRECTIONS.T)
    assert np.array_equal(block.unit_counts, table.rows[ipix].astype(float))
    assert np.array_equal(block.total, table.totals[ipix])


@pytest.mark.parametrize("interpolation", ["bilinear", "nearest"])
def test_block_of_several_directions_equals_one_by_one(interpolation):
    table = make_table(interpolation=interpolation)
    block = table.block(DIRECTIONS)
    for n, direction in enumerate(DIRECTIONS):
        assert np.array_equal(
            table.block(direction[np.newaxis]).unit_counts[0], block.unit_counts[n]
        )


def test_block_is_good_and_may_be_empty():
    block = make_table().block(DIRECTIONS)
    assert np.all(block.status == GOOD)
    assert block.status.dtype == np.uint8
    assert make_table().block(np.empty((0, 3))).unit_counts.shape == (0, N_HIT)


def test_block_when_rows_have_no_exposure_has_total_zero():
    block = make_table(rows=np.zeros((N_ROW, N_HIT), np.float32), totals=np.zeros(N_ROW)).block(
        DIRECTIONS
    )
    assert not block.total.any()


def test_block_never_touches_rows_without_weight():
    table = make_table(interpolation="nearest")
    ipix = healpy.vec2pix(NSIDE, *DIRECTIONS[0])
    rows = np.full_like(table.rows, np.nan)
    rows[ipix] = table.rows[ipix]
    block = make_table(interpolation="nearest", rows=rows).block(DIRECTIONS[:1])
    assert np.isfinite(block.unit_counts).all()


def test_cost_follows_the_neighbours():
    many, one = (
        make_table(interpolation=how).cost(DIRECTIONS, NSIDE) for how in ("bilinear", "nearest")
    )
    # rows of 0.2 ns per bin
    assert 2 < (many.seconds - one.seconds) / (N_HIT * 0.2e-9) <= 3
    assert many.n_bins == one.n_bins == N_HIT


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [("ordering", "nested", "RING, NESTED"), ("interpolation", "linear", "bilinear, nearest")],
)
def test_sky_table_when_an_option_is_unknown_names_it(name, value, allowed):
    arguments = {"ordering": "RING", "interpolation": "bilinear", name: value}
    rows = np.zeros((12, 1), np.float32)
    with pytest.raises(ValueError, match=f"^{name} '{value}': allowed are {allowed}"):
        SkyTable(rows, np.zeros(12), 1, **arguments)


@pytest.mark.parametrize(("name", "shape"), [("rows", (12, 1)), ("totals", (N_ROW, 1))])
def test_sky_table_when_a_shape_is_wrong_names_it(name, shape):
    with pytest.raises(ValueError, match=rf"^{name}: shape .* for nside 4"):
        make_table(**{name: np.zeros(shape)})


def test_block_when_direction_is_no_unit_vector_names_it():
    with pytest.raises(ValueError, match="allowed are unit vectors"):
        make_table().block(np.array([[np.nan, 1, 0]]))
