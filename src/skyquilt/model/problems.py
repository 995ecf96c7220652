"""Likelihood of sources over backgrounds in data sets cut into cells.

mu = sum_s flux_s sum_k phi_k(spectrum_s) e_k(position_s) + sum_c norm_c b_c, in each data set by
itself (`skyquilt.model.dataset_likelihood`).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from skyquilt.model.dataset_likelihood import DatasetLikelihood
from skyquilt.model.layer import Values
from skyquilt.model.likelihood import CellDerivatives
from skyquilt.model.sources import Background, Offset, Source
from skyquilt.problem import FitProblem
from skyquilt.problem.cells import CellData
from skyquilt.problem.cells.whole import one_cell

__all__ = ["CellLikelihood", "ProblemData"]


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
            DatasetLikelihood(data, slice(first, last), self.made_of[1:], self.names, every)
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
