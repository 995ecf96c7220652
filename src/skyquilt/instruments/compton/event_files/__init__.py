"""Event files as columns, read block by block: FITS tables, flat HDF5, lists of MEGAlib."""

from skyquilt.instruments.compton.event_files.columns import BLOCK_BYTES, NO_POINTING, Pointing
from skyquilt.instruments.compton.event_files.file import open_columns

__all__ = ["BLOCK_BYTES", "NO_POINTING", "Pointing", "open_columns"]
