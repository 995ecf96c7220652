"""A sky of pixels in two bands of energy, of which the second is seen less sharply."""

import healpy
import numpy as np

from skyquilt.problem import Description, FitProblem, PointSpread
from skyquilt.problem.bands import Bands, Integrals
from skyquilt.problem.pixel_image import find_hits
from skyquilt.problem.profiles import linear_integral
from skyquilt.problem.sky_grid import HealpixGrid

_EDGES_KEV = np.array([[1.0, 2.0], [2.0, 4.0]])
_YIELDS = [10.0, 4.0]  # counts for unit flux in each band
_THETA = np.radians(np.linspace(0, 60, 800))


def two_band_model(
    width: tuple[float, float], background: tuple[float, float], nside: int = 16
) -> FitProblem:
    """Problem of all bins without a count: of a whole sky, seen equally well everywhere.

    Parameters
    ----------
    width : tuple of float
        Standard deviation of the Gaussian point spread of each band [deg].
    background : tuple of float
        Expected background of each bin of a band.
    nside : int
        Resolution of the pixels.
    """
    profile = np.exp(-(_THETA**2) / (2 * np.radians(width)[:, np.newaxis] ** 2))
    profile /= linear_integral(_THETA, profile)[:, np.newaxis]
    npix = 12 * nside**2
    boundaries = healpy.boundaries(nside, np.arange(npix), step=4)
    image, _ = find_hits(np.ascontiguousarray(boundaries.swapaxes(1, 2)), np.ones((npix, 2)))
    expectation = PointSpread(
        image=image,
        yields=HealpixGrid(1, np.tile(_YIELDS, (12, 1))),
        theta=_THETA,
        profile=profile,
        to_band=np.eye(2),
    )
    band = image.bin_band
    bands = Bands(_EDGES_KEV, ("", ""), Integrals(*np.ones((3, 2))), band, np.arange(2))
    about = Description("toy", "flat", (1.0, 4.0))
    return FitProblem(
        *(np.zeros(band.size), np.array(background)[band], expectation, "galactic", 1.0, about),
        known_bands=bands,
    )
