"""Exposure and point spread function, averaged over a spectrum."""

from typing import NamedTuple

import numpy as np

from skyquilt.config.spectrum import Spectrum
from skyquilt.errors import InputError
from skyquilt.instruments.imaging.cube import SkyCube
from skyquilt.instruments.imaging.point_spread_file import PointSpreadFunction
from skyquilt.problem.event_density import node_positions
from skyquilt.problem.event_energies import EventEnergies
from skyquilt.problem.profiles import tabulate
from skyquilt.problem.sky_grid import HealpixGrid
from skyquilt.problem.spread_nodes import SpreadNodes
from skyquilt.problem.true_energy import TrueEnergy
from skyquilt.spectra.models import corners, evaluate

_ORDER = 8  # Gauss-Legendre between energies of the response, which are tenths of a decade apart
_SAME_ENERGY = 1e-4  # relative; energies are often stored in single precision


class ImagingResponse(NamedTuple):
    """What an imaging instrument makes of a source.

    Attributes
    ----------
    exposure : SkyCube
        Exposure [cm2 s] at energies.
    psf : PointSpreadFunction
        Point spread function at energies.
    """

    exposure: SkyCube
    psf: PointSpreadFunction

    def grid(self, weight: np.ndarray | None = None) -> HealpixGrid:
        """Exposure on the sky, or weighted sums of it.

        Parameters
        ----------
        weight : ndarray of float64, shape (n, n_energy), optional
            Weights of the energies in n sums; the energies themselves when left out.
        """
        values = self.exposure.values
        return self.exposure.grid(values if weight is None else values @ weight.T)

    def exposure_positions(self, energy: np.ndarray) -> np.ndarray:
        """Positions among the energies of the exposure; see `position_of`."""
        return position_of(self.exposure.path, self.exposure.energies, energy)

    def psf_positions(self, energy: np.ndarray) -> np.ndarray:
        """Positions among the energies of the point spread function; see `position_of`."""
        return position_of(self.psf.path, self.psf.energies, energy)


class PhotonNodes(NamedTuple):
    """Photons of a spectrum, at the nodes of an integral over energy.

    Attributes
    ----------
    band : ndarray of int64, shape (n,)
        Band of each node.
    energy : ndarray of float64, shape (n,)
        Energy [keV].
    flux : ndarray of float64, shape (n,)
        Photon flux that the node stands for [ph cm-2 s-1].
    width : ndarray of float64, shape (n,)
        Energies that the node stands for [keV]: flux over flux density.
    """

    band: np.ndarray
    energy: np.ndarray
    flux: np.ndarray
    width: np.ndarray


def position_of(path: str, nodes: np.ndarray, energy: np.ndarray) -> np.ndarray:
    """Positions of energies among nodes, linear in the logarithm: 2.3 is 0.3 of the way to 3.

    Raises
    ------
    InputError
        If an energy lies outside.
    """
    outside = (energy < nodes[0] * (1 - _SAME_ENERGY)) | (energy > nodes[-1] * (1 + _SAME_ENERGY))
    if outside.any():
        raise InputError(
            f"{path}: covers {nodes[0]:.6g} to {nodes[-1]:.6g} keV, but {energy[outside][0]:.6g} "
            "keV is needed: narrow `energy.range`."
        )
    return node_positions(nodes, energy)


def spread_photons(spectrum: Spectrum, edges: np.ndarray, response: ImagingResponse) -> PhotonNodes:
    """Nodes and weights that integrate a spectrum times the response over energy bands.

    Between the energies of the response it is linear in the logarithm of energy, so the nodes are
    those of Gauss-Legendre rules between them.

    Parameters
    ----------
    spectrum : Spectrum
        Reference spectrum.
    edges : ndarray of float64, shape (n_band + 1,)
        Edges of the bands [keV].
    response : ImagingResponse
        Its energies.
    """
    inner = [response.exposure.energies, response.psf.energies, corners(spectrum)]
    borders = np.unique(np.concatenate([edges, *inner]))
    borders = borders[(borders >= edges[0]) & (borders <= edges[-1])]
    node, weight = np.polynomial.legendre.leggauss(_ORDER)
    half = np.log(borders[1:] / borders[:-1])[:, np.newaxis] / 2
    energy = (borders[:-1, np.newaxis] * np.exp(half * (1 + node))).ravel()
    width = (weight * half).ravel() * energy
    flux = width * evaluate(spectrum, energy)
    band = np.searchsorted(edges[1:-1], energy, side="right")
    return PhotonNodes(band.astype(np.int64), energy, flux, width)


