"""Positions of a list of sources, for maps of either frame."""

from typing import NamedTuple

import numpy as np


class SourcePositions(NamedTuple):
    """Where the sources of a list are, in the order of their rows.

    Attributes
    ----------
    ra, dec : ndarray of float64, shape (n,)
        Right ascension and declination, ICRS [deg].
    glon, glat : ndarray of float64, shape (n,)
        Galactic longitude and latitude [deg].
    """

    ra: np.ndarray
    dec: np.ndarray
    glon: np.ndarray
    glat: np.ndarray

    def in_frame(self, frame: str) -> tuple[np.ndarray, np.ndarray]:
        """Longitudes and latitudes [deg] in a frame, "galactic" or "icrs"."""
        return (self.ra, self.dec) if frame == "icrs" else (self.glon, self.glat)
