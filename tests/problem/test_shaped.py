import healpy
import numpy as np
import pytest

from skyquilt.blocks import DenseBlock, RowBlock, SparseBlock
from skyquilt.config.shape import Disk, EllipticalGaussian
from skyquilt.problem.cost import Cost
from skyquilt.problem.shaped import Shaped
from skyquilt.sky.shapes import to_nodes
from skyquilt.status import GOOD, NO_EXPOSURE
from skyquilt.testing.toy import Telescope

POLE = np.array([0.0, 0.0, 1.0])
NODES = to_nodes(EllipticalGaussian(model="elliptical_gaussian", sigma=8, ratio=0.5, angle=20))
DIRECTIONS = np.array([[1.0, 0, 0], [0, 0.6, 0.8], [0, 0, -1.0]])


class Parts:
    """Expectation of two bins that grow to the north and to the east, as any kind of block."""

    n_hit, entries_per_direction = 2, 2.0

    def __init__(self, kind):
        self.kind = kind

    def block(self, directions):
        x, _, z = directions.T
        counts, total = np.column_stack([1 + z, 1 + x]), 5 + z
        status = np.full(len(z), GOOD, np.uint8)
        if self.kind == "half":
            status[z < 0] = NO_EXPOSURE
            counts[z < 0] = np.nan
            total = np.where(z < 0, np.nan, total)
        if self.kind == "sparse":
            bins = np.tile([0, 1], len(z))
            return SparseBlock(2 * np.arange(len(z) + 1), bins, counts.ravel(), total, status, 2)
        return DenseBlock(counts, total, status)

    def cost(self, directions, nside):
        return Cost(7.0, 2.0)


def brute_force(expectation, nodes, directions):
    points = nodes.around(directions, POLE)
    return np.stack(
        [np.einsum("n,nb->b", nodes.weight, expectation.block(one).unit_counts) for one in points]
    )


@pytest.mark.parametrize("kind", ["dense", "sparse"])
def test_block_is_the_weighted_sum_of_points(kind):
    block = Shaped(Parts(kind), NODES, POLE).block(DIRECTIONS)
    wanted = brute_force(Parts("dense"), NODES, DIRECTIONS)
    np.testing.assert_allclose(block.unit_counts.reshape(3, 2), wanted, rtol=1e-12)
    np.testing.assert_allclose(block.total, 4 + wanted[:, 0], rtol=1e-12)
    assert np.all(block.status == GOOD)


def test_points_that_are_not_seen_add_nothing():
    block = Shaped(Parts("half"), NODES, POLE).block(DIRECTIONS)
    points = NODES.around(DIRECTIONS[:1], POLE)[0]
    is_seen = points[:, 2] >= 0
    wanted = NODES.weight[is_seen] @ (1 + points[is_seen, 2])
    assert block.unit_counts[0, 0] == pytest.approx(wanted, rel=1e-12)
    assert block.status.tolist() == [GOOD, GOOD, NO_EXPOSURE]


def test_rows_of_a_table_are_weighted_rows():
    table = Telescope().problem(np.ones(960)).expectation
    block = Shaped(table, NODES, POLE).block(DIRECTIONS)
    assert isinstance(block, RowBlock)
    wanted = brute_force(table, NODES, DIRECTIONS)
    # rows are added up in float32
    np.testing.assert_allclose(block.unit_counts, wanted, rtol=1e-5)


def test_many_directions_give_what_each_gives(monkeypatch):
    monkeypatch.setattr("skyquilt.problem.shaped._MOST_ENTRIES", 2 * NODES.weight.size * 2)
    directions = np.array(healpy.pix2vec(2, np.arange(48))).T
    for kind in ("dense", "sparse"):
        shaped = Shaped(Parts(kind), NODES, POLE)
        block = shaped.block(directions)
        each = [shaped.block(one[np.newaxis]).unit_counts.ravel() for one in directions]
        np.testing.assert_array_equal(block.unit_counts.reshape(48, 2), each)


def test_work_counts_the_points():
    nodes = to_nodes(Disk(model="disk", radius=1))
    assert (
        Shaped(Parts("dense"), nodes, POLE).cost(DIRECTIONS, 8).seconds == 7.0 * nodes.weight.size
    )
