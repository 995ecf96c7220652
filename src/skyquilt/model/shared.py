"""Cells of a model that the ranks of a job share: rank 0 fits, every rank adds up its own cells.

What a rank gives is per cell, and is added up in the order of cells: the number of ranks changes no
more than the rounding.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from skyquilt.model.layer import Values
from skyquilt.model.likelihood import CellDerivatives
from skyquilt.model.problems import CellLikelihood
from skyquilt.parallel.split import split_range

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

_BY_CELL, _DERIVATIVES = 1, 2  # what rank 0 asks for; None is the end


class SharedCells(CellLikelihood):
    """Likelihood of rank 0 whose cells all ranks share; the others `serve` it until it is closed.

    Parameters
    ----------
    whole : CellLikelihood
        The same of one process.
    comm : mpi4py.MPI.Comm
        The ranks.
    """

    def __init__(self, whole: CellLikelihood, comm: "Comm") -> None:
        datasets, sources, backgrounds, offsets, frame = whole.made_of
        super().__init__(datasets, sources, backgrounds, offsets, frame, whole.names)
        self._comm, self._own = comm, OwnCells(whole, comm)

    def narrow(self, names: Sequence[str]) -> "SharedCells":
        """The same with derivatives by some of its quantities only."""
        return SharedCells(super().narrow(names), self._comm)

    def value(self, values: Values) -> float:
        """Sum of d ln mu - mu over all cells."""
        return float(np.sum(self.by_cell(values)))

    def by_cell(self, values: Values) -> np.ndarray:
        """The same of each cell, shape (n_cell,)."""
        return np.concatenate(self._ask(_BY_CELL, values))

    def derivatives(self, values: Values) -> CellDerivatives:
        """Gradient and curvature of each cell."""
        found = self._ask(_DERIVATIVES, values)
        return CellDerivatives(*(np.concatenate(each) for each in zip(*found, strict=True)))

    def close(self) -> None:
        """Let the other ranks go."""
        self._comm.bcast(None)

    def _ask(self, what: int, values: Values) -> list[Any]:
        read = {name: np.asarray(values[name]) for name in self._own.reads}
        self._comm.bcast((what, self.names, read))
        return self._comm.gather(self._own.answer(what, self.names, read)) or []


class OwnCells:
    """Cells of one rank.

    Parameters
    ----------
    whole : CellLikelihood
        The likelihood of all cells.
    comm : mpi4py.MPI.Comm
        The ranks.

    Attributes
    ----------
    reads : tuple of str
        Quantities that are read.
    """

    def __init__(self, whole: CellLikelihood, comm: "Comm") -> None:
        datasets, sources, backgrounds, offsets, frame = whole.made_of
        self._n_cell = whole.n_cell
        self._cells = split_range(whole.n_cell, comm.Get_size(), comm.Get_rank())
        parts, first = [], 0
        for data in datasets:
            start, stop = (
                min(max(end - first, 0), data.n_cell)
                for end in (self._cells.start, self._cells.stop)
            )
            if start < stop:
                parts.append(data.take(slice(start, stop)))
            first += data.n_cell
        known = {data.name for data in parts}
        self._made_of = (
            *(parts, sources, [one for one in backgrounds if one.dataset in known]),
            *([one for one in offsets if one.dataset in known], frame),
        )
        self.reads = CellLikelihood(*whole.made_of).names
        self._by_names: dict[tuple[str, ...], CellLikelihood] = {}

    def answer(self, what: int, names: tuple[str, ...], values: Values) -> Any:
        """What this rank has of all cells: log-likelihoods, or derivatives by `names`."""
        if not self._made_of[0]:
            n = len(names)
            return np.zeros(0) if what == _BY_CELL else (np.zeros((0, n)), np.zeros((0, n, n)))
        if names not in self._by_names:
            self._by_names[names] = CellLikelihood(*self._made_of, moving=names)
        likelihood = self._by_names[names]
        here = {name: v[self._cells] if v.ndim else v for name, v in values.items()}
        if what == _BY_CELL:
            return likelihood.by_cell(here)
        gradient, curvature = likelihood.derivatives(here)
        column = [names.index(name) for name in likelihood.names]
        n_cell, n = len(gradient), len(names)
        all_gradient, all_curvature = np.zeros((n_cell, n)), np.zeros((n_cell, n, n))
        all_gradient[:, column] = gradient
        all_curvature[:, np.array(column)[:, np.newaxis], column] = curvature
        return all_gradient, all_curvature

    def serve(self, comm: "Comm") -> None:
        """Answer rank 0 until it is done."""
        while (asked := comm.bcast(None)) is not None:
            with np.errstate(all="ignore"):
                comm.gather(self.answer(*asked))
