"""The telescope binned: what responses, backgrounds and sources have in common."""

from dataclasses import dataclass

import numpy as np

from skyquilt.config.simulation import SimulatedResolution
from skyquilt.config.units import to_value
from skyquilt.instruments.compton.simulator.cones import ConeImages, make_cones
from skyquilt.instruments.compton.simulator.telescope import areas, energy_redistribution


@dataclass(frozen=True)
class Instrument:
    """Binned response, a product of three factors.

    ``R(NuLambda, Ei, Em, Phi, PsiChi) = zenith_factor(NuLambda) area(Ei, Em) image(Ei, Phi,
    PsiChi)``: only the first depends on the position of the source in the field of view, so in the
    galactic frame an observation is the image in that frame times the sum of the first over time.

    Attributes
    ----------
    edges : ndarray of float64, shape (n_ei + 1,)
        Edges of true and measured energy [keV].
    area : ndarray of float64, shape (n_ei, n_em)
        On-axis effective area by true and measured energy [cm2].
    images : ConeImages
        Images of Compton cones on the pixels of PsiChi.
    nside_psichi : int
        Resolution of PsiChi.
    """

    edges: np.ndarray
    area: np.ndarray
    images: ConeImages
    nside_psichi: int

    @property
    def phi_edges(self) -> np.ndarray:
        """Edges of the Compton angle [deg]."""
        return self.images.cones.phi_edges

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Number of bins in Ei, Em, Phi, PsiChi."""
        n_ei, n_phi, n_psichi = self.images.shape
        return n_ei, n_ei, n_phi, n_psichi

    def row(self, nside: int, ipix: int, factor: float) -> np.ndarray:
        """Response to the centre of one pixel of the sky.

        Parameters
        ----------
        nside : int
            Resolution of the source direction.
        ipix : int
            Pixel in RING order, in the frame of the pixels of PsiChi.
        factor : float
            Factor on the on-axis area: of the zenith angle, or that integrated over time [s].

        Returns
        -------
        ndarray of float32, shape (n_ei, n_em, n_phi, n_psichi)
            Effective area [cm2], or exposure [cm2 s].
        """
        area = (factor * self.area).astype(np.float32)
        return area[:, :, None, None] * self.images.draw_pixel(nside, ipix)[:, None]

    def expect(self, image: np.ndarray, photons: np.ndarray) -> np.ndarray:
        """Expected counts.

        Parameters
        ----------
        image : ndarray, shape (n_ei, n_phi, n_psichi)
            Image, with the time-integrated factors of its directions [s].
        photons : ndarray of float64, shape (n_ei,)
            Photon flux [ph cm-2 s-1].

        Returns
        -------
        ndarray of float64, shape (n_em, n_phi, n_psichi)
            Counts.
        """
        return np.einsum("e,em,epq->mpq", photons, self.area, image, optimize=True)


def make_instrument(resolution: SimulatedResolution) -> Instrument:
    """Telescope binned as a configuration says."""
    edges = np.array([to_value(edge, "keV") for edge in resolution.energy_edges])
    area = areas(edges)[:, None] * energy_redistribution(edges)
    images = ConeImages(make_cones(edges, resolution.n_phi), resolution.nside_psichi)
    return Instrument(edges, area, images, resolution.nside_psichi)