def interpolation_weights(position: np.ndarray, n_node: int) -> np.ndarray:
    """Linear interpolation as a matrix, shape (n, n_node), from positions among the nodes."""
    return np.maximum(0, 1 - np.abs(position[:, np.newaxis] - np.arange(n_node)))


def exposure_weights(photons: PhotonNodes, response: ImagingResponse, n_band: int) -> np.ndarray:
    """Expected counts per exposure at each of its energies [cm-2 s-1], shape (n_band, n_energy)."""
    by_node = interpolation_weights(
        response.exposure_positions(photons.energy), len(response.exposure.energies)
    )
    return _sum_bands(photons, photons.flux[:, np.newaxis] * by_node, n_band)


def band_nodes(photons: PhotonNodes, response: ImagingResponse, n_band: int) -> SpreadNodes:
    """Exposure at each of its energies, for the photons of each band around it.

    What `exposure_weights` gives for one spectrum follows for any. The point spread function of a
    band is that of the reference spectrum.
    """
    axis, energy, band = _energies_in_bands(photons, response, n_band, photons.width)
    return SpreadNodes(axis, response.grid(), energy, band)


def event_energies(
    photons: PhotonNodes, response: ImagingResponse, energy: np.ndarray
) -> EventEnergies:
    """Energies of events, and the photons in bands that are seen around each of the exposure."""
    width = photons.width * seen_fraction(photons, response)
    n_band = int(photons.band.max(initial=0)) + 1
    return EventEnergies(energy, *_energies_in_bands(photons, response, n_band, width))


def _energies_in_bands(
    photons: PhotonNodes, response: ImagingResponse, n_band: int, width: np.ndarray
) -> tuple[TrueEnergy, np.ndarray, np.ndarray]:
    """Nodes that are energies of the exposure in bands; numbers of the energy and of the band."""
    by_node = interpolation_weights(
        response.exposure_positions(photons.energy), len(response.exposure.energies)
    )
    weight = np.zeros((n_band, len(by_node.T), len(photons.energy)))
    weight[photons.band, :, np.arange(len(photons.energy))] = by_node * width[:, np.newaxis]
    band, energy = np.nonzero(weight.any(axis=2))
    return TrueEnergy.of_matrix(photons.energy, weight[band, energy]), energy, band


def seen_fraction(photons: PhotonNodes, response: ImagingResponse) -> np.ndarray:
    """Integral of the point spread function at the energy of each photon, shape (n,)."""
    integral = tabulate(response.psf.theta, response.psf.profile, 1e-3).total
    return np.interp(response.psf_positions(photons.energy), np.arange(len(integral)), integral)


def mean_profiles(photons: PhotonNodes, response: ImagingResponse, n_band: int) -> np.ndarray:
    """Point spread function per band [sr-1], shape (n_band, n_theta).

    The mean is over the photons of the spectrum and the exposure averaged over the sky.

    Raises
    ------
    InputError
        If no photon of a band is seen.
    """
    mean_exposure = np.interp(
        np.log(photons.energy),
        np.log(response.exposure.energies),
        response.exposure.values[response.exposure.is_known].mean(axis=0),
    )
    counts = photons.flux * mean_exposure
    by_node = interpolation_weights(
        response.psf_positions(photons.energy), len(response.psf.energies)
    )
    weight = _sum_bands(photons, counts[:, np.newaxis] * by_node, n_band)
    seen = weight.sum(axis=1, keepdims=True)
    if not np.all(seen > 0):
        raise InputError(
            f"{response.exposure.path}: the exposure is 0 in {int(np.sum(seen <= 0))} of the "
            f"{n_band} chosen bands; leave them out with `energy`."
        )
    return weight / seen @ response.psf.profile


def _sum_bands(photons: PhotonNodes, values: np.ndarray, n_band: int) -> np.ndarray:
    sums = np.zeros((n_band, values.shape[1]))
    np.add.at(sums, photons.band, values)
    return sums
