"""Bands of measured energy of an analysis: channels of its data, or edges that it gives."""

import numpy as np

from skyquilt.config.energy import EnergySelection
from skyquilt.config.spectrum import Spectrum
from skyquilt.config.units import to_value
from skyquilt.errors import InputError
from skyquilt.instruments.channels import EDGE_RTOL
from skyquilt.problem.bands import Bands, Integrals
from skyquilt.spectra import evaluate, integrate, integrate_energy
from skyquilt.spectra.energies import format_range


def group_channels(
    edges: np.ndarray, selection: EnergySelection, path: str, tolerance: float = EDGE_RTOL
) -> tuple[np.ndarray, np.ndarray]:
    """Bands of channels.

    Parameters
    ----------
    edges : ndarray of float64, shape (n_channel + 1,)
        Edges of the channels that enter the likelihood [keV].
    selection : EnergySelection
        Its `bands` or `sum_channels`; without either each channel is a band.
    path : str
        File the edges come from, for messages.
    tolerance : float
        Relative difference up to which two edges are equal.

    Returns
    -------
    bands : ndarray of float64, shape (n_band, 2)
        Edges of the bands [keV], which are edges of channels.
    number : ndarray of int64, shape (n_channel,)
        Band of each channel.

    Raises
    ------
    InputError
        If an edge of a band is none of a channel, or a band has no channel.
    """
    if selection.sum_channels:
        return edges[[0, -1]][np.newaxis], np.zeros(len(edges) - 1, np.int64)
    if selection.bands is None:
        return np.column_stack([edges[:-1], edges[1:]]), np.arange(len(edges) - 1)
    wanted = [to_value(text, "keV") for text in selection.bands]
    index = np.array([_find_edge(edges, energy, path, tolerance) for energy in wanted])
    if np.any(np.diff(index) < 1):
        raise InputError(
            f"{path}: energy.bands {list(selection.bands)}: two of them are the same edge of the "
            "file; give each once."
        )
    number = np.repeat(np.arange(len(index) - 1), np.diff(index))
    return np.column_stack([edges[index[:-1]], edges[index[1:]]]), number


def keep_bands(
    bands: np.ndarray,
    number: np.ndarray,
    is_kept: np.ndarray,
    selection: EnergySelection,
    path: str,
) -> tuple[np.ndarray, np.ndarray]:
    """Bands of the channels that are kept, with the numbers of those that are left.

    A channel that is left out takes its band with it; but not one that the analysis asks for.

    Parameters
    ----------
    bands : ndarray of float64, shape (n_band, 2)
        Edges of the bands [keV].
    number : ndarray of int64, shape (n_channel,)
        Band of each channel.
    is_kept : ndarray of bool, shape (n_channel,)
        Channels that are kept.
    selection : EnergySelection
        What the analysis asks for.
    path : str
        File that leaves channels out, for messages.

    Raises
    ------
    InputError
        If no channel of one of `selection.bands` is kept.
    """
    kept, number = np.unique(number[is_kept], return_inverse=True)
    lost = np.setdiff1d(np.arange(len(bands)), kept)
    if lost.size and selection.bands is not None:
        raise InputError(
            f"{path}: its mask leaves nothing of the band {format_range(*bands[lost[0]])}: take it "
            "out of `energy.bands`, or join it with the next."
        )
    return bands[kept], number.ravel().astype(np.int64)


def make_bands(
    spectrum: Spectrum, edges: np.ndarray, of_hit: np.ndarray, of_total: np.ndarray
) -> Bands:
    """Bands of one data set.

    Parameters
    ----------
    spectrum : Spectrum
        Reference spectrum.
    edges : ndarray of float64, shape (n_band, 2)
        Edges of the bands [keV], ascending.
    of_hit : ndarray of int64, shape (n_hit,)
        Band of each hit bin.
    of_total : ndarray of int64, shape (n_total,)
        Band of each of the totals that the expectation tells apart.
    """
    return Bands(edges, ("",) * len(edges), spectrum_integrals(spectrum, edges), of_hit, of_total)


def spectrum_integrals(spectrum: Spectrum, edges: np.ndarray) -> Integrals:
    """A spectrum in each of some bands, of edges of shape (n_band, 2) [keV]."""
    grid = np.unique(edges)
    cell = np.searchsorted(grid, edges[:, 0])
    return Integrals(
        photon_flux=integrate(spectrum, grid)[cell],
        energy_flux=integrate_energy(spectrum, grid)[cell],
        dnde=evaluate(spectrum, np.sqrt(edges.prod(axis=1))),
    )


def _find_edge(edges: np.ndarray, energy: float, path: str, tolerance: float) -> int:
    index = int(np.argmin(np.abs(np.log(edges / energy))))
    if abs(edges[index] / energy - 1) > tolerance:
        raise InputError(
            f"{path}: energy.bands: {energy:.6g} keV is no edge of its energies; edges are "
            f"{', '.join(f'{edge:.6g}' for edge in edges)} keV: choose some of them."
        )
    return index
