"""Expectation of data binned on the sky, from response rows per sky pixel."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from skyquilt.blocks import SparseWeights
from skyquilt.native import entry_lists, kernels
from skyquilt.problem.cost import Cost, rows_cost
from skyquilt.problem.datasets import get_optional, get_table, put_optional, put_table
from skyquilt.problem.expectation import check_row_bands
from skyquilt.problem.row_table import RowTable
from skyquilt.problem.table_nodes import TableNodes
from skyquilt.sky.healpix import interp_ring, vec_to_ring
from skyquilt.sky.pixels import nside_to_npix, ring_to_nest
from skyquilt.status import GOOD

if TYPE_CHECKING:
    import h5py

    from skyquilt.problem.datasets import GetPart, PutPart

_ALLOWED = {"ordering": ("RING", "NESTED"), "interpolation": ("bilinear", "nearest")}


@dataclass(frozen=True, eq=False)
class SkyTable(RowTable):
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

    ordering: str
    interpolation: str

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
    def weight_sum(self) -> float:
        """1: rows are interpolated."""
        return 1.0

    def weights(self, directions: np.ndarray) -> tuple[SparseWeights, np.ndarray]:
        """Weights of the rows for each direction, sum 1; all directions are GOOD."""
        ipix, fraction = self._neighbours(directions)
        if self.ordering == "NESTED":
            ipix = ring_to_nest(self.nside, ipix)
        n, size = len(ipix), ipix.size
        dense = np.zeros(len(self.totals))
        indptr, row, weight = np.zeros(n + 1, np.int64), np.empty(size, np.int64), np.empty(size)
        end = kernels.merge_weights(
            n, ipix.shape[1], ipix, fraction, dense, entry_lists(indptr, row, weight)
        )
        return SparseWeights(indptr, row[:end], weight[:end]), np.full(n, GOOD, dtype=np.uint8)

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

    def cost(self, directions: np.ndarray, nside: int) -> Cost:
        """Cost of a direction, from some in the frame of the problem, for a map of `nside`."""
        return rows_cost(self.block(directions), self.n_hit)

    def _neighbours(self, directions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Ring pixels and their weights, shape (n, 4) or (n, 1)."""
        if self.interpolation == "bilinear":
            return interp_ring(self.nside, directions)
        ipix = vec_to_ring(self.nside, directions)[:, np.newaxis]
        return ipix, np.ones(ipix.shape)
