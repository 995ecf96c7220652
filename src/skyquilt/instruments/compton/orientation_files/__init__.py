"""Orientation files: text of MEGAlib and FITS tables of cosipy, plain and gzipped."""

from skyquilt.instruments.compton.orientation_files.file import read_orientation

__all__ = ["read_orientation"]
