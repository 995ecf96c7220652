"""Count events per cell of a histogram whose cells may far outnumber them."""

from collections.abc import Iterator

import numpy as np

# Cells or events handled at a time when the counts are given out.
_SLICE = 1 << 20


class DenseCounts:
    """Counts of every cell; 8 bytes per cell.

    Parameters
    ----------
    n_cells : int
        Number of cells.
    """

    def __init__(self, n_cells: int):
        self._counts = np.zeros(n_cells, dtype=np.int64)

    def add(self, cells: np.ndarray) -> None:
        """Count events, given by the flat index of their cell (int64, shape (n,))."""
        np.add.at(self._counts, cells, 1)

    def blocks(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Cells with counts, ascending, and their counts (int64), some at a time."""
        for start in range(0, self._counts.size, _SLICE):
            counts = self._counts[start : start + _SLICE]
            hit = np.flatnonzero(counts)
            yield hit + start, counts[hit]


class SortedCounts:
    """Cells of the events, sorted at the end; 8 bytes per event.

    Parameters
    ----------
    n_events : int
        Largest number of events to come.
    """

    def __init__(self, n_events: int):
        self._cells = np.empty(n_events, dtype=np.int64)
        self._n_events = 0

    def add(self, cells: np.ndarray) -> None:
        """Count events, given by the flat index of their cell (int64, shape (n,))."""
        self._cells[self._n_events : self._n_events + cells.size] = cells
        self._n_events += cells.size

    def blocks(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Cells with counts, ascending, and their counts (int64), some at a time."""
        cells = self._cells[: self._n_events]
        cells.sort()
        start = 0
        while start < cells.size:
            last = cells[min(start + _SLICE, cells.size) - 1]
            stop = int(np.searchsorted(cells, last, side="right"))
            yield np.unique(cells[start:stop], return_counts=True)
            start = stop


def make_counts(n_cells: int, n_events: int) -> DenseCounts | SortedCounts:
    """Counter that needs less memory: 8 bytes per cell or per event."""
    return DenseCounts(n_cells) if n_cells <= n_events else SortedCounts(n_events)
