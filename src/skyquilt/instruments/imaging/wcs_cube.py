"""Cubes in a projection of the sky: an image per energy."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from skyquilt.config.imaging import BackgroundCube, CountsCube, ExposureCube
from skyquilt.errors import InputError
from skyquilt.instruments.imaging.energies import read_bounds, read_nodes
from skyquilt.instruments.imaging.fits_file import find_image, open_fits
from skyquilt.instruments.imaging.headers import check_counts, unit_factor
from skyquilt.instruments.imaging.missing import check_values, find_known
from skyquilt.instruments.imaging.projection import Projection, find_difference, read_projection
from skyquilt.instruments.imaging.sparse import is_sparse, to_image
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
        Values, finite and not negative, row by row of the image; NaN in pixels that are not known.
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

    @property
    def is_known(self) -> np.ndarray:
        """Pixels that have values, shape (n_pixel,)."""
        return find_known(self.values)

    def grid(self, values: np.ndarray) -> HealpixGrid:
        """Values at the pixels of this cube, shape (n_pixel, n), between them."""
        return to_grid(self.projection, values.T.reshape(-1, *self.projection.shape))

    def corners(self, is_kept: np.ndarray) -> np.ndarray:
        """Corners of some of the pixels in their frame, shape (n_kept, 4, 3).

        Raises
        ------
        InputError
            If one of them lies off the sky.
        """
        vertices, is_on_sky = pixel_vertices(self.projection)
        if n_off := int(np.sum(is_kept & ~is_on_sky)):
            raise InputError(
                f"{self.path}: {n_off} pixels lie off the sky; cut the cube to "
                "those that lie on it, or take one in HEALPix pixels."
            )
        return vertices[is_kept[is_on_sky]]

    def find_difference(self, other: object) -> str | None:
        """What makes the pixels of two cubes differ, for a message; None if they are the same."""
        if not isinstance(other, WcsCube):
            return "one is in HEALPix pixels, the other in those of an image"
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
        image = find_cube_image(file, section.path)
        check_counts(section.path, _unit(image))
        edges = read_bounds(file, section, name)
        return _read_images(image, section, edges, len(edges) - 1, 1.0)


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
        image, key = find_cube_image(file, section.path), f"{_EXPOSURE}.unit"
        energies = read_nodes(file, section, _EXPOSURE)
        unit = _unit(image)
        factor = unit_factor(section.path, "the exposures", unit, key, section.unit, "cm2 s")
        cube = _read_images(image, section, energies, len(energies), factor)
    if not np.nansum(cube.values):
        raise InputError(f"{section.path}: the exposure is 0 everywhere.")
    return cube


def find_cube_image(file: Any, path: str) -> Any:
    """The image of a file, filled if it is a sparse map.

    Raises
    ------
    InputError
        If there is none, or there are several.
    """
    sparse = [hdu for hdu in file if is_sparse(hdu)]
    return to_image(sparse[0], path) if sparse else find_image(file, path)


def _unit(image: Any) -> str | None:
    return str(image.header.get("BUNIT", "")).strip() or None


def _read_images(image: Any, section: Any, energies: np.ndarray, n: int, factor: float) -> WcsCube:
    path, shape = section.path, np.shape(image.data)
    projection = read_projection(image.header, path, section.frame)
    if shape[:-2] not in ((n,), *([()] if n == 1 else [])):
        raise InputError(
            f"{path}: the image {image.name} has the shape {shape}; {n} images of energies are "
            "needed."
        )

    def describe(pixel: int, plane: int) -> str:
        row, column = np.unravel_index(pixel, projection.shape)
        return f"column {column}, row {row} of image {plane} (counted from 0)"

    values = np.asarray(image.data, np.float64).reshape(n, -1).T
    values = check_values(path, values, describe) * factor
    return WcsCube(path, projection, np.ascontiguousarray(values), energies)
