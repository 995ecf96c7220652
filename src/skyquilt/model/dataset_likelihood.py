"""Likelihood of sources over backgrounds in one data set; all its cells are evaluated together."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from skyquilt.model.layer import Values
from skyquilt.model.seen import SeenSources
from skyquilt.model.sources import Background, Offset, Source
from skyquilt.native import kernels
from skyquilt.problem.cells import CellCounts, CellData


class DatasetLikelihood:
    """One data set of a likelihood, and what was seen in it last.

    Parameters
    ----------
    data : CellData
        The data set.
    cells : slice
        Its cells among those of the model.
    made_of : tuple
        Sources, factors on backgrounds, pointing offsets, and the frame of positions, of the whole
        likelihood.
    names : sequence of str
        Quantities by which derivatives are wanted.
    reads : sequence of str
        Quantities that values are read of.
    """

    def __init__(
        self,
        data: CellData,
        cells: slice,
        made_of: tuple[Sequence[Source], Sequence[Background], Sequence[Offset], str],
        names: Sequence[str],
        reads: Sequence[str],
    ) -> None:
        self._reads = reads
        sources, backgrounds, offsets, frame = made_of
        self.data, self._cells, self._sources, self._names = data, cells, sources, tuple(names)
        offset = next((one for one in offsets if one.dataset == data.name), None)
        self._seen = SeenSources(data, len(sources), self._names, frame, offset)
        self._factors = {
            one.component: one.quantity for one in backgrounds if one.dataset == data.name
        }

    def value(self, values: Values) -> float:
        """Sum of d ln mu - mu."""
        hit, total = self.expected(values)
        if not hit.min(initial=1.0) > 0:
            return -np.inf
        return float(self.data.counts @ np.log(hit[0]) - total.sum())

    def by_cell(self, values: Values) -> np.ndarray:
        """Sum of d ln mu - mu of each cell."""
        data = self.data
        hit, total = (part[0] for part in self.expected(values))
        is_possible = hit > 0
        terms = data.counts * np.log(np.where(is_possible, hit, 1.0))
        found = np.bincount(data.cell, terms, data.n_cell) - total
        found[data.cell[~is_possible]] = -np.inf
        return found

    def expected(self, values: Values) -> CellCounts:
        """Expected counts in hits, and of cells."""
        here = self._of_cells(values)
        hit, total = self._background(here)
        for source in self._sources:
            flux = here[f"{source.name}.flux"]
            hit, total = self._add(hit, total, flux, self._seen.see(source, here)[1])
        return CellCounts(hit[np.newaxis], total[np.newaxis])

    def npred(self, values: Values) -> dict[str, np.ndarray]:
        """Expected counts of each cell by source and by quantity of a background."""
        here = self._of_cells(values)
        found: dict[str, np.ndarray] = {}
        for component, total in zip(self.data.components, self.data.cell_backgrounds, strict=True):
            name = self._factors.get(component)
            factor = 1.0 if name is None else here[name]
            key = name or "background"
            found[key] = found.get(key, 0.0) + factor * total
        for source in self._sources:
            flux = here[f"{source.name}.flux"]
            found[source.name] = flux * self._seen.see(source, here)[1].total[0]
        return found

    def derivatives(self, values: Values) -> tuple[np.ndarray, np.ndarray]:
        """Gradient and curvature of each cell."""
        here, data, names = self._of_cells(values), self.data, self._names
        slopes = np.zeros((len(names), data.n_hit))
        totals = np.zeros((len(names), data.n_cell))
        column = {name: number for number, name in enumerate(names)}
        hit, total = self._background(here)
        for component, of_hit, of_cell in zip(
            data.components, data.hit_backgrounds, data.cell_backgrounds, strict=True
        ):
            name = self._factors.get(component, "")
            if name in column:
                slopes[column[name]] += of_hit
                totals[column[name]] += of_cell
        for source in self._sources:
            hit, total = self._add_slopes(source, here, column, (slopes, totals), (hit, total))
        n_name, n_cell = len(names), data.n_cell
        gradient, curvature = np.empty((n_cell, n_name)), np.empty((n_cell, n_name, n_name))
        kernels.cell_slopes(
            *(n_cell, data.hits.indptr, data.counts, hit, n_name, slopes, np.empty(2 * data.n_hit)),
            *(gradient, curvature),
        )
        return gradient - totals.T, curvature

    def _of_cells(self, values: Values) -> dict[str, Any]:
        """Quantities that are read, in the cells of this data set."""
        here = {name: np.asarray(values[name]) for name in self._reads}
        return {name: v[self._cells] if v.ndim else v for name, v in here.items()}

    def _background(self, here: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray]:
        hits: list[np.ndarray] = []
        totals: list[np.ndarray] = []
        for component, of_hit, of_cell in zip(
            self.data.components,
            self.data.hit_backgrounds,
            self.data.cell_backgrounds,
            strict=True,
        ):
            name = self._factors.get(component)
            factor = 1.0 if name is None else here[name]
            hits.append(self._in_hits(factor) * of_hit)
            totals.append(factor * of_cell)
        return (
            (hits[0], totals[0])
            if len(hits) == 1
            else (np.sum(hits, axis=0), np.sum(totals, axis=0))
        )

    def _in_hits(self, factor: Any) -> Any:
        """A number, or one of each cell in its hits."""
        return factor[self.data.cell] if np.ndim(factor) else factor

    def _add(
        self, hit: np.ndarray, total: np.ndarray, flux: Any, seen: CellCounts
    ) -> tuple[np.ndarray, np.ndarray]:
        return hit + self._in_hits(flux) * seen.hit[0], total + flux * seen.total[0]

    def _add_slopes(
        self,
        source: Source,
        here: dict[str, Any],
        column: Mapping[str, int],
        slopes: tuple[np.ndarray, np.ndarray],
        sums: tuple[np.ndarray, np.ndarray],
    ) -> tuple[np.ndarray, np.ndarray]:
        """Fill in the derivatives by the quantities of a source; the sums with its counts."""
        (sights, differences, _), seen = self._seen.see(source, here)
        flux = here[f"{source.name}.flux"]
        of_hit = self._in_hits(flux)

        def fill(name: str, hit: np.ndarray, total: np.ndarray) -> None:
            if name in column:
                slopes[0][column[name]] += hit
                slopes[1][column[name]] += total

        fill(f"{source.name}.flux", seen.hit[0], seen.total[0])
        for number, (name, width) in enumerate(differences):
            ahead, behind = 2 * number + 1, 2 * number + 2
            hit = of_hit / self._in_hits(width) * (seen.hit[ahead] - seen.hit[behind])
            fill(name, hit, flux / width * (seen.total[ahead] - seen.total[behind]))
        for part in source.parameters:
            name = f"{source.name}.{part}"
            if name in column:
                density = source.density_slope(self._seen.energy, here, part)
                by_part = sights.contract(self._seen.photons(density), first_only=True)
                fill(name, of_hit * by_part.hit[0], flux * by_part.total[0])
        return self._add(*sums, flux, seen)
