"""Expectation of an imaging instrument's counts in pixels and energy bands.

A source of unit flux at p gives, in band j of pixel i,

    e_ij(p) = sum_c  to_band_cj  yield_c(p)  integral over pixel i of PSF_c dOmega,

where a component c is a range of true energy (and, where the point spread function changes over
the sky, one of its shapes): its yield is flux times effective area times time.
"""

from dataclasses import dataclass

import numpy as np

from skyquilt.problem.expectation import Block
from skyquilt.problem.sky_grid import SkyGrid


@dataclass(frozen=True, eq=False)
class PointSpread:
    """Pixels with counts per energy band, yield over the sky, point spread function.

    Attributes
    ----------
    vertices : ndarray of float64, shape (n_pixel, n_vertex, 3)
        Corners of all pixels of the data, with counts and without: unit vectors in order,
        counter-clockwise as seen from outside the sphere. Any pixels that tile the data's part
        of the sky; curved edges have more vertices.
    bin_pixel, bin_band : ndarray of int64, shape (n_hit,)
        Pixel and band of each hit bin, ascending by pixel, then band.
    yields : SkyGrid
        Expected counts for unit flux of each component, at the source's place.
    theta : ndarray of float64, shape (n_theta,)
        Angles [rad] of the profiles, from 0, ascending.
    profile : ndarray of float64, shape (n_component, n_theta)
        Point spread function [sr-1] of each component.
    to_band : ndarray of float64, shape (n_component, n_band)
        Probability that a photon of a component is measured in a band.
    lost_fraction : float
        Fraction of the photons of a component that lie outside its radius.
    """

    vertices: np.ndarray
    bin_pixel: np.ndarray
    bin_band: np.ndarray
    yields: SkyGrid
    theta: np.ndarray
    profile: np.ndarray
    to_band: np.ndarray
    lost_fraction: float = 1e-3

    @property
    def n_hit(self) -> int:
        """Number of hit bins."""
        return len(self.bin_pixel)

    @property
    def entries_per_direction(self) -> float:
        """Expected counts that a block holds per direction."""
        return float(self.n_hit)

    def block(self, directions: np.ndarray) -> Block:
        """Expected counts for unit flux."""
        raise NotImplementedError

    def work_per_direction(self) -> float:
        """Estimated multiply-adds for one direction."""
        raise NotImplementedError
