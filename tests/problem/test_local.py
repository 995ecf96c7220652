"""Local table against plain loops over attitude samples with healpy's weights."""

import healpy
import numpy as np
import pytest

from skyquilt.problem.local import LocalTable
from skyquilt.sky.healpix import nest_to_vec
from skyquilt.status import GOOD, OCCULTED

NSIDE = 4
N_ROW, N_HIT, N_T = 12 * NSIDE**2, 7, 5


def random_rotations(n, rng):
    matrices = np.linalg.qr(rng.normal(size=(n, 3, 3)))[0]
    return matrices * np.linalg.det(matrices)[:, np.newaxis, np.newaxis]


def make_table(n_t=N_T, n_hit=N_HIT, **changes):
    rng = np.random.default_rng(11)
    rows = rng.gamma(0.5, 1, (N_ROW, n_hit)).astype(np.float32)
    arguments = {
        "rows": rows,
        "totals": rows.sum(axis=1, dtype=float) * 3,
        "nside": NSIDE,
        "rotation": random_rotations(n_t, rng),
        "weight": rng.uniform(0.1, 1, n_t),
    }
    return LocalTable(**arguments | changes)


def zenith_and_horizon(n_t=N_T):
    zenith = np.random.default_rng(12).normal(size=(n_t, 3))
    zenith /= np.linalg.norm(zenith, axis=1, keepdims=True)
    return {"zenith": zenith, "horizon_cos": np.linspace(-0.4, 0.2, n_t)}


def expected_block(table, directions):
    """The same, one direction and one sample at a time."""
    unit_counts, total = np.zeros((len(directions), table.n_hit)), np.zeros(len(directions))
    for n, source in enumerate(directions):
        for t, seconds in enumerate(table.weight):
            if table.zenith is not None and source @ table.zenith[t] <= table.horizon_cos[t]:
                continue
            x, y, z = table.rotation[t] @ source
            theta, phi = np.arctan2(np.hypot(x, y), z), np.arctan2(y, x)
            ipix, weight = healpy.get_interp_weights(table.nside, theta, phi)
            unit_counts[n] += seconds * weight @ table.rows[ipix].astype(float)
            total[n] += seconds * weight @ table.totals[ipix]
    return unit_counts, total


DIRECTIONS = nest_to_vec(8, np.arange(0, 768, 7))
# a weight and up to 16 products and sums in float32, each rounded by 2^-24 at most
CLOSE = {"rtol": 33 * 2**-24}


@pytest.mark.parametrize("n_t", [1, 5, 200])
@pytest.mark.parametrize("horizon", [False, True])
def test_block_equals_plain_loops(n_t, horizon):
    table = make_table(n_t, **zenith_and_horizon(n_t) if horizon else {})
    block = table.block(DIRECTIONS[:40])
    unit_counts, total = expected_block(table, DIRECTIONS[:40])
    np.testing.assert_allclose(block.unit_counts, unit_counts, **CLOSE)
    np.testing.assert_allclose(block.total, total, **CLOSE)


def test_block_when_hits_span_several_tiles_equals_plain_loops(monkeypatch):
    table = make_table(n_hit=5000)
    block = table.block(DIRECTIONS[:3])
    np.testing.assert_allclose(block.unit_counts, expected_block(table, DIRECTIONS[:3])[0], **CLOSE)


def test_block_of_several_directions_equals_one_by_one():
    table = make_table()
    block = table.block(DIRECTIONS)
    for n, direction in enumerate(DIRECTIONS):
        alone = table.block(direction[np.newaxis])
        assert np.array_equal(alone.unit_counts[0], block.unit_counts[n])
        assert alone.total[0] == block.total[n]


def test_block_of_no_directions_is_empty():
    block = make_table().block(np.empty((0, 3)))
    assert block.unit_counts.shape == (0, N_HIT)
    assert block.total.shape == block.status.shape == (0,)


def test_block_when_there_are_no_hits_has_totals():
    table = make_table(n_hit=0, totals=np.ones(N_ROW))
    assert table.block(DIRECTIONS).unit_counts.shape == (len(DIRECTIONS), 0)
    # weights sum to 1 but for their rounding to float32
    np.testing.assert_allclose(table.block(DIRECTIONS).total, table.weight.sum(), rtol=2**-24)


def test_block_when_weights_are_doubled_doubles():
    table = make_table()
    double = make_table(weight=2 * table.weight)
    # doubling is exact
    assert np.array_equal(
        double.block(DIRECTIONS).unit_counts, 2 * table.block(DIRECTIONS).unit_counts
    )


def test_weights_sum_to_the_time():
    weights, _ = make_table().weights(DIRECTIONS[:1])
    assert weights.weight.sum() == pytest.approx(make_table().weight.sum(), rel=1e-12)  # rounding
    assert np.unique(weights.row).size == weights.row.size


def test_weights_on_pixel_centres_are_above_zero():
    table = make_table(1, rotation=np.eye(3)[np.newaxis])
    weights, _ = table.weights(nest_to_vec(NSIDE, np.arange(N_ROW)))
    assert weights.weight.min() > 0  # bilinear weights round below


