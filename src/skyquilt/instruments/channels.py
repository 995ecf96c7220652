"""Which channels of measured energy an analysis takes, by number or by their edges."""

import numpy as np

from skyquilt.config.energy import EnergySelection
from skyquilt.config.units import to_value
from skyquilt.errors import InputError

EDGE_RTOL = 1e-5
"""Edges are equal when they agree to five digits: files round them to six."""


def select_channels(edges: np.ndarray, selection: EnergySelection, path: str) -> tuple[int, int]:
    """Half-open range of measured-energy channels.

    Parameters
    ----------
    edges : ndarray of float64
        Edges of the channels [keV].
    selection : EnergySelection
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
    n_channels = len(edges) - 1
    if (limits := selection.limits()) is not None:
        low, high = (_find_edge(edges, to_value(text, "keV"), path) for text in limits)
    else:
        low, high = selection.channels or (0, n_channels)
    if not 0 <= low < high <= n_channels:
        raise InputError(
            f"{path}: energy channels [{low}, {high}) are empty or do not exist; the file has "
            f"channels 0 to {n_channels - 1}: correct `energy`."
        )
    return low, high


def _find_edge(edges: np.ndarray, energy: float, path: str) -> int:
    found = np.flatnonzero(np.isclose(edges, energy, rtol=EDGE_RTOL, atol=0))
    if found.size == 0:
        allowed = ", ".join(f"{edge:.6g}" for edge in edges)
        raise InputError(
            f"{path}: {energy:g} keV is no edge of the measured energies; edges are {allowed} keV: "
            "choose two of them in `energy.range`, or some in `energy.bands`."
        )
    return int(found[0])
