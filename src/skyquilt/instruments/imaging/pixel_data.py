"""Photons counted in pixels and energy bands, and the response to a spectrum, as files say."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from skyquilt.problem.sky_grid import HealpixGrid
from skyquilt.problem.spread_nodes import SpreadNodes


class PixelData(NamedTuple):
    """Counts, background and response of an imaging instrument.

    Attributes
    ----------
    path : str
        File of the counts, for messages.
    frame : {"galactic", "icrs"}
        Frame of all directions.
    vertices : ndarray of float64, shape (n_pixel, n_vertex, 3)
        Corners of the pixels, as in `PointSpread`.
    edges : ndarray of float64, shape (n_band + 1,)
        Edges of the measured energies [keV].
    is_good : ndarray of bool, shape (n_band,)
        Bands that the file recommends, in any pixel.
    counts : ndarray of float64, shape (n_pixel, n_band)
        Observed counts.
    backgrounds : dict of str to ndarray of float64, shape (n_pixel, n_band)
        Expected counts of each component of the background.
    yields : HealpixGrid
        Expected counts of each component for unit flux, over all bands and pixels.
    theta : ndarray of float64, shape (n_theta,)
        Angles of the profiles [rad], from 0.
    profile : ndarray of float64, shape (n_component, n_theta)
        Point spread function of each component [sr-1].
    to_band : ndarray of float64, shape (n_component, n_band)
        Probability that a photon of a component is measured in a band.
    true_energy : callable
        Gives the exposures that the yields are made of.
    true_edges : ndarray of float64
        Edges of the true energies of the response [keV].
    is_safe : ndarray of bool, shape (n_pixel, n_band), optional
        Bins that the file recommends; all when left out.
    """

    path: str
    frame: str
    vertices: np.ndarray
    edges: np.ndarray
    is_good: np.ndarray
    counts: np.ndarray
    backgrounds: Mapping[str, np.ndarray]
    yields: HealpixGrid
    theta: np.ndarray
    profile: np.ndarray
    to_band: np.ndarray
    true_energy: Callable[[], SpreadNodes]
    true_edges: np.ndarray
    is_safe: np.ndarray | None = None
