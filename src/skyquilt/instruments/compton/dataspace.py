"""The Compton data space (CDS): measured energy, Compton angle, scattered direction."""

from dataclasses import dataclass

import numpy as np

from skyquilt.errors import InputError
from skyquilt.instruments.channels import EDGE_RTOL


@dataclass(frozen=True)
class DataSpace:
    """Axes of binned Compton data; arrays have the order (Em, Phi, PsiChi).

    Attributes
    ----------
    em_edges : ndarray of float64
        Edges of the measured energy Em [keV].
    phi_edges : ndarray of float64
        Edges of the Compton angle Phi [deg].
    nside : int
        HEALPix resolution of the scattered direction PsiChi.
    ordering : {"RING", "NESTED"}
        Ordering of PsiChi.
    frame : {"local", "galactic"} or None
        Frame of PsiChi; None when the file does not say.
    """

    em_edges: np.ndarray
    phi_edges: np.ndarray
    nside: int
    ordering: str | None
    frame: str | None

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of bins in Em, Phi, PsiChi."""
        return len(self.em_edges) - 1, len(self.phi_edges) - 1, 12 * self.nside**2


def check_same_space(space: DataSpace, path: str, other: DataSpace, other_path: str) -> None:
    """Check that two files have the same axes.

    Raises
    ------
    InputError
        If an axis differs; the message names both files, the axis and both values.
    """
    both = f"{path} and {other_path}"
    _check_edges("Em", "keV", space.em_edges, other.em_edges, both)
    _check_edges("Phi", "deg", space.phi_edges, other.phi_edges, both)
    for name in ("nside", "ordering", "frame"):
        mine, theirs = getattr(space, name), getattr(other, name)
        if mine != theirs and None not in (mine, theirs):
            raise InputError(
                f"{both}: axis PsiChi has {name} {mine} in the first and {theirs} in the second; "
                "they must be equal: bin both in the same way."
            )


def _check_edges(axis: str, unit: str, mine: np.ndarray, theirs: np.ndarray, both: str) -> None:
    if mine.shape != theirs.shape:
        raise InputError(
            f"{both}: axis {axis} has {mine.size - 1} bins in the first and {theirs.size - 1} in "
            "the second; they must be equal: bin both in the same way."
        )
    differ = ~np.isclose(mine, theirs, rtol=EDGE_RTOL, atol=1e-9)
    if differ.any():
        where = int(np.argmax(differ))
        raise InputError(
            f"{both}: edge {where} of axis {axis} is {mine[where]:.7g} {unit} in the first and "
            f"{theirs[where]:.7g} {unit} in the second; they must be equal: bin both the same way."
        )
