"""Open the columns of an event file, whichever its format."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from skyquilt.errors import InputError
from skyquilt.instruments.compton.event_files.columns import BLOCK_BYTES, Columns
from skyquilt.instruments.compton.event_files.fits import open_fits_columns
from skyquilt.instruments.compton.event_files.hdf5 import open_hdf5_columns

_HDF5 = b"\x89HDF\r\n\x1a\n"
_FITS = b"SIMPLE  ="
_GZIP = b"\x1f\x8b"


@contextmanager
def open_columns(
    path: str | Path, units: Mapping[str, str], block_bytes: int = BLOCK_BYTES
) -> Iterator[Columns]:
    """Open columns of an event file; at no time is more than a few blocks in memory.

    Parameters
    ----------
    path : str or Path
        FITS file with the table in its first extension, plain or gzipped, or HDF5 file with
        one dataset per column at its root. The content decides, not the suffix.
    units : mapping of str to str
        Names of the columns to read and their units. Where the file states a unit, it must be
        this one. A column of pointings may carry ``(glon,glat)`` after its name.
    block_bytes : int, optional
        Size of a block in the file's own layout.

    Yields
    ------
    Columns
        Number of rows, and the blocks.

    Raises
    ------
    InputError
        If the file cannot be read, is no such file, is cut short, or lacks a column; or if a
        column is not numeric, has another length, or another unit.
    """
    path = Path(path)
    with _opener(path)(path, units, block_bytes) as columns:
        yield columns


def _opener(path: Path):
    """Reader of the format that the first bytes of a file announce."""
    try:
        with path.open("rb") as file:
            start = file.read(len(_FITS))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}.") from error
    for signature, opener in (
        (_HDF5, open_hdf5_columns),
        (_FITS, open_fits_columns),
        (_GZIP, open_fits_columns),
    ):
        if start.startswith(signature):
            return opener
    raise InputError(f"{path}: is neither HDF5 nor FITS (plain or gzipped): starts with {start!r}.")
