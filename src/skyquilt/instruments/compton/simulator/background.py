"""Background: photons from the whole sky and brighter ones from the Earth below (albedo).

An approximation for tests of the analysis; there is no radioactivity of the detector, whose
counts would look much the same as those of an even sky.
"""

import logging

import numpy as np

from skyquilt.instruments.compton.orientation import Orientation, get_livetimes
from skyquilt.instruments.compton.simulator.cones import ConeImages
from skyquilt.instruments.compton.simulator.exposure import spacecraft_axes
from skyquilt.instruments.compton.simulator.instrument import Instrument
from skyquilt.instruments.compton.simulator.orbit import HORIZON_COS
from skyquilt.instruments.compton.simulator.progress import progress
from skyquilt.instruments.compton.simulator.telescope import zenith_factor
from skyquilt.sky.healpix import ring_to_vec
from skyquilt.sky.pixels import nside_to_npix

logger = logging.getLogger(__name__)

ALBEDO = 4.0  # brightness of the Earth relative to the sky
_INDEX = -1.7  # photon index of both
_LIMB_WIDTH = 0.03  # softness of the Earth's limb, in cosine
_BLOCK = 1 << 20  # products of record and direction at a time


def intensity(cos_nadir: np.ndarray) -> np.ndarray:
    """Brightness of a direction relative to that of the sky.

    Parameters
    ----------
    cos_nadir : ndarray of float64
        Cosine of the angle to the Earth's centre.

    Examples
    --------
    >>> intensity(np.array([-1.0, 1.0])).round(6)
    array([1., 4.])
    """
    is_earth = 0.5 + 0.5 * np.tanh((cos_nadir + HORIZON_COS) / (2 * _LIMB_WIDTH))
    return 1 + (ALBEDO - 1) * is_earth


def photon_shape(edges: np.ndarray) -> np.ndarray:
    """Photons per energy bin, of sum 1: a power law.

    Parameters
    ----------
    edges : ndarray of float64, shape (n + 1,)
        Edges of the true energy [keV].
    """
    photons = np.diff(edges ** (1 + _INDEX)) / (1 + _INDEX)
    return photons / photons.sum()


def local_weights(orientation: Orientation, livetime: np.ndarray, nside: int) -> np.ndarray:
    """Brightness times zenith factor times livetime, by pixel of the spacecraft's sky.

    Parameters
    ----------
    orientation : Orientation
        Attitude.
    livetime : ndarray of float64, shape (n_record,)
        Livetime of each record [s].
    nside : int
        Resolution of the sky.

    Returns
    -------
    ndarray of float64, shape (12 nside^2,)
        Weights in RING order [s].
    """
    directions = ring_to_vec(nside, np.arange(nside_to_npix(nside)))
    axes = spacecraft_axes(orientation)
    nadir = -np.stack([np.sum(axis * orientation.zenith, axis=1) for axis in axes], axis=1)
    total = np.zeros(len(directions))
    for part in _parts(livetime, total.size):
        total += livetime[part] @ intensity(nadir[part] @ directions.T)
    return total * zenith_factor(directions[:, 2])


def galactic_weights(orientation: Orientation, livetime: np.ndarray, nside: int) -> np.ndarray:
    """Brightness times zenith factor times livetime, by galactic pixel.

    Parameters and result as those of `local_weights`.
    """
    directions = ring_to_vec(nside, np.arange(nside_to_npix(nside)))
    total = np.zeros(len(directions))
    for part in _parts(livetime, total.size):
        brightness = intensity(-orientation.zenith[part] @ directions.T)
        total += livetime[part] @ (brightness * zenith_factor(orientation.z[part] @ directions.T))
    return total


def background_photons(
    instrument: Instrument, orientation: Orientation, nside: int, rate: float
) -> np.ndarray:
    """Photon flux from one pixel of brightness 1 that gives a mean count rate.

    Parameters
    ----------
    instrument : Instrument
        The telescope.
    orientation : Orientation
        Attitude and livetime.
    nside : int
        Resolution of the pixels.
    rate : float
        Counts per livetime, all energies [s-1].

    Returns
    -------
    ndarray of float64, shape (n_ei,)
        Flux [ph cm-2 s-1].
    """
    shape = photon_shape(instrument.edges)
    weights = local_weights(orientation, get_livetimes(orientation), nside)
    counts = weights.sum() * np.sum(shape @ instrument.area)
    return shape * rate * get_livetimes(orientation).sum() / counts


def fold(weights: np.ndarray, nside: int, images: ConeImages) -> np.ndarray:
    """Sum of the images of all pixels with their weights.

    Parameters
    ----------
    weights : ndarray of float64, shape (n_group, 12 nside^2)
        Weights of the pixels in RING order, for several groups of records [s].
    nside : int
        Resolution of the pixels.
    images : ConeImages
        Images of single directions.

    Returns
    -------
    ndarray of float64, shape (n_group, n_ei, n_phi, n_psichi)
        Weighted images [s].
    """
    total = np.zeros((len(weights), *images.shape))
    for ipix in progress(weights.shape[1], "background: directions", logger):
        image = images.draw_pixel(nside, ipix)
        for group, weight in zip(total, weights[:, ipix], strict=True):
            group += np.float32(weight) * image
    return total


def _parts(livetime: np.ndarray, n_directions: int) -> list[np.ndarray]:
    used = np.flatnonzero(livetime)
    return np.array_split(used, 1 + used.size * n_directions // _BLOCK)