def test_block_never_touches_rows_without_weight():
    table = make_table(weight=np.array([1.0, 0, 0, 0, 0]))
    weights, _ = table.weights(DIRECTIONS[:1])
    assert 1 <= weights.row.size <= 4
    rows = np.full_like(table.rows, np.nan)
    rows[weights.row] = table.rows[weights.row]
    found = make_table(rows=rows, weight=table.weight).block(DIRECTIONS[:1])
    assert np.isfinite(found.unit_counts).all()


def test_block_when_all_weights_are_zero_has_no_total_and_is_not_occulted():
    block = make_table(weight=np.zeros(N_T), **zenith_and_horizon()).block(DIRECTIONS)
    assert not block.total.any()
    assert not block.unit_counts.any()
    assert np.all(block.status == GOOD)


def one_sample(horizon_cos, weight=(1.0,), zenith=((0.0, 0, 1),)):
    return make_table(
        len(weight),
        weight=np.array(weight),
        zenith=np.array(zenith),
        horizon_cos=np.full(len(weight), horizon_cos),
    )


@pytest.mark.parametrize(
    ("height", "expected"), [(-0.39, GOOD), (-0.4, OCCULTED), (-0.41, OCCULTED), (1.0, GOOD)]
)
def test_block_at_and_around_the_horizon(height, expected):
    source = np.array([[np.sqrt(1 - height**2), 0, height]])
    block = one_sample(-0.4).block(source)
    assert block.status[0] == expected
    assert (block.total[0] > 0) == (expected == GOOD)


def test_block_when_visible_in_one_sample_counts_only_that():
    table = one_sample(-0.4, weight=(1.0, 2.0), zenith=((0.0, 0, 1), (0.0, 0, -1)))
    up = np.array([[0.0, 0, 1]])
    weights, status = table.weights(up)
    assert status[0] == GOOD
    assert weights.weight.sum() == pytest.approx(1, rel=1e-12)  # rounding


def test_block_when_visible_only_without_livetime_is_occulted():
    table = one_sample(-0.4, weight=(1.0, 0.0), zenith=((0.0, 0, -1), (0.0, 0, 1)))
    assert table.block(np.array([[0.0, 0, 1]])).status[0] == OCCULTED


def test_block_when_rows_are_mapped_equals_rows_in_memory(tmp_path):
    table = make_table()
    np.save(tmp_path / "rows.npy", table.rows)
    mapped = make_table(rows=np.load(tmp_path / "rows.npy", mmap_mode="r"))
    assert np.array_equal(mapped.block(DIRECTIONS).unit_counts, table.block(DIRECTIONS).unit_counts)


def test_block_never_changes_its_inputs():
    table = make_table(**zenith_and_horizon())
    names = ("rows", "totals", "rotation", "weight", "zenith", "horizon_cos")
    before = {name: getattr(table, name).copy() for name in names}
    table.block(DIRECTIONS)
    assert all(np.array_equal(getattr(table, name), before[name]) for name in names)


def test_cost_grows_with_samples_up_to_all_rows():
    def seconds(n_sample, **options):
        return make_table(n_sample, **options).cost(DIRECTIONS, 4).seconds

    assert seconds(1) < seconds(5)
    assert seconds(101, n_hit=5000) - seconds(100, n_hit=5000) < 1e-6


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("rows", (N_ROW + 1, N_HIT)),
        ("totals", (N_ROW - 1,)),
        ("rotation", (N_T, 3, 2)),
        ("rotation", (N_T + 1, 3, 3)),
        ("zenith", (N_T, 2)),
        ("horizon_cos", (1,)),
    ],
)
def test_local_table_when_a_shape_is_wrong_names_it(name, shape):
    with pytest.raises(ValueError, match=rf"^{name}: shape \({shape[0]},.* expected"):
        make_table(**zenith_and_horizon() | {name: np.zeros(shape)})


@pytest.mark.parametrize("name", ["zenith", "horizon_cos"])
def test_local_table_when_horizon_is_half_given_names_what_is_missing(name):
    with pytest.raises(ValueError, match=rf"^{name}: shape \(\), expected"):
        make_table(**zenith_and_horizon() | {name: None})


@pytest.mark.parametrize("wrong", [2 * np.eye(3), np.full((3, 3), np.nan)])
def test_local_table_when_matrix_is_no_rotation_names_it(wrong):
    rotation = make_table().rotation.copy()
    rotation[2] = wrong
    with pytest.raises(ValueError, match="rotation 2 is no orthogonal matrix"):
        make_table(rotation=rotation)


@pytest.mark.parametrize("wrong", [-1.0, np.nan, np.inf])
def test_local_table_when_weight_is_wrong_names_it(wrong):
    with pytest.raises(ValueError, match=f"weight 1 is {wrong} s: allowed is 0 or more"):
        make_table(weight=np.array([1, wrong, 1, 1, 1]))


def test_block_when_direction_is_no_unit_vector_names_it():
    with pytest.raises(ValueError, match="allowed are unit vectors"):
        make_table().block(np.array([[1.0, 1, 0]]))
