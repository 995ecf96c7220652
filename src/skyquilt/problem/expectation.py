"""What a fit asks of an instrument: expected counts in the hit bins for any direction.

Tables answer with weights times rows: the expected counts of a direction are the sum of a few
rows of the table, each with its weight.
"""

from typing import Protocol

import numpy as np

from skyquilt.blocks import Block
from skyquilt.problem.cost import Cost
from skyquilt.problem.nodes import NodeBlock
from skyquilt.problem.true_energy import TrueEnergy


class Expectation(Protocol):
    """Expected counts of a source of unit flux, for any direction of the problem's frame."""

    @property
    def n_hit(self) -> int:
        """Number of hit bins."""

    @property
    def entries_per_direction(self) -> float:
        """Estimated expected counts that a block holds per direction; `n_hit` in dense ones."""

    @property
    def extent(self) -> float | None:
        """Angle from the middle of the data to their farthest end [rad].

        None where all of the sky is seen, or the instrument makes no images.
        """

    @property
    def core(self) -> float:
        """Width of what a point becomes [rad]: of the point spread, or half a step between rows."""

    def block(self, directions: np.ndarray) -> Block:
        """Expected counts for unit vectors of shape (n, 3)."""

    @property
    def true_energy(self) -> TrueEnergy | None:
        """Nodes of true energy; None where they are not kept, and a spectrum cannot vary."""

    def nodes(self, directions: np.ndarray) -> NodeBlock:
        """Expected counts per node of true energy, linear in the photons of each."""

    def with_spectrum(self, flux: np.ndarray) -> "Expectation":
        """The same for a spectrum that has these photons at each node, shape (n_node,)."""

    def band_totals(self, directions: np.ndarray) -> np.ndarray:
        """Expected counts of each band that can be told apart, shape (n, n_total).

        Over all bins, with and without counts: their sum is the total of the block. Which band of
        a problem each of them belongs to is known to its `Bands.of_total`.
        """

    def select_bins(self, bins: np.ndarray) -> "Expectation":
        """The same with some of the hit bins, by number, ascending; totals stay those of all."""

    def cost(self, directions: np.ndarray, nside: int) -> Cost:
        """Cost of a direction.

        Parameters
        ----------
        directions : ndarray of float64, shape (n, 3)
            Some directions of the map, in the frame of the problem.
        nside : int
            Resolution of the map.
        """


def check_row_bands(row_bands: np.ndarray | None, n_row: int) -> None:
    """Refuse totals in bands that are not those of the rows of a table.

    Raises
    ------
    ValueError
        If they have another shape than (n_row, n).
    """
    if row_bands is not None and (row_bands.ndim != 2 or len(row_bands) != n_row):
        raise ValueError(f"row_bands: shape {row_bands.shape}, expected ({n_row}, n).")
