"""The Compton data space (CDS): measured energy, Compton angle, scattered direction."""

from dataclasses import dataclass

import numpy as np

from skyquilt.errors import InputError

# Edges are equal when they agree to five digits: files round them to six.
_EDGE_RTOL = 1e-5


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
    ordering: str
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


def select_channels(edges: np.ndarray, selection, path: str) -> tuple[int, int]:
    """Half-open range of measured-energy channels.

    Parameters
    ----------
    edges : ndarray of float64
        Edges of the channels [keV].
    selection : skyquilt.config.energy.EnergySelection
        Channels by number or by energies.
    path : str
        File the edges come from, for messages.

    Returns
    -------
    tuple of int
        First channel and the one after the last.

    Raises
    ------
    InputError
        If a channel does not exist or an energy is not an edge: nothing is rounded to the
        nearest edge.
    """
    from skyquilt.config.base import to_value

    n_channels = len(edges) - 1
    if selection.range is not None:
        low, high = (_find_edge(edges, to_value(text, "keV"), path) for text in selection.range)
    else:
        low, high = selection.channels or (0, n_channels)
    if not 0 <= low < high <= n_channels:
        raise InputError(
            f"{path}: energy channels [{low}, {high}) are empty or do not exist; the file has "
            f"channels 0 to {n_channels - 1}: correct `energy`."
        )
    return low, high


def _find_edge(edges: np.ndarray, energy: float, path: str) -> int:
    found = np.flatnonzero(np.isclose(edges, energy, rtol=_EDGE_RTOL, atol=0))
    if found.size == 0:
        allowed = ", ".join(f"{edge:.6g}" for edge in edges)
        raise InputError(
            f"{path}: {energy:g} keV is no edge of Em; edges are {allowed} keV: choose two of them "
            "in `energy.range`."
        )
    return int(found[0])


def _check_edges(axis: str, unit: str, mine: np.ndarray, theirs: np.ndarray, both: str) -> None:
    if mine.shape != theirs.shape:
        raise InputError(
            f"{both}: axis {axis} has {mine.size - 1} bins in the first and {theirs.size - 1} in "
            "the second; they must be equal: bin both in the same way."
        )
    differ = ~np.isclose(mine, theirs, rtol=_EDGE_RTOL, atol=1e-9)
    if differ.any():
        where = int(np.argmax(differ))
        raise InputError(
            f"{both}: edge {where} of axis {axis} is {mine[where]:.7g} {unit} in the first and "
            f"{theirs[where]:.7g} {unit} in the second; they must be equal: bin both the same way."
        )
