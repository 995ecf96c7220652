"""Blocks of all kinds hold the same expected counts, however they are asked for."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from skyquilt.blocks import DenseBlock, RowBlock, SparseBlock, SparseWeights, join_blocks

COUNTS = np.array([[0.0, 2.0, 1.0], [0.0, 0.0, 0.0], [4.0, 0.0, 3.0]])
TOTAL, STATUS = np.array([5.0, 1.0, 9.0]), np.array([0, 3, 0], np.uint8)
KINDS = {
    "dense": DenseBlock(COUNTS, TOTAL, STATUS),
    "sparse": SparseBlock(
        np.array([0, 2, 2, 4]), np.array([1, 2, 2, 0]), np.array([2.0, 1, 3, 4]), TOTAL, STATUS, 3
    ),
    "rows": RowBlock(
        COUNTS.astype(np.float32),
        TOTAL,
        SparseWeights(np.arange(4), np.arange(3), np.ones(3)),
        STATUS,
    ),
}


@pytest.fixture(params=KINDS)
def block(request):
    return KINDS[request.param]


def assert_holds(block, counts, total, status):
    assert block.n_hit == counts.shape[1]
    for same in (block, block.dense(), block.csr()):
        np.testing.assert_array_equal(same.dense().unit_counts, counts)
        np.testing.assert_array_equal(same.total, total)
        assert same.status.tolist() == list(status)
    np.testing.assert_array_equal(block.csr().matrix.toarray(), counts)
    assert block.csr().indptr[0] == 0
    assert block.csr().indptr.size == len(total) + 1


def test_block_is_the_same_dense_and_in_lists(block):
    assert_holds(block, COUNTS, TOTAL, STATUS)


def test_blocks_are_joined_in_their_order(block):
    whole = join_blocks([block, block])
    assert type(whole) is type(block)
    assert_holds(whole, np.tile(COUNTS, (2, 1)), np.tile(TOTAL, 2), np.tile(STATUS, 2))


def test_one_block_is_joined_with_nothing(block):
    assert join_blocks([block]) is block


def test_weighted_sums_of_directions_leave_out_those_without_weight():
    weights = np.array([[0.5, 0.0, 2.0], [0.0, 0.0, 1.0]])
    status = np.array([0, 2], np.uint8)
    for block in KINDS.values():
        found = block.combine(csr_array(weights), status)
        assert type(found) is type(block)
        assert_holds(found, weights @ COUNTS, weights @ TOTAL, status)


@pytest.mark.parametrize("kind", ["dense", "sparse"])
def test_what_has_no_weight_may_be_anything(kind):
    block = KINDS[kind]
    lost = block._replace(total=np.array([5.0, np.nan, 9.0]))
    if kind == "dense":
        lost = lost._replace(unit_counts=np.where(np.arange(3)[:, None] == 1, np.nan, COUNTS))
    weights = csr_array((np.array([1.0, 0.0]), np.array([0, 1]), np.array([0, 2])), shape=(1, 3))
    assert_holds(lost.combine(weights, STATUS[:1]), COUNTS[:1], TOTAL[:1], STATUS[:1])
