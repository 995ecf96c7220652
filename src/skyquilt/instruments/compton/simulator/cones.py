"""Compton cones: where photons from one direction lie in Compton angle and scattered direction.

The model depends on angles between directions only, so it is the same in every frame.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from skyquilt.instruments.compton.simulator.telescope import (
    arm_fwhm,
    arm_profile,
    bin_energies,
    klein_nishina,
)
from skyquilt.native import kernels
from skyquilt.sky.healpix import nest_to_vec, ring_to_vec
from skyquilt.sky.pixels import nside_to_npix, ring_to_nest

_N_ANGLES = 361  # nodes of the angle between source and scattered direction: every 0.5 deg
_FINE = 8  # parts of a bin of the Compton angle
_ENERGIES = 5  # energies in each bin of true energy
_SUB_NSIDE = 32  # pixels are averaged over their parts at this resolution,
_MIN_PARTS = 4  # or over 4 x 4 parts when they are smaller
_KEPT_BYTES = 128 << 20  # images of a whole sky below this size are kept


@dataclass(frozen=True)
class Cones:
    """Probability of Compton angle and scattered direction, for a photon of each energy bin.

    Attributes
    ----------
    phi_edges : ndarray of float64, shape (n_phi + 1,)
        Edges of the Compton angle Phi [deg].
    density : ndarray of float64, shape (n_ei, 8 n_phi, n_angle)
        Probability of each eighth of a Phi bin, per solid angle of the scattered direction
        [sr-1], at `angles` from the source.
    """

    phi_edges: np.ndarray
    density: np.ndarray

    @property
    def angles(self) -> np.ndarray:
        """Angles between source and scattered direction [rad], 0 to pi."""
        return np.linspace(0, np.pi, _N_ANGLES)

    @cached_property
    def table(self) -> np.ndarray:
        """Density of whole Phi bins, float32, shape (n_angle, n_ei * n_phi)."""
        n_ei, n_fine, n_angle = self.density.shape
        coarse = self.density.reshape(n_ei, n_fine // _FINE, _FINE, n_angle).sum(axis=2)
        return np.ascontiguousarray(coarse.reshape(-1, n_angle).T, dtype=np.float32)


def make_cones(energy_edges: np.ndarray, n_phi: int) -> Cones:
    """Cones of a telescope with Klein-Nishina scattering and its angular resolution.

    Parameters
    ----------
    energy_edges : ndarray of float64, shape (n_ei + 1,)
        Edges of the true energy [keV].
    n_phi : int
        Number of bins of the Compton angle.

    Examples
    --------
    >>> cones = make_cones(np.array([200.0, 500.0]), n_phi=6)
    >>> solid_angle = solid_angles(cones.angles)
    >>> bool(np.isclose((cones.density * solid_angle).sum(), 1))
    True
    """
    phi = (np.arange(_FINE * n_phi) + 0.5) / (_FINE * n_phi) * np.pi
    energies = bin_energies(energy_edges, _ENERGIES)
    density = [np.mean([_density(e, phi) for e in row], axis=0) for row in energies]
    return Cones(np.linspace(0, 180, n_phi + 1), np.array(density))


def solid_angles(angles: np.ndarray) -> np.ndarray:
    """Solid angle of the ring around each node [sr], adding up to nearly 4 pi."""
    return 2 * np.pi * np.sin(angles) * (angles[1] - angles[0])


def _density(energy: float, phi: np.ndarray) -> np.ndarray:
    """Density at one energy, shape (n_phi, n_angle); it adds up to 1 over the sphere."""
    angles = np.linspace(0, np.pi, _N_ANGLES)
    prob = klein_nishina(energy, phi) * np.sin(phi)
    profile = arm_profile(np.degrees(angles - phi[:, None]), arm_fwhm(energy))
    profile /= (profile @ solid_angles(angles))[:, None]
    return (prob / prob.sum())[:, None] * profile


class ConeImages:
    """Images of cones on the pixels of the scattered direction.

    Parameters
    ----------
    cones : Cones
        Cones to draw.
    nside : int
        HEALPix resolution of the scattered direction; pixels are in RING order.
    """

    def __init__(self, cones: Cones, nside: int):
        self.cones = cones
        self.n_pixels = nside_to_npix(nside)
        self.shape = (len(cones.density), len(cones.phi_edges) - 1, self.n_pixels)
        parts = max(_MIN_PARTS, _SUB_NSIDE // nside) ** 2
        nest = ring_to_nest(nside, np.arange(self.n_pixels))
        children = nest[:, None] * parts + np.arange(parts)
        sub_nside = nside * round(parts**0.5)
        directions = nest_to_vec(sub_nside, children.ravel())
        self._directions = directions.reshape(self.n_pixels, parts, 3)
        self._kept: dict[tuple[int, int], np.ndarray] = {}

    def draw_pixel(self, nside: int, ipix: int) -> np.ndarray:
        """Image of the centre of a HEALPix pixel, RING order; small ones are drawn only once.

        Parameters
        ----------
        nside : int
            Resolution of the source direction.
        ipix : int
            Pixel of the source.

        Returns
        -------
        ndarray of float32, shape (n_ei, n_phi, n_psichi)
            As `draw`; not to be modified.
        """
        image = self._kept.get((nside, ipix))
        if image is None:
            image = self.draw(ring_to_vec(nside, np.array([ipix]))[0])
            if nside_to_npix(nside) * image.nbytes <= _KEPT_BYTES:
                self._kept[nside, ipix] = image
        return image

    def draw(self, direction: np.ndarray) -> np.ndarray:
        """Probability of each bin for photons from one direction.

        Parameters
        ----------
        direction : ndarray of float64, shape (3,)
            Unit vector of the source, in the frame of the pixels.

        Returns
        -------
        ndarray of float32, shape (n_ei, n_phi, n_psichi)
            Probabilities; they add up to 1 for each energy.
        """
        table, source = self.cones.table, np.ascontiguousarray(direction, np.float64)
        image = np.zeros((self.n_pixels, table.shape[1]), np.float32)
        parts = self._directions
        kernels.add_cones(*parts.shape[:2], parts, source, *table.shape, table, image)
        image = image.T.reshape(self.shape)
        return image / image.sum(axis=(1, 2), dtype=np.float64)[:, None, None].astype(np.float32)
