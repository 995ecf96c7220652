"""Cells of a table of response rows: rows are shared, each cell has an attitude of its own."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np

from skyquilt.io.hdf5 import map_rows, put_rows
from skyquilt.native import kernels
from skyquilt.problem.cells.sights import CellCounts, CellHits, Views
from skyquilt.problem.datasets import StoredDataset, get_all, put_all
from skyquilt.problem.true_energy import TrueEnergy
from skyquilt.sky.healpix import interp_ring, vec_to_ring
from skyquilt.sky.pixels import nside_to_npix

if TYPE_CHECKING:
    import h5py

    from skyquilt.problem.datasets import GetPart, PutPart

_DATASETS = {
    "row": StoredDataset("", "ring pixel of each response direction that is kept"),
    "totals": StoredDataset("cm2", "expected counts for unit flux in all bins"),
    "weight": StoredDataset(
        "s", "time of each attitude sample, or part of the exposure of each cell"
    ),
    "sample_cell": StoredDataset("", "cell of each attitude sample"),
    "rotation": StoredDataset(
        "", "rotation from the sky frame to the spacecraft, per attitude sample"
    ),
    "zenith": StoredDataset(
        "", "direction from the Earth's centre to the spacecraft, in the sky frame"
    ),
    "horizon_cos": StoredDataset("", "cosine of the angle between zenith and Earth's horizon"),
}


class _Samples(NamedTuple):
    """Neighbouring rows of all samples in all views."""

    place: np.ndarray
    """Among the kept rows; -1 for one that is not kept."""
    weight: np.ndarray
    group: np.ndarray
    """Number of view and cell."""


@dataclass(frozen=True, eq=False)
class CellTable:
    """Response rows, and the attitude during each cell.

    Attributes
    ----------
    axis : TrueEnergy
        Bins of true energy.
    row : ndarray of int64, shape (n_row,)
        Ring pixels of the response directions that are kept, ascending.
    rows : ndarray of float32, shape (n_node, n_row, n_column)
        Expected counts for unit flux in a bin of true energy, in the bins that have counts in any
        cell; per second in the local frame.
    totals : ndarray of float64, shape (n_node, n_row)
        The same summed over all bins.
    nside : int
        HEALPix resolution of the response directions.
    n_cell : int
        Number of cells.
    weight : ndarray of float64, shape (n_sample,)
        Time of each attitude sample [s]; in the galactic frame, part of the exposure.
    sample_cell : ndarray of int64, shape (n_sample,)
        Cell of each sample.
    rotation : ndarray of float64, shape (n_sample, 3, 3), optional
        Matrix from the sky frame to the spacecraft; none where rows are of the sky.
    zenith, horizon_cos : ndarray of float64, shapes (n_sample, 3) and (n_sample,), optional
        The Earth; samples in which a source is below the horizon are left out.
    is_nearest : bool
        Take the row of the pixel instead of the bilinear mean of four.

    Raises
    ------
    ValueError
        If shapes do not fit.
    """

    kind: ClassVar[str] = "table"

    axis: TrueEnergy
    row: np.ndarray
    rows: np.ndarray
    totals: np.ndarray
    nside: int
    n_cell: int
    weight: np.ndarray
    sample_cell: np.ndarray
    rotation: np.ndarray | None = None
    zenith: np.ndarray | None = None
    horizon_cos: np.ndarray | None = None
    is_nearest: bool = False

    def __post_init__(self):
        n_node, n_row, n_sample = self.axis.n_node, len(self.row), len(self.weight)
        wanted = {"totals": (n_node, n_row), "sample_cell": (n_sample,)}
        if self.rotation is not None:
            wanted |= {"rotation": (n_sample, 3, 3)}
        if self.zenith is not None:
            wanted |= {"zenith": (n_sample, 3), "horizon_cos": (n_sample,)}
        for name, shape in {**wanted, "rows": (n_node, n_row, self.n_column)}.items():
            if np.shape(getattr(self, name)) != shape:
                raise ValueError(f"{name}: shape {np.shape(getattr(self, name))}, not {shape}.")

    @property
    def n_column(self) -> int:
        """Number of bins that have counts in any cell."""
        return self.rows.shape[2]

    @property
    def true_energy(self) -> TrueEnergy:
        """Bins of true energy."""
        return self.axis

    def see(self, views: Views, cells: CellHits) -> "TableSights":
        """Look at a source; where rows that it needs were not kept, nothing is finite.

        `model.radius` decides what is kept: a source may not leave it.
        """
        samples = self._samples(views)
        n_view = len(views.directions)
        near = np.zeros(len(self.row) + 1, bool)
        near[samples.place] = True
        is_outside = bool(near[-1])
        held = self._hold(near[:-1], cells)
        group = samples.group * (held.used.size + 1) + held.column_of[samples.place]
        size = n_view * self.n_cell * (held.used.size + 1)
        weight = np.bincount(group, samples.weight, size)
        weight = weight.reshape(n_view, self.n_cell, -1)
        if is_outside:
            weight[:, :, :-1][weight[:, :, -1] != 0] = np.nan
        return TableSights(self, held, np.ascontiguousarray(weight[:, :, :-1]), cells)

    def _samples(self, views: Views) -> _Samples:
        """Neighbouring rows of each sample in each view, and their weights."""
        directions, own = views.directions, self.sample_cell
        n_view, n_own, n_point = directions.shape[:3]
        of_sample = directions[:, own if n_own > 1 else np.zeros(own.size, np.int64)]
        seconds = self.weight[:, np.newaxis] * views.weight[:, np.newaxis]
        if self.zenith is not None and self.horizon_cos is not None:
            height = np.einsum("vtpj,tj->vtp", of_sample, self.zenith)
            seconds = np.where(height <= self.horizon_cos[:, np.newaxis], 0.0, seconds)
        if self.rotation is not None:
            of_sample = np.matmul(of_sample, self.rotation.transpose(0, 2, 1))
        ipix, share = self._neighbours(of_sample.reshape(-1, 3))
        # bilinear weights of 0 can round below
        weight = np.maximum(share, 0.0) * seconds.reshape(-1, 1)
        place = np.where(weight > 0, self._place[ipix], 0)
        group = np.arange(n_view)[:, np.newaxis] * self.n_cell + own
        repeated = np.repeat(group.ravel(), n_point * ipix.shape[1])
        return _Samples(place.ravel(), weight.ravel(), repeated)

    def _neighbours(self, directions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if self.is_nearest:
            ipix = vec_to_ring(self.nside, directions)[:, np.newaxis]
            return ipix, np.ones(ipix.shape)
        return interp_ring(self.nside, directions)

    @cached_property
    def _place(self) -> np.ndarray:
        """Place of each ring pixel among the kept rows; -1 for one that is not kept."""
        place = np.full(nside_to_npix(self.nside), -1)
        place[self.row] = np.arange(self.row.size)
        return place

    def _hold(self, near: np.ndarray, cells: CellHits) -> "_Held":
        """Rows that are needed, and those of before: they are most often the same."""
        kept = self.__dict__.setdefault("_kept", {})
        held = kept.get("rows")
        if held is None or held.cells is not cells or np.any(near & ~held.is_used):
            held = kept["rows"] = _Held.of(self, near, cells)
        return held

    def put(self, group: "h5py.Group", put_part: "PutPart") -> None:
        """Write to a group."""
        n_node, n_row, n_column = self.rows.shape
        about = "expected counts for unit flux in a bin of true energy, all rows of one, then the"
        each = (row for of_node in self.rows for row in of_node)
        shape = n_node * n_row, n_column
        put_rows(group, "node_rows", each, shape, np.float32, "cm2", f"{about} next")
        put_all(group, self, _DATASETS)
        self.axis.put(group.create_group("true_energy"))
        group.attrs["nside"], group.attrs["n_cell"] = self.nside, self.n_cell
        group.attrs["is_nearest"] = self.is_nearest

    @classmethod
    def get(cls, group: "h5py.Group", get_part: "GetPart") -> "CellTable":
        """Read from a group; rows are mapped."""
        found = get_all(group, _DATASETS)
        rows = map_rows(group, "node_rows")
        rows = rows.reshape(*found["totals"].shape, rows.shape[1])
        return cls(
            axis=TrueEnergy.get(group["true_energy"]),
            rows=rows,
            nside=int(group.attrs["nside"]),
            n_cell=int(group.attrs["n_cell"]),
            is_nearest=bool(group.attrs["is_nearest"]),
            **found,
        )


@dataclass(frozen=True, eq=False)
class _Held:
    """Rows in use, as the hits need them.

    Attributes
    ----------
    cells : CellHits
        The hits.
    is_used : ndarray of bool, shape (n_row,)
        Rows in use.
    used : ndarray of int64, shape (n_used,)
        Their places among the kept ones.
    column_of : ndarray of int64, shape (n_row + 1,)
        Place of each kept row among those in use; n_used for others, of which the last stands for
        one that is not kept.
    rows : ndarray of float64, shape (n_node, n_used * n_column)
        The rows.
    totals : ndarray of float64, shape (n_node, n_used)
        Their totals.
    """

    cells: CellHits
    is_used: np.ndarray
    used: np.ndarray
    column_of: np.ndarray
    rows: np.ndarray
    totals: np.ndarray

    @classmethod
    def of(cls, table: CellTable, near: np.ndarray, cells: CellHits) -> "_Held":
        used = np.flatnonzero(near)
        column_of = np.full(near.size + 1, used.size)
        column_of[used] = np.arange(used.size)
        rows = table.rows[:, used].astype(np.float64).reshape(table.axis.n_node, -1)
        return cls(cells, near, used, column_of, rows, table.totals[:, used])

    def contract(self, flux: np.ndarray) -> np.ndarray:
        """Rows of a spectrum in the hits, shape (n_used, n_hit); those asked for last are kept."""
        last = self.__dict__.setdefault("_last", {})
        key = flux.tobytes()
        if key not in last:
            while len(last) >= _N_KEPT:
                last.pop(next(iter(last)))
            rows = (flux @ self.rows).reshape(self.used.size, -1)
            last[key] = np.ascontiguousarray(rows[:, self.cells.column])
        return last[key]

    @cached_property
    def of_nodes(self) -> np.ndarray:
        """Rows of each bin of true energy in the hits, shape (n_node * n_used, n_hit)."""
        rows = self.rows.reshape(len(self.rows) * self.used.size, -1)
        return np.ascontiguousarray(rows[:, self.cells.column])


_N_KEPT = 8
"""Contracted spectra that are kept: those of a few sources and their derivatives."""


@dataclass(frozen=True, eq=False)
class TableSights:
    """A source seen in cells of a table.

    Attributes
    ----------
    table : CellTable
        The table.
    held : _Held
        Its rows in use.
    weight : ndarray of float64, shape (n_view, n_cell, n_used)
        Weights of the rows.
    cells : CellHits
        The cells.
    """

    table: CellTable
    held: _Held
    weight: np.ndarray
    cells: CellHits

    def contract(self, flux: np.ndarray, *, first_only: bool = False) -> CellCounts:
        """Expected counts for a spectrum in each view."""
        weight = self.weight[:1] if first_only else self.weight
        if flux.ndim == 1:
            rows, totals = self.held.contract(flux), flux @ self.held.totals
        else:
            # rows of a node are weighted by its photons in each cell
            of_cell = flux[:, :, np.newaxis] * weight[:, :, np.newaxis]
            weight = of_cell.reshape(*weight.shape[:2], -1)
            rows, totals = self.held.of_nodes, self.held.totals.ravel()
        n_view, n_cell, n_row = weight.shape
        hit = np.empty((n_view, self.cells.column.size))
        kernels.cell_sums(
            *(n_view, n_cell, self.cells.indptr, n_row),
            *(np.ascontiguousarray(weight), rows, hit),
        )
        return CellCounts(hit, weight @ totals)
