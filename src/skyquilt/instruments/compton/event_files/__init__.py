"""Event files as columns, read block by block: FITS tables and flat HDF5."""

from skyquilt.instruments.compton.event_files.columns import BLOCK_BYTES
from skyquilt.instruments.compton.event_files.file import open_columns

__all__ = ["BLOCK_BYTES", "open_columns"]
