"""What readers of event files share: columns in blocks, and their names."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from skyquilt.errors import InputError

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
    """

    n_rows: int
    blocks: Iterator[dict[str, np.ndarray]]


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
