"""Expected counts of a source of unit flux, for a block of directions: dense, sparse, or rows."""

from skyquilt.blocks.block import Block, join_blocks
from skyquilt.blocks.counts import DenseBlock, SparseBlock
from skyquilt.blocks.rows import RowBlock, SparseWeights

__all__ = ["Block", "DenseBlock", "RowBlock", "SparseBlock", "SparseWeights", "join_blocks"]
