"""Cells: the smallest parts of the data that a model predicts as one, each with its time."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Cells:
    """A cell is one time bin of one data set, or one image.

    Attributes
    ----------
    axes : dict of str to ndarray of int64, shape (n_cell,)
        Per axis the member that each cell belongs to: cells of two data sets in the same time bin
        share a member of "time_bin". -1 is none: what is per member has no effect there.
    start, stop : ndarray of float64, shape (n_cell,), or None
        Time of each cell [s since the epoch of the model].
    """

    axes: Mapping[str, np.ndarray]
    start: np.ndarray | None = None
    stop: np.ndarray | None = None

    @property
    def n_cell(self) -> int:
        """Number of cells."""
        return len(next(iter(self.axes.values())))

    def n_member(self, axis: str) -> int:
        """Number of members of an axis.

        Raises
        ------
        ValueError
            If there is no such axis.
        """
        if axis not in self.axes:
            raise ValueError(f"per: {axis} is no axis of the data: {', '.join(self.axes)}")
        return int(self.axes[axis].max()) + 1


def one_axis(axis: str, start: np.ndarray, stop: np.ndarray | None = None) -> Cells:
    """Cells of a single axis, one per time.

    Parameters
    ----------
    axis : str
        Name of the axis.
    start : ndarray of float64, shape (n,)
        Start of each cell [s]; its time, where there is no stop.
    stop : ndarray of float64, shape (n,), optional
        Its end [s].

    Examples
    --------
    >>> one_axis("image", np.array([0.0, 10.0])).n_cell
    2
    """
    start = np.asarray(start, dtype=np.float64)
    stop = start if stop is None else np.asarray(stop, dtype=np.float64)
    return Cells({axis: np.arange(start.size)}, start, stop)
