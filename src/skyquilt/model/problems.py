"""Likelihood of sources over backgrounds in data sets cut into cells.

mu = sum_s flux_s sum_k phi_k(spectrum_s) e_k(position_s) + sum_c norm_c b_c. All cells of a data
set, its time bins, are evaluated together.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from skyquilt.model.layer import Values
from skyquilt.model.likelihood import CellDerivatives
from skyquilt.model.sources import Background, Offset, Source
from skyquilt.model.views import Difference, look
from skyquilt.native import kernels
from skyquilt.problem import FitProblem
from skyquilt.problem.cells import CellCounts, CellData, Sights
from skyquilt.problem.cells.whole import one_cell

__all__ = ["CellLikelihood", "ProblemData"]

_N_KEPT = 4
"""What was seen last of each source: at most so many positions."""


class CellLikelihood:
    """Counts of data sets in cells, with sources over backgrounds.

    Cells of the model are those of the data sets, one after the other.

    Parameters
    ----------
    datasets : sequence of CellData
        The data sets.
    sources : sequence of Source
        The sources.
    backgrounds : sequence of Background
        Factors on components of backgrounds; others stay as they are.
    offsets : sequence of Offset
        Pointing offsets.
    frame : {"galactic", "icrs"}
        Frame of the positions.
    moving : sequence of str, optional
        Quantities by which derivatives are wanted; all if not given.

    Raises
    ------
    ValueError
        If a background or an offset is of a data set that there is not, or two are of one.
    """

    def __init__(
        self,
        datasets: Sequence[CellData],
        sources: Sequence[Source],
        backgrounds: Sequence[Background],
        offsets: Sequence[Offset] = (),
        frame: str = "galactic",
        moving: Sequence[str] | None = None,
    ) -> None:
        self.made_of = (tuple(datasets), tuple(sources), tuple(backgrounds), tuple(offsets), frame)
        _check_parts(datasets, backgrounds, offsets)
        parts = [name for source in sources for name in source.quantities]
        parts += [one.quantity for one in backgrounds]
        parts += [name for one in offsets for name in (one.east, one.north)]
        every = tuple(dict.fromkeys(parts))
        wanted = set(every if moving is None else moving)
        self.names = tuple(name for name in every if name in wanted)
        ends = np.cumsum([0, *(one.n_cell for one in datasets)])
        self._parts = [
            _Part(data, slice(first, last), self.made_of[1:], self.names, every)
            for data, first, last in zip(datasets, ends[:-1], ends[1:], strict=True)
        ]

    @property
    def n_cell(self) -> int:
        """Number of cells of all data sets."""
        return sum(part.data.n_cell for part in self._parts)

    def narrow(self, names: Sequence[str]) -> "CellLikelihood":
        """The same with derivatives by some of its quantities only."""
        return CellLikelihood(*self.made_of, moving=names)

    def value(self, values: Values) -> float:
        """Sum of d ln mu - mu over all cells; -inf where less than nothing is expected."""
        return sum(part.value(values) for part in self._parts)

    def by_cell(self, values: Values) -> np.ndarray:
        """The same of each cell, shape (n_cell,)."""
        return np.concatenate([part.by_cell(values) for part in self._parts])

    def batch(self, values: Values) -> np.ndarray:
        """The same at several points, shape (m,), of values of shape (m, 1) or (m, n_cell)."""
        n = max(len(value) for value in values.values())
        rows = ({name: _of_point(v, i) for name, v in values.items()} for i in range(n))
        return np.array([self.value(row) for row in rows])

    def derivatives(self, values: Values) -> CellDerivatives:
        """Gradient, and Gauss and Newton's curvature d / mu^2."""
        found = [part.derivatives(values) for part in self._parts]
        return CellDerivatives(*(np.concatenate(each) for each in zip(*found, strict=True)))

    def expected(self, values: Values) -> np.ndarray:
        """Expected counts of each cell, shape (n_cell,)."""
        return np.concatenate([part.expected(values).total[0] for part in self._parts])

    def expected_hits(self, values: Values) -> list[np.ndarray]:
        """Expected counts in the hit bins of each data set."""
        return [part.expected(values).hit[0] for part in self._parts]

    def npred(self, values: Values) -> dict[str, np.ndarray]:
        """Expected counts of each cell by source, and by quantity of a background.

        Returns
        -------
        dict of str to ndarray of float64, shape (n_cell,)
            What no quantity scales of the background stands under "background".
        """
        each = [part.npred(values) for part in self._parts]
        names = dict.fromkeys(name for one in each for name in one)
        sizes = [part.data.n_cell for part in self._parts]
        return {
            name: np.concatenate(
                [one.get(name, np.zeros(size)) for one, size in zip(each, sizes, strict=True)]
            )
            for name in names
        }


class ProblemData(CellLikelihood):
    """Counts of fit problems, each as one cell, with sources over backgrounds.

    Parameters
    ----------
    problems : sequence of FitProblem
        One per cell, with nodes of true energy, all in one frame.
    sources : sequence of Source
        The sources.
    background : str
        Quantity that is the factor on the background of all.

    Raises
    ------
    ValueError
        If a problem has no nodes, does not know its background in all bins, or is of another frame.
    """

    def __init__(
        self,
        problems: Sequence[FitProblem],
        sources: Sequence[Source],
        background: str = "background",
    ) -> None:
        for number, problem in enumerate(problems):
            if problem.frame != problems[0].frame:
                raise ValueError(
                    f"problem {number}: frame {problem.frame}, problem 0 has {problems[0].frame}"
                )
        datasets = [
            one_cell(problem, str(number), what=f"problem {number}")
            for number, problem in enumerate(problems)
        ]
        factors = [
            Background(background, data.name, component)
            for data in datasets
            for component in data.components
        ]
        frame = problems[0].frame if problems else "galactic"
        super().__init__(datasets, sources, factors, frame=frame)


