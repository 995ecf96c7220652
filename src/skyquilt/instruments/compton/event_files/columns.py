"""What readers of event files share: columns in blocks, and their names."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from skyquilt.errors import InputError
from skyquilt.instruments.compton.orientation import Orientation

# Bytes read at a time: large enough to hide the cost of a call, small beside any memory limit.
BLOCK_BYTES = 32 << 20
_POINTING_SUFFIX = " (glon,glat)"


class Columns(NamedTuple):
    """Columns of one file.

    Attributes
    ----------
    n_rows : int
        Rows of the file.
    blocks : iterator of dict of str to ndarray of float64
        The rows in order, some at a time: the columns asked for, by name; they are read as
        the iterator goes on.
    dropped : Counter
        Rows that are in no block, by reason; complete when the iterator has ended.
    """

    n_rows: int
    blocks: Iterator[dict[str, np.ndarray]]
    dropped: Counter[str]


class Pointing(NamedTuple):
    """Where the spacecraft points, for event files that know directions in its frame only.

    Attributes
    ----------
    orientation : Orientation or None
        Attitude over time; None takes that of the event file.
    span : tuple of float or None
        Time of the events that are wanted [UNIX s], which the orientation must cover.
    """

    orientation: Orientation | None = None
    span: tuple[float, float] | None = None


NO_POINTING = Pointing()


def find_column(path: Path, name: str, stored: Sequence[str]) -> str:
    """Name under which a file holds a column, with or without ``(glon,glat)``.

    Raises
    ------
    InputError
        If the file has no such column.
    """
    for candidate in (name, name + _POINTING_SUFFIX):
        if candidate in stored:
            return candidate
    raise InputError(f"{path}: no column {name!r}; there are: {', '.join(stored) or 'none'}.")
