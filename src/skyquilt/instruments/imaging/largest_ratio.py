"""What bounds fluxes below zero where events are fitted one by one.

A source of unit flux at p has its largest density of photons at p itself, so the model of a flux f
stays above zero where f > -1 / x(p), with

    x(p) = max over E of dN/dE(E) exposure(p, E) PSF(0, E) / b(p, E).

The background is taken to be as large within the core of the point spread function as at p.
"""

import numpy as np

from skyquilt.config.spectrum import Spectrum
from skyquilt.instruments.imaging.background import Background
from skyquilt.instruments.imaging.response import ImagingResponse, interpolation_weights
from skyquilt.problem.empty_bins import fill_background
from skyquilt.problem.sky_grid import HealpixGrid, known_values
from skyquilt.sky.healpix import ring_to_vec
from skyquilt.spectra.models import corners, evaluate
from skyquilt.status import GOOD

_INSIDE = 1e-9  # relative; both sides of the edge of a band are looked at
_PIXELS = 8192  # at a time


def largest_ratio(
    spectrum: Spectrum, background: Background, response: ImagingResponse, span: tuple[float, float]
) -> HealpixGrid:
    """Largest x(p) over the energies of the response and the edges of the background's bands.

    Parameters
    ----------
    spectrum : Spectrum
        Reference spectrum.
    background : Background
        Expected background.
    response : ImagingResponse
        Exposure and point spread function.
    span : tuple of float
        Lowest and highest energy [keV].

    Returns
    -------
    HealpixGrid
        One value per pixel of the background's resolution, in the frame of the exposure, where
        that is known. Between
        their centres it is no lower than with the background interpolated.
    """
    energy = _energies(spectrum, background, response, span)
    central = interpolation_weights(response.psf_positions(energy), len(response.psf.energies))
    density = evaluate(spectrum, energy) * (central @ response.psf.profile[:, 0])
    seen = interpolation_weights(
        response.exposure_positions(energy), len(response.exposure.energies)
    )
    exposure, frame = response.grid(), response.exposure.frame
    nside = background.cube.nside
    largest, is_known = np.empty((12 * nside**2, 1)), np.empty(12 * nside**2, bool)
    for start in range(0, len(largest), _PIXELS):
        ipix = np.arange(start, min(start + _PIXELS, len(largest)))
        position = ring_to_vec(nside, ipix)
        expected = fill_background(background.at(frame, position, energy))
        value, status = known_values(exposure, position)
        is_known[ipix] = status == GOOD
        largest[ipix, 0] = np.max(density * (value @ seen.T) / expected, axis=1)
    if is_known.all():
        return HealpixGrid(nside, largest)
    return HealpixGrid(nside, largest[is_known], np.flatnonzero(is_known))


def _energies(
    spectrum: Spectrum, background: Background, response: ImagingResponse, span: tuple[float, float]
) -> np.ndarray:
    """Energies at which the ratio may be largest, but for curves between them."""
    edges = background.cube.energies
    inner = (response.exposure.energies, response.psf.energies, corners(spectrum))
    energy = np.concatenate([edges * (1 - _INSIDE), edges, *inner])
    inside = energy[(energy > span[0]) & (energy < span[1])]
    return np.unique([span[0], *inside, span[1] * (1 - _INSIDE)])
