"""Cubes of either kind of pixels: HEALPix tables and images in a projection of the sky."""

import numpy as np

from skyquilt.config.imaging import BackgroundCube, CountsCube, ExposureCube
from skyquilt.errors import InputError
from skyquilt.instruments.imaging.fits_file import open_fits
from skyquilt.instruments.imaging.healpix_cube import HealpixCube, read_bands, read_exposure
from skyquilt.instruments.imaging.healpix_table import has_pixels
from skyquilt.instruments.imaging.wcs_cube import WcsCube, read_wcs_bands, read_wcs_exposure

SkyCube = HealpixCube | WcsCube

SAME_EDGE = 1e-3
"""Relative difference of edges that are the same; EBOUNDS are often single precision."""


def read_band_cube(section: CountsCube | BackgroundCube, name: str) -> SkyCube:
    """Read values per pixel and energy band; see `read_bands` and `read_wcs_bands`."""
    return (read_wcs_bands if _is_image(section.path) else read_bands)(section, name)


def read_exposure_cube(section: ExposureCube) -> SkyCube:
    """Read an exposure; see `read_exposure` and `read_wcs_exposure`."""
    return (read_wcs_exposure if _is_image(section.path) else read_exposure)(section)


def _is_image(path: str) -> bool:
    """Whether a file holds images, and no table of HEALPix pixels."""
    with open_fits(path) as file:
        return file[0].header["NAXIS"] > 0 or not any(has_pixels(hdu) for hdu in file)


def check_same_cube(one: SkyCube, other: SkyCube) -> None:
    """Check that two cubes have the same pixels and bands.

    Raises
    ------
    InputError
        If they differ.
    """
    if type(one) is not type(other):
        raise InputError(
            f"{one.path} and {other.path}: one is in HEALPix pixels, the other in those of "
            "an image; they must agree."
        )
    difference = one.find_difference(other)
    sizes = len(one.energies) - 1, len(other.energies) - 1
    if difference is None and sizes[0] != sizes[1]:
        difference = f"the number of bands is {sizes[0]} in the first and {sizes[1]} in the second"
    if difference is not None:
        raise InputError(f"{one.path} and {other.path}: {difference}; they must agree.")
    if np.any(np.abs(one.energies / other.energies - 1) > SAME_EDGE):
        raise InputError(
            f"{one.path} and {other.path}: bands of {one.energies} keV in the first and "
            f"{other.energies} keV in the second; they must agree."
        )
