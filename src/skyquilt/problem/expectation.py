"""What a fit asks of an instrument: expected counts in the hit bins for any direction.

Tables answer with weights times rows: the expected counts of a direction are the sum of a few
rows of the table, each with its weight.
"""

from typing import Protocol

import numpy as np

from skyquilt.blocks import Block


class Expectation(Protocol):
    """Expected counts of a source of unit flux, for any direction of the problem's frame."""

    @property
    def n_hit(self) -> int:
        """Number of hit bins."""

    @property
    def entries_per_direction(self) -> float:
        """Estimated expected counts that a block holds per direction; `n_hit` in dense ones."""

    def block(self, directions: np.ndarray) -> Block:
        """Expected counts for unit vectors of shape (n, 3)."""

    def select_bins(self, bins: np.ndarray) -> "Expectation":
        """The same with some of the hit bins, by number, ascending; totals stay those of all."""

    def work_per_direction(self) -> float:
        """Estimated multiply-adds for one direction."""
