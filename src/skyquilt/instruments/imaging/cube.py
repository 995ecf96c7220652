"""Cubes of either kind of pixels: HEALPix tables and images in a projection of the sky."""

from skyquilt.config.imaging import BackgroundCube, CountsCube, ExposureCube
from skyquilt.instruments.imaging.fits_file import open_fits
from skyquilt.instruments.imaging.healpix_cube import HealpixCube, read_bands, read_exposure
from skyquilt.instruments.imaging.healpix_table import has_pixels
from skyquilt.instruments.imaging.wcs_cube import WcsCube, read_wcs_bands, read_wcs_exposure

SkyCube = HealpixCube | WcsCube


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
