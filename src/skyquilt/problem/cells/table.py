"""Cells of a table of response rows: rows are shared, each cell has an attitude of its own."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np

from skyquilt.io.hdf5 import map_rows, put_rows
from skyquilt.native import kernels
from skyquilt.problem.cells.sights import CellCounts, CellHits, Views
from skyquilt.problem.datasets import StoredDataset, get_all, put_all
from skyquilt.problem.true_energy import TrueEnergy
from skyquilt.sky.healpix import ring_thetas, vec_to_ring
from skyquilt.sky.pixels import nside_to_npix

if TYPE_CHECKING:
    import h5py

    from skyquilt.problem.datasets import GetPart, PutPart

_DATASETS = {
    "row": StoredDataset("", "ring pixel of each response direction that is kept"),
    "totals": StoredDataset("", "expected counts for unit flux in all bins"),
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
    """Directions in which points are seen, one per sample and view.

    Attributes
    ----------
    directions : ndarray of float64, shape (n, 3)
        Unit vectors in the frame of the rows.
    seconds : ndarray of float64, shape (n,)
        Time of each, times the weight of the point.
    group : ndarray of int64, shape (n,)
        Number of view and cell.
    n_group : int
        Views times cells.
    """

    directions: np.ndarray
    seconds: np.ndarray
    group: np.ndarray
    n_group: int


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
        held = self._kept.get("rows")
        if held is None or held.cells is not cells:
            held = _HeldRows.of(self, np.zeros(len(self.row), bool), cells)
        weight = self._add(samples, held.column, held.used.size + 1)
        if weight[:, -1].any():  # other rows than those that were needed last
            held = _HeldRows.of(self, held.is_used | self._needed(samples), cells)
            weight = self._add(samples, held.column, held.used.size + 1)
            weight[weight[:, -1] > 0] = np.nan  # not kept
        self._kept["rows"] = held
        weight = weight[:, :-1].reshape(len(views.directions), self.n_cell, -1)
        return TableSights(self, held, np.ascontiguousarray(weight), cells)

    def _samples(self, views: Views) -> _Samples:
        """Directions of the points in each sample and view, and their times."""
        directions, own = views.directions, self.sample_cell
        n_view, n_own, n_point = directions.shape[:3]
        if n_own > 1:
            directions = directions[:, own]
        seconds = self.weight[:, np.newaxis] * views.weight[:, np.newaxis]
        if self.zenith is not None and self.horizon_cos is not None:
            height = np.sum(directions * self.zenith[:, np.newaxis], axis=-1)
            seconds = np.where(height <= self.horizon_cos[:, np.newaxis], 0.0, seconds)
        if self.rotation is not None:
            directions = directions @ self._turned
        elif n_own == 1:
            directions = np.broadcast_to(directions, (n_view, own.size, n_point, 3))
        group = np.arange(n_view)[:, np.newaxis] * self.n_cell + own
        group = np.repeat(group, n_point) if n_point > 1 else group.ravel()
        return _Samples(
            np.ascontiguousarray(directions).reshape(-1, 3),
            np.ascontiguousarray(seconds).ravel(),
            group,
            n_view * self.n_cell,
        )

    def _add(self, samples: _Samples, column: np.ndarray, n_column: int) -> np.ndarray:
        """Weights of columns in each view and cell, shape (n_view * n_cell, n_column)."""
        weight = np.zeros((samples.n_group, n_column))
        n_sample = len(samples.seconds)
        if self.is_nearest:
            ipix = vec_to_ring(self.nside, samples.directions)
            np.add.at(weight, (samples.group, column[ipix]), samples.seconds)
            return weight
        kernels.cell_weights(
            *(self.nside, ring_thetas(self.nside), n_sample, samples.directions),
            *(samples.seconds, samples.group, column, n_column, weight),
        )
        return weight

    def _needed(self, samples: _Samples) -> np.ndarray:
        """Which of the kept rows samples need."""
        every = np.arange(nside_to_npix(self.nside))
        at_once = samples._replace(group=np.zeros_like(samples.group), n_group=1)
        return self._add(at_once, every, every.size)[0, self.row] > 0

    @cached_property
    def _turned(self) -> np.ndarray:
        """Matrices that a row vector of the sky is multiplied by, shape (n_sample, 3, 3)."""
        assert self.rotation is not None
        return np.ascontiguousarray(self.rotation.transpose(0, 2, 1))

    @cached_property
    def _kept(self) -> dict[str, "_HeldRows"]:
        """Rows that were needed last: they are most often the same."""
        return {}

    def take(self, cells: slice) -> "CellTable":
        """The same of some of the cells only; rows are shared with it."""
        first, stop, _ = cells.indices(self.n_cell)
        own = (self.sample_cell >= first) & (self.sample_cell < stop)
        of_samples = {
            name: getattr(self, name)[own]
            for name in ("weight", "rotation", "zenith", "horizon_cos")
            if getattr(self, name) is not None
        }
        sample_cell = self.sample_cell[own] - first
        return replace(self, n_cell=stop - first, sample_cell=sample_cell, **of_samples)

    def put(self, group: "h5py.Group", put_part: "PutPart") -> None:
        """Write to a group."""
        n_node = self.axis.n_node
        about = (
            "expected counts for unit flux in a bin of true energy: all rows, one after the other"
        )
        rows, unit = self.rows.reshape(n_node, -1), "cm2" if self.rotation is not None else "cm2 s"
        put_rows(group, "node_rows", rows, rows.shape, np.float32, unit, about)
        put_all(group, self, _DATASETS)
        self.axis.put(group.create_group("true_energy"))
        group.attrs["nside"], group.attrs["n_cell"] = self.nside, self.n_cell
        group.attrs["is_nearest"], group.attrs["n_column"] = self.is_nearest, self.n_column

    @classmethod
    def get(cls, group: "h5py.Group", get_part: "GetPart") -> "CellTable":
        """Read from a group; rows are mapped."""
        found = get_all(group, _DATASETS)
        n_node, n_row = found["totals"].shape
        n_column = int(group.attrs["n_column"])
        rows = map_rows(group, "node_rows").reshape(n_node, n_row, n_column)
        return cls(
            axis=TrueEnergy.get(group["true_energy"]),
            rows=rows,
            nside=int(group.attrs["nside"]),
            n_cell=int(group.attrs["n_cell"]),
            is_nearest=bool(group.attrs["is_nearest"]),
            **found,
        )


@dataclass(frozen=True, eq=False)
class _HeldRows:
    """Rows in use, as the hits need them.

    Attributes
    ----------
    cells : CellHits
        The hits.
    is_used : ndarray of bool, shape (n_row,)
        Rows in use, of those that are kept.
    used : ndarray of int64, shape (n_used,)
        Their indices among the kept ones.
    column : ndarray of int64, shape (n_pixel,)
        Place of each ring pixel among those in use; n_used for others.
    rows : ndarray of float64, shape (n_node, n_used * n_column)
        The rows.
    totals : ndarray of float64, shape (n_node, n_used)
        Their totals.
    """

    cells: CellHits
    is_used: np.ndarray
    used: np.ndarray
    column: np.ndarray
    rows: np.ndarray
    totals: np.ndarray

    @classmethod
    def of(cls, table: CellTable, is_used: np.ndarray, cells: CellHits) -> "_HeldRows":
        """Some of the kept rows of a table."""
        used = np.flatnonzero(is_used)
        column = np.full(nside_to_npix(table.nside), used.size)
        column[table.row[used]] = np.arange(used.size)
        rows = table.rows[:, used].astype(np.float64).reshape(table.axis.n_node, -1)
        return cls(cells, is_used, used, column, rows, table.totals[:, used])

    def contract(self, flux: np.ndarray) -> np.ndarray:
        """Rows of a spectrum in the hits, shape (n_used, n_hit); those asked for last are kept."""
        last, key = self._last, flux.tobytes()
        if key not in last:
            while len(last) >= _N_KEPT:
                last.pop(next(iter(last)))
            rows = (flux @ self.rows).reshape(self.used.size, -1)
            last[key] = np.ascontiguousarray(rows[:, self.cells.column])
        return last[key]

    @cached_property
    def _last(self) -> dict[bytes, np.ndarray]:
        return {}

    @cached_property
    def of_nodes(self) -> np.ndarray:
        """Rows of each bin of true energy in the hits, shape (n_node * n_used, n_hit)."""
        rows = self.rows.reshape(len(self.rows) * self.used.size, -1)
        return np.ascontiguousarray(rows[:, self.cells.column])


_N_KEPT = 8
"""Contracted spectra that are kept: those of a few sources and their derivatives."""


class TableSights(NamedTuple):
    """A source seen in cells of a table.

    Attributes
    ----------
    table : CellTable
        The table.
    held : _HeldRows
        Its rows in use.
    weight : ndarray of float64, shape (n_view, n_cell, n_used)
        Weights of the rows.
    cells : CellHits
        The cells.
    """

    table: CellTable
    held: _HeldRows
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
