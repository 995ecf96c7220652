"""Expectation of data binned on the sky, from response rows per sky pixel."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from skyquilt.blocks import RowBlock, SparseWeights
from skyquilt.native import entry_lists, kernels
from skyquilt.problem.datasets import get_optional, get_table, put_optional, put_table
from skyquilt.problem.expectation import check_row_bands
from skyquilt.problem.exposed import mark_unexposed_rows
from skyquilt.problem.nodes import ComponentNodes, missing_nodes
from skyquilt.problem.table_nodes import TableNodes
from skyquilt.problem.true_energy import TrueEnergy
from skyquilt.sky.healpix import interp_ring, vec_to_ring
from skyquilt.sky.pixels import nside_to_npix, ring_to_nest
from skyquilt.status import GOOD

if TYPE_CHECKING:
    import h5py

    from skyquilt.problem.datasets import GetPart, PutPart

_ALLOWED = {"ordering": ("RING", "NESTED"), "interpolation": ("bilinear", "nearest")}


@dataclass(frozen=True, eq=False)
class SkyTable:
    """Response rows per sky pixel, exposure included.

    Attributes
    ----------
    rows : ndarray of float32, shape (12 nside^2, n_hit)
        Expected counts for unit flux in the hit bins, per sky pixel.
    totals : ndarray of float64, shape (12 nside^2,)
        The same summed over all bins.
    nside : int
        Resolution of the rows.
    ordering : {"RING", "NESTED"}
        Ordering of the rows.
    interpolation : {"bilinear", "nearest"}
        Mean of the four rows around a direction, or the row of the pixel that contains it.
    by_energy : TableNodes, optional
        Rows and totals per bin of true energy; kept where the spectrum may vary.
    row_bands : ndarray of float64, shape (n_row, n_band), optional
        Totals of each row in bands of measured energy; in one band when left out.

    Raises
    ------
    ValueError
        If shapes do not fit, or ordering or interpolation is unknown.
    """

    kind: ClassVar[str] = "sky_table"
    mapped: ClassVar[frozenset[str]] = frozenset({"rows"}) | TableNodes.mapped

    rows: np.ndarray
    totals: np.ndarray
    nside: int
    ordering: str
    interpolation: str
    by_energy: TableNodes | None = None
    row_bands: np.ndarray | None = None

    def __post_init__(self):
        for name, allowed in _ALLOWED.items():
            if getattr(self, name) not in allowed:
                raise ValueError(
                    f"{name} {getattr(self, name)!r}: allowed are {', '.join(allowed)}."
                )
        n_row = nside_to_npix(self.nside)
        for name, shape in {"rows": (n_row, self.n_hit), "totals": (n_row,)}.items():
            if np.shape(getattr(self, name)) != shape:
                raise ValueError(
                    f"{name}: shape {np.shape(getattr(self, name))}, expected {shape} for nside "
                    f"{self.nside}."
                )
        check_row_bands(self.row_bands, n_row)

    @property
    def n_hit(self) -> int:
        """Number of hit bins."""
        return self.rows.shape[1]

    @property
    def entries_per_direction(self) -> float:
        """Expected counts that a block holds per direction: all."""
        return float(self.n_hit)

    def block(self, directions: np.ndarray) -> RowBlock:
        """Expected counts for unit flux.

        Parameters
        ----------
        directions : ndarray of float64, shape (n, 3)
            Unit vectors in the sky frame.

        Returns
        -------
        RowBlock
            All directions are GOOD, but NO_EXPOSURE where next to nothing is expected.
        """
        weights = self.weights(directions)
        status = np.full(len(directions), GOOD, dtype=np.uint8)
        status = mark_unexposed_rows(status, weights, self.totals, 1.0)
        return RowBlock(self._rows, self.totals, weights, status)

    @property
    def true_energy(self) -> TrueEnergy | None:
        """Nodes of true energy; None where they are not kept."""
        return None if self.by_energy is None else self.by_energy.axis

    def nodes(self, directions: np.ndarray) -> ComponentNodes:
        """Expected counts per node of true energy, for unit vectors of shape (n, 3).

        Raises
        ------
        ValueError
            If nodes are not kept.
        """
        if self.by_energy is None:
            raise missing_nodes("table")
        block = self.block(directions)
        return self.by_energy.at(block.weights, block.status)

    def with_spectrum(self, flux: np.ndarray) -> "SkyTable":
        """The same for a spectrum that has these photons at each node, shape (n_node,)."""
        if self.by_energy is None:
            raise missing_nodes("table")
        changes: dict[str, Any] = self.by_energy.contract(flux)
        return replace(self, **changes)

    def weights(self, directions: np.ndarray) -> SparseWeights:
        """Weights of the rows for each direction, sum 1."""
        ipix, fraction = self._neighbours(directions)
        if self.ordering == "NESTED":
            ipix = ring_to_nest(self.nside, ipix)
        n, size = len(ipix), ipix.size
        dense = np.zeros(len(self.totals))
        indptr, row, weight = np.zeros(n + 1, np.int64), np.empty(size, np.int64), np.empty(size)
        end = kernels.merge_weights(
            n, ipix.shape[1], ipix, fraction, dense, entry_lists(indptr, row, weight)
        )
        return SparseWeights(indptr, row[:end], weight[:end])

    def band_totals(self, directions: np.ndarray) -> np.ndarray:
        """Expected counts of each band for unit flux, over all its bins, shape (n, n_band)."""
        weights = self.weights(directions)
        totals = self.totals[:, np.newaxis] if self.row_bands is None else self.row_bands
        return weights.add(totals)

    @cached_property
    def _rows(self) -> np.ndarray:
        """Rows as the kernel reads them, one after the other; a mapping of such rows stays one."""
        return np.ascontiguousarray(self.rows)

    def select_bins(self, bins: np.ndarray) -> "SkyTable":
        """The same with some of the hit bins; totals stay those of all bins.

        Parameters
        ----------
        bins : ndarray of int64, shape (n,)
            Numbers of the hit bins to keep, ascending.
        """
        by_energy = self.by_energy and self.by_energy.select_bins(bins)
        return replace(self, rows=self._rows[:, bins], by_energy=by_energy)

    def put(self, group: "h5py.Group", put_part: "PutPart") -> None:
        """Write to a group."""
        put_table(group, self, "")
        group.attrs["ordering"], group.attrs["interpolation"] = self.ordering, self.interpolation
        put_optional(group, "true_energy", self.by_energy, "cm2 s")

    @classmethod
    def get(cls, group: "h5py.Group", get_part: "GetPart") -> "SkyTable":
        """Read from a group; rows are mapped."""
        how: dict[str, Any] = {name: str(group.attrs[name]) for name in _ALLOWED}
        by_energy = get_optional(group, "true_energy", TableNodes)
        return cls(**get_table(group), **how, by_energy=by_energy)

    def work_per_direction(self) -> float:
        """Estimated multiply-adds for one direction."""
        return (4.0 if self.interpolation == "bilinear" else 1.0) * self.n_hit

    def _neighbours(self, directions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Ring pixels and their weights, shape (n, 4) or (n, 1)."""
        if self.interpolation == "bilinear":
            return interp_ring(self.nside, directions)
        ipix = vec_to_ring(self.nside, directions)[:, np.newaxis]
        return ipix, np.ones(ipix.shape)
