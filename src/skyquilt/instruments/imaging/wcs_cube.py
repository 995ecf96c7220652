"""Cubes in a projection of the sky: an image per energy in the first extension of a file."""

from dataclasses import dataclass

import numpy as np

from skyquilt.config.imaging import BackgroundCube, CountsCube, ExposureCube
from skyquilt.errors import InputError
from skyquilt.instruments.imaging.energies import read_bounds, read_nodes
from skyquilt.instruments.imaging.fits_file import open_fits
from skyquilt.instruments.imaging.headers import check_counts, unit_factor
from skyquilt.instruments.imaging.projection import Projection, find_difference, read_projection
from skyquilt.instruments.imaging.wcs import pixel_vertices, to_grid
from skyquilt.problem.sky_grid import HealpixGrid

_EXPOSURE = "data.exposure"  # section of the analysis, for messages


@dataclass(frozen=True, eq=False)
class WcsCube:
    """Values per pixel and energy.

    Attributes
    ----------
    path : str
        The file.
    projection : Projection
        Where the pixels are.
    values : ndarray of float64, shape (n_pixel, n)
        Values, finite and not negative, row by row of the image.
    energies : ndarray of float64
        Edges of n bands, shape (n + 1,), or n energies, ascending [keV].
    """

    path: str
    projection: Projection
    values: np.ndarray
    energies: np.ndarray

    @property
    def frame(self) -> str:
        """Frame of the pixels: galactic or icrs."""
        return self.projection.frame

    def grid(self, values: np.ndarray) -> HealpixGrid:
        """Values at the pixels of this cube, shape (n_pixel, n), between them."""
        return to_grid(self.projection, values.T.reshape(-1, *self.projection.shape))

    def corners(self) -> np.ndarray:
        """Corners of the pixels in their frame, shape (n_pixel, 4, 3).

        Raises
        ------
        InputError
            If a pixel lies off the sky.
        """
        vertices, is_on_sky = pixel_vertices(self.projection)
        if not is_on_sky.all():
            raise InputError(
                f"{self.path}: {int(np.sum(~is_on_sky))} pixels lie off the sky; cut the cube to "
                "those that lie on it, or take one in HEALPix pixels."
            )
        return vertices

    def find_difference(self, other: "WcsCube") -> str | None:
        """What makes the pixels of two cubes differ, for a message; None if they are the same."""
        return find_difference(self.projection, other.projection)


def read_wcs_bands(section: CountsCube | BackgroundCube, name: str) -> WcsCube:
    """Read values per pixel and energy band.

    Parameters
    ----------
    section : CountsCube or BackgroundCube
        Section of the analysis.
    name : str
        Its name, for messages.

    Raises
    ------
    InputError
        If the file is damaged, has no EBOUNDS, holds no counts, or a value is negative or not
        finite.
    ConfigError
        If the unit of the energies is not known.
    """
    with open_fits(section.path) as file:
        edges = read_bounds(file, section, name)
        check_counts(section.path, _unit(file[0]))
        return _read_images(file[0], section, edges, len(edges) - 1, 1.0)


def read_wcs_exposure(section: ExposureCube) -> WcsCube:
    """Read an exposure [cm2 s] per pixel, at energies.

    Raises
    ------
    InputError
        As `read_wcs_bands`; also if the exposure is 0 everywhere.
    ConfigError
        If a unit is not known.
    """
    with open_fits(section.path) as file:
        energies = read_nodes(file, section, _EXPOSURE)
        factor = unit_factor(
            section.path,
            "the exposures",
            _unit(file[0]),
            f"{_EXPOSURE}.unit",
            section.unit,
            "cm2 s",
        )
        cube = _read_images(file[0], section, energies, len(energies), factor)
    if not cube.values.any():
        raise InputError(f"{section.path}: the exposure is 0 everywhere.")
    return cube


def _unit(image) -> str | None:
    return str(image.header.get("BUNIT", "")).strip() or None


def _read_images(image, section, energies: np.ndarray, n: int, factor: float) -> WcsCube:
    path, shape = section.path, np.shape(image.data)
    projection = read_projection(image.header, path, section.frame)
    if shape != (n, *projection.shape):
        raise InputError(
            f"{path}: the first extension has the shape {shape}; {n} images of energies are needed."
        )
    values = np.asarray(image.data, np.float64).reshape(n, -1).T * factor
    wrong = np.argwhere(~(np.isfinite(values) & (values >= 0)))
    if len(wrong):
        pixel, plane = wrong[0]
        row, column = np.unravel_index(pixel, projection.shape)
        raise InputError(
            f"{path}: {len(wrong)} values are negative or not finite, as {values[pixel, plane]:g} "
            f"in column {column}, row {row} of image {plane} (counted from 0)."
        )
    return WcsCube(path, projection, np.ascontiguousarray(values), energies)
