"""Open the columns of an event file, whichever its format."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from skyquilt.errors import InputError
from skyquilt.instruments.compton.event_files.columns import (
    BLOCK_BYTES,
    NO_POINTING,
    Columns,
    Pointing,
)
from skyquilt.instruments.compton.event_files.fits import open_fits_columns
from skyquilt.instruments.compton.event_files.hdf5 import open_hdf5_columns
from skyquilt.instruments.compton.event_files.tra import is_tra, open_tra_columns
from skyquilt.instruments.compton.stream import open_inflated

_HDF5 = b"\x89HDF\r\n\x1a\n"
_FITS = b"SIMPLE  ="
_START_BYTES = 4096


@contextmanager
def open_columns(
    path: str | Path,
    units: Mapping[str, str],
    block_bytes: int = BLOCK_BYTES,
    pointing: Pointing = NO_POINTING,
) -> Iterator[Columns]:
    """Open columns of an event file; at no time is more than a few blocks in memory.

    Parameters
    ----------
    path : str or Path
        FITS file with the table in its first extension, HDF5 file with one dataset per column at
        its root, or event list of MEGAlib (`.tra`); FITS and lists may be gzipped. The content
        decides, not the suffix.
    units : mapping of str to str
        Names of the columns to read and their units. Where the file states a unit, it must be
        this one. A column of pointings may carry ``(glon,glat)`` after its name.
    block_bytes : int, optional
        Size of a block in the file's own layout.
    pointing : Pointing, optional
        Attitude of the spacecraft, for event lists that have none.

    Yields
    ------
    Columns
        Number of rows, and the blocks.

    Raises
    ------
    InputError
        If the file cannot be read, is no such file, is cut short, or lacks a column; or if a
        column is not numeric, has another length, or another unit; or if an orientation is given
        for a file that has directions of its own.
    """
    path = Path(path)
    start = _first_bytes(path)
    if is_tra(start):
        opened = open_tra_columns(path, units, block_bytes, pointing)
    else:
        opened = _opener(path, start)(path, units, block_bytes)
        if pointing.orientation is not None:
            raise InputError(
                f"{path}: has galactic directions of its own, so an orientation has no effect: "
                "remove `orientation`."
            )
    with opened as columns:
        yield columns


def _first_bytes(path: Path) -> bytes:
    """First bytes of the content of a file, gzipped or not."""
    with open_inflated(str(path)) as (file, _):
        return file.read(_START_BYTES)


def _opener(path: Path, start: bytes) -> Callable:
    """Reader of the format that the first bytes of a file announce."""
    for signature, opener in ((_HDF5, open_hdf5_columns), (_FITS, open_fits_columns)):
        if start.startswith(signature):
            return opener
    raise InputError(
        f"{path}: is neither HDF5 nor FITS (plain or gzipped), nor an event list of MEGAlib (.tra, "
        f"first lines 'TYPE TRA' or 'SE'): starts with {start[:12]!r}."
    )
