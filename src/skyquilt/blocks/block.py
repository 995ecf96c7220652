"""What all blocks of expected counts have in common."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, Self

import numpy as np

from skyquilt.blocks.counts import DenseBlock, SparseBlock
from skyquilt.blocks.lists import PixelFits
from skyquilt.native import KernelOptions

if TYPE_CHECKING:
    from scipy.sparse import csr_array


class Block(Protocol):
    """Expected counts for unit flux in the hit bins, and in all bins, of a block of directions."""

    @property
    def n_hit(self) -> int:
        """Number of hit bins."""

    @property
    def total(self) -> np.ndarray:
        """Expected counts summed over all bins, with and without counts, float64, shape (n,)."""

    @property
    def status(self) -> np.ndarray:
        """GOOD, or why there is nothing to fit, see `skyquilt.status`; uint8, shape (n,)."""

    @property
    def is_sparse(self) -> bool:
        """Whether directions see few of the hit bins, and those they see are listed."""

    def dense(self) -> DenseBlock:
        """The same with a value for each hit bin."""

    def csr(self) -> SparseBlock:
        """The same as lists of the hit bins that are seen."""

    def combine(self, weights: "csr_array", status: np.ndarray) -> Self:
        """Weighted sums of directions: the rows of `weights`, one column per direction."""

    def join(self, others: Sequence[Self]) -> Self:
        """These directions, followed by those of other blocks of the kind."""

    def fit(
        self,
        counts: np.ndarray,
        background: np.ndarray,
        settings: KernelOptions,
        most: np.ndarray | None,
        to: PixelFits,
    ) -> None:
        """Hand all to the kernel that fits pixels of this kind; see `skyquilt.likelihood`.

        Raises
        ------
        ValueError
            If shapes do not fit, or entries are no lists of hit bins or rows.
        """


def join_blocks(blocks: Sequence[Block]) -> Block:
    """Directions of several blocks of one kind, one after the other."""
    first, *others = blocks
    return first.join(others) if others else first