class _Part:
    """One data set of a likelihood, and what was seen in it last."""

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
        self._frames = frame, data.frame
        self._offset = next((one for one in offsets if one.dataset == data.name), None)
        self._factors = {
            one.component: one.quantity for one in backgrounds if one.dataset == data.name
        }
        axis = data.expectation.true_energy
        self._energy, self._to_nodes = axis.energy, axis.matrix
        self._photons_of: dict[str, tuple[list[bytes], np.ndarray]] = {}
        self._seen: dict[Any, _Seen] = {}

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
            hit, total = self._add(hit, total, flux, self._see(source, here)[1])
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
            found[source.name] = flux * self._see(source, here)[1].total[0]
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

    def _see(self, source: Source, here: dict[str, Any]) -> tuple["_Seen", CellCounts]:
        """A source of factor 1, and its counts in all views."""
        seen = self._look(source, here)
        return seen, seen.counts_of(self._flux(source, here))

    def _add_slopes(
        self,
        source: Source,
        here: dict[str, Any],
        column: Mapping[str, int],
        slopes: tuple[np.ndarray, np.ndarray],
        sums: tuple[np.ndarray, np.ndarray],
    ) -> tuple[np.ndarray, np.ndarray]:
        """Fill in the derivatives by the quantities of a source; the sums with its counts."""
        (sights, differences, _), seen = self._see(source, here)
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
                density = source.density_slope(self._energy, here, part)
                by_part = sights.contract(self._photons(density), first_only=True)
                fill(name, of_hit * by_part.hit[0], flux * by_part.total[0])
        return self._add(*sums, flux, seen)

    def _flux(self, source: Source, here: dict[str, Any]) -> np.ndarray:
        """Photons of each node; those of the last spectrum of each source are kept."""
        key = [here[f"{source.name}.{part}"].tobytes() for part in source.parameters]
        last = self._photons_of.get(source.name)
        if last is None or last[0] != key:
            photons = self._photons(source.flux_density(self._energy, here))
            last = self._photons_of[source.name] = key, photons
        return last[1]

    def _photons(self, density: np.ndarray) -> np.ndarray:
        """Photons of each node, shape (n_node,) or (n_cell, n_node)."""
        return np.ascontiguousarray((self._to_nodes @ density.T).T)

    def _look(self, source: Source, here: dict[str, Any]) -> "_Seen":
        """A source where it is, and beside it, for derivatives that are asked for next."""
        read = [f"{source.name}.{part}" for part in ("lon", "lat", *source.shape_parameters)]
        if self._offset is not None:
            read += [self._offset.east, self._offset.north]
        key = source.name, *(here[name].tobytes() for name in read)
        if key not in self._seen:
            while len(self._seen) >= _N_KEPT * len(self._sources):
                self._seen.pop(next(iter(self._seen)))
            views, differences = look(
                *(source, here, self._names, self._frames, self.data.angle_deg, self._offset)
            )
            sights = self.data.expectation.see(views, self.data.hits)
            self._seen[key] = _Seen(sights, differences, {})
        return self._seen[key]


class _Seen(NamedTuple):
    """A source at one position.

    Attributes
    ----------
    sights : Sights
        What is seen.
    differences : list of Difference
        Quantities by which it moves or grows.
    counted : dict of bytes to CellCounts
        Counts of the last spectrum.
    """

    sights: Sights
    differences: list[Difference]
    counted: dict[bytes, CellCounts]

    def counts_of(self, flux: np.ndarray) -> CellCounts:
        """Counts in all views for a spectrum."""
        key = flux.tobytes()
        if key not in self.counted:
            self.counted.clear()
            self.counted[key] = self.sights.contract(flux)
        return self.counted[key]


def _of_point(value: np.ndarray, number: int) -> Any:
    """Value of one point of a batch: a number, or an array of cells."""
    value = np.asarray(value)
    if value.ndim == 0:
        return value
    row = value[number if len(value) > 1 else 0]
    return row[0] if row.size == 1 else row


def _check_parts(
    datasets: Sequence[CellData], backgrounds: Sequence[Background], offsets: Sequence[Offset]
) -> None:
    known = {one.name: one.components for one in datasets}
    if len(known) < len(datasets):
        raise ValueError(f"data sets: {', '.join(one.name for one in datasets)}; a name is twice")
    used = [(one.dataset, one.component) for one in backgrounds]
    for one in backgrounds:
        if one.component not in known.get(one.dataset, ()):
            raise ValueError(
                f"{one.quantity}: data set {one.dataset!r} has no background {one.component!r}"
            )
        if used.count((one.dataset, one.component)) > 1:
            raise ValueError(f"{one.quantity}: background {one.component!r} has two factors")
    of_offsets = [one.dataset for one in offsets]
    for dataset in of_offsets:
        if dataset not in known or of_offsets.count(dataset) > 1:
            raise ValueError(f"offsets: data set {dataset!r} is not known, or has two")
