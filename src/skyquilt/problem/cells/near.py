"""Where the sources of a model may be."""

from typing import NamedTuple

import numpy as np

from skyquilt.sky.frames import rotate, rotation


class Near(NamedTuple):
    """Places at which sources start, and how far they may be from there.

    Attributes
    ----------
    directions : ndarray of float64, shape (n, 3)
        Unit vectors.
    frame : {"galactic", "icrs"}
        Their frame.
    radius_deg : float
        Angle around them [deg].
    """

    directions: np.ndarray
    frame: str
    radius_deg: float

    def in_frame(self, frame: str) -> np.ndarray:
        """The directions in another frame."""
        return rotate(rotation(self.frame, frame), self.directions)
