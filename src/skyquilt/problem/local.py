"""Expectation of a short observation, from response rows per spacecraft direction."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from skyquilt.blocks import SparseWeights
from skyquilt.native import entry_lists, kernels
from skyquilt.problem.cost import Cost, rows_cost
from skyquilt.problem.datasets import (
    StoredDataset,
    get_all,
    get_optional,
    get_table,
    put_all,
    put_optional,
    put_table,
)
from skyquilt.problem.expectation import check_row_bands
from skyquilt.problem.row_table import RowTable
from skyquilt.problem.table_nodes import TableNodes
from skyquilt.sky.healpix import check_directions, ring_thetas
from skyquilt.sky.pixels import nside_to_npix

if TYPE_CHECKING:
    import h5py

    from skyquilt.problem.datasets import GetPart, PutPart

_DATASETS = {
    "rotation": StoredDataset(
        "", "rotation from the sky frame to the spacecraft, per attitude sample"
    ),
    "weight": StoredDataset("s", "time weight of each attitude sample"),
    "zenith": StoredDataset(
        "", "direction from the Earth's centre to the spacecraft, in the sky frame"
    ),
    "horizon_cos": StoredDataset("", "cosine of the angle between zenith and Earth's horizon"),
}


@dataclass(frozen=True, eq=False)
class LocalTable(RowTable):
    """Response rows per spacecraft direction, and the attitude during the observation.

    The source crosses the spacecraft's sky; each attitude sample adds the bilinear mean of the
    four rows around the source's position, times the sample's seconds.

    Attributes
    ----------
    rows : ndarray of float32, shape (12 nside^2, n_hit)
        Expected counts per second for unit flux in the hit bins, per spacecraft direction (RING).
    totals : ndarray of float64, shape (12 nside^2,)
        The same summed over all bins [s-1].
    nside : int
        Resolution of the rows.
    rotation : ndarray of float64, shape (n_t, 3, 3)
        Matrix from the sky frame to the spacecraft, per attitude sample.
    weight : ndarray of float64, shape (n_t,)
        Time of each sample [s].
    zenith : ndarray of float64, shape (n_t, 3), optional
        Direction from the Earth's centre to the spacecraft, unit vectors in the sky frame.
        With it, samples in which the source is at or below the horizon are left out.
    horizon_cos : ndarray of float64, shape (n_t,), optional
        Cosine of the angle from the zenith to the horizon; goes with `zenith`.
    by_energy : TableNodes, optional
        Rows and totals per bin of true energy; kept where the spectrum may vary.
    row_bands : ndarray of float64, shape (n_row, n_band), optional
        Totals of each row in bands of measured energy [s-1]; in one band when left out.

    Raises
    ------
    ValueError
        If shapes do not fit, `zenith` comes without `horizon_cos`, a matrix is no rotation, or
        a weight is negative or not finite.
    """

    kind: ClassVar[str] = "local_table"
    mapped: ClassVar[frozenset[str]] = frozenset({"rows"}) | TableNodes.mapped

    rotation: np.ndarray
    weight: np.ndarray
    zenith: np.ndarray | None = None
    horizon_cos: np.ndarray | None = None

    def __post_init__(self):
        n_row, n_t = nside_to_npix(self.nside), len(self.weight)
        wanted = {"totals": (n_row,), "rotation": (n_t, 3, 3), "weight": (n_t,)}
        if self.zenith is not None or self.horizon_cos is not None:
            wanted |= {"zenith": (n_t, 3), "horizon_cos": (n_t,)}
        for name, shape in {"rows": (n_row, self.n_hit), **wanted}.items():
            if np.shape(getattr(self, name)) != shape:
                raise ValueError(
                    f"{name}: shape {np.shape(getattr(self, name))}, expected {shape} for nside "
                    f"{self.nside} and {n_t} attitude samples."
                )
        check_row_bands(self.row_bands, n_row)
        _check_attitude(self.rotation, self.weight)

    def weights(self, directions: np.ndarray) -> tuple[SparseWeights, np.ndarray]:
        """Seconds per spacecraft direction, and status, for each sky direction.

        It is OCCULTED where the source is below the horizon in all samples that have weight.
        """
        directions, attitude = check_directions(directions), self._attitude
        n, n_row, n_t = len(directions), len(self.totals), attitude.shape[1]
        size = n * min(4 * n_t, n_row)
        indptr, row, weight = np.zeros(n + 1, np.int64), np.empty(size, np.int64), np.empty(size)
        status = np.empty(n, np.uint8)
        end = kernels.local_weights(
            *(self.nside, ring_thetas(self.nside), n, directions),
            *(n_t, attitude, self.zenith is not None, np.zeros(n_row)),
            *(entry_lists(indptr, row, weight), status),
        )
        return SparseWeights(indptr, row[:end], weight[:end]), status

    @property
    def weight_sum(self) -> float:
        """Time of all samples [s]."""
        return float(self.weight.sum())

    @cached_property
    def _attitude(self) -> np.ndarray:
        """Samples that have weight, one per column: rotation, weight, zenith, horizon.

        Columns without weight fill up to a multiple of 8, which the kernel takes at a time.
        """
        values = [self.rotation.reshape(-1, 9), self.weight[:, np.newaxis]]
        if self.zenith is not None and self.horizon_cos is not None:
            values += [self.zenith, self.horizon_cos[:, np.newaxis]]
        columns = np.hstack(values)[self.weight > 0].T
        return np.ascontiguousarray(np.pad(columns, ((0, 0), (0, -columns.shape[1] % 8))))

    def put(self, group: "h5py.Group", put_part: "PutPart") -> None:
        """Write to a group."""
        put_table(group, self, "s-1")
        put_all(group, self, _DATASETS)
        put_optional(group, "true_energy", self.by_energy, "s-1 cm2")

    @classmethod
    def get(cls, group: "h5py.Group", get_part: "GetPart") -> "LocalTable":
        """Read from a group; rows are mapped."""
        by_energy = get_optional(group, "true_energy", TableNodes)
        return cls(**get_table(group), **get_all(group, _DATASETS), by_energy=by_energy)

    def cost(self, directions: np.ndarray, nside: int) -> Cost:
        """Cost of a direction, from some in the frame of the problem, for a map of `nside`."""
        return rows_cost(self.block(directions), self.n_hit, len(self.weight))


def _check_attitude(rotation: np.ndarray, weight: np.ndarray) -> None:
    product = rotation @ np.swapaxes(rotation, 1, 2)
    wrong = np.flatnonzero(~np.all(np.abs(product - np.eye(3)) <= 1e-6, axis=(1, 2)))
    if wrong.size:
        raise ValueError(f"rotation {wrong[0]} is no orthogonal matrix: {rotation[wrong[0]]}.")
    wrong = np.flatnonzero(~((weight >= 0) & np.isfinite(weight)))
    if wrong.size:
        raise ValueError(f"weight {wrong[0]} is {weight[wrong[0]]} s: allowed is 0 or more.")
