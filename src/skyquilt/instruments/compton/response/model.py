"""An open response: axes, unit, and a way to read blocks of rows."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from skyquilt.errors import InputError, SkyquiltError
from skyquilt.instruments.compton.dataspace import DataSpace
from skyquilt.io.reading import describe

Span = tuple[float, float] | None


@dataclass(frozen=True)
class Response:
    """An open response.

    Attributes
    ----------
    path : str
        File.
    nside : int
        HEALPix resolution of the source direction NuLambda; one row per pixel.
    ordering : {"RING", "NESTED"}
        Ordering of NuLambda.
    frame : {"local", "galactic"}
        Frame of NuLambda and PsiChi.
    ei_edges : ndarray of float64
        Edges of the true energy Ei [keV].
    space : DataSpace
        Axes of the measured quantities.
    unit : str
        Unit of a table row after multiplication with a flux [ph cm-2 s-1]: "s-1" or "".
    read : callable
        ``read(start, stop, channels)`` gives rows start to stop as an array of shape
        (stop - start, n_ei, n_channel, n_phi, n_psichi) in cm2 or cm2 s.
    rows_per_read : int
        Rows to read at a time, so that each stored chunk is read once.
    span : tuple of float or None
        Time of which the exposure is [UNIX s]; None for areas, or if the file does not say.
    """

    path: str
    nside: int
    ordering: str | None
    frame: str
    ei_edges: np.ndarray
    space: DataSpace
    unit: str
    read: Callable[[int, int, slice], np.ndarray]
    rows_per_read: int = 1
    span: Span = None

    @property
    def n_rows(self) -> int:
        """Number of source directions."""
        return 12 * self.nside**2

    def blocks(
        self, channels: slice, wanted: np.ndarray | None = None
    ) -> Iterator[tuple[int, np.ndarray]]:
        """First row and content of consecutive blocks of rows.

        Blocks of which no row is `wanted`, an array of bool of shape (n_rows,), are not read.

        Raises
        ------
        InputError
            If rows cannot be read, or hold negative or non-finite values.
        """
        for start in range(0, self.n_rows, self.rows_per_read):
            stop = min(start + self.rows_per_read, self.n_rows)
            if wanted is not None and not wanted[start:stop].any():
                continue
            try:
                block = self.read(start, stop, channels)
            except SkyquiltError:
                raise
            except Exception as error:  # of many kinds
                raise InputError(
                    f"{self.path}: rows {start} to {stop - 1} cannot be read ({describe(error)}); "
                    "the file is damaged: fetch it again."
                ) from error
            # One pass: the smallest value is NaN when there is a NaN.
            if not (block.min() >= 0 and block.max() < np.inf):
                raise InputError(
                    f"{self.path}: rows {start} to {stop - 1} (NuLambda) hold negative or "
                    "non-finite values; effective areas must be finite and at least 0."
                )
            yield start, block
