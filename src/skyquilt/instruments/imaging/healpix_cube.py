"""HEALPix tables with one column per energy, of the whole sky or a part of it."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from skyquilt.config.imaging import BackgroundCube, CountsCube, ExposureCube
from skyquilt.errors import InputError
from skyquilt.instruments.imaging.energies import read_bounds, read_nodes
from skyquilt.instruments.imaging.fits_file import open_fits
from skyquilt.instruments.imaging.headers import check_counts, choose_frame, unit_factor
from skyquilt.instruments.imaging.healpix_table import HealpixTable, read_table
from skyquilt.instruments.imaging.missing import check_values, find_known
from skyquilt.problem.sky_grid import HealpixGrid

_EXPOSURE = "data.exposure"  # section of the analysis, for messages


@dataclass(frozen=True, eq=False)
class HealpixCube:
    """Values per pixel and energy.

    Attributes
    ----------
    path : str
        The file.
    frame : {"galactic", "icrs"}
        Frame of the pixels.
    nside : int
        Resolution.
    ipix : ndarray of int64, shape (n_pixel,)
        Ring pixels, ascending.
    values : ndarray of float64, shape (n_pixel, n)
        Values, finite and not negative; NaN in pixels that are not known.
    energies : ndarray of float64
        Edges of n bands, shape (n + 1,), or n energies, ascending [keV].
    """

    path: str
    frame: str
    nside: int
    ipix: np.ndarray
    values: np.ndarray
    energies: np.ndarray

    @property
    def is_full(self) -> bool:
        """Whether the whole sky is there, and known."""
        return len(self.ipix) == 12 * self.nside**2 and bool(self.is_known.all())

    @property
    def is_known(self) -> np.ndarray:
        """Pixels that have values, shape (n_pixel,)."""
        return find_known(self.values)

    def grid(self, values: np.ndarray) -> HealpixGrid:
        """Values at the known pixels of this cube, from those of all (n_pixel, n), between them."""
        if self.is_full:
            return HealpixGrid(self.nside, np.ascontiguousarray(values))
        is_known = self.is_known
        return HealpixGrid(self.nside, np.ascontiguousarray(values[is_known]), self.ipix[is_known])

    def corners(self, is_kept: np.ndarray) -> np.ndarray:
        """Corners of some of the pixels in their frame, shape (n_kept, n_vertex, 3)."""
        import healpy

        # arcs between so many points of a curved edge stay within 0.2 % of a pixel of it
        step = min(16, max(4, 256 // self.nside))
        return np.moveaxis(healpy.boundaries(self.nside, self.ipix[is_kept], step=step), 1, 2)

    def find_difference(self, other: object) -> str | None:
        """What makes the pixels of two cubes differ, for a message; None if they are the same."""
        if not isinstance(other, HealpixCube):
            return "one is in HEALPix pixels, the other in those of an image"
        for what, ours, theirs in (
            ("frame", self.frame, other.frame),
            ("nside", self.nside, other.nside),
            ("number of pixels", len(self.ipix), len(other.ipix)),
        ):
            if ours != theirs:
                return f"the {what} is {ours} in the first and {theirs} in the second"
        n_others = int(np.sum(~np.isin(self.ipix, other.ipix)))
        return f"{n_others} pixels of the first are not in the second" if n_others else None


def read_bands(section: CountsCube | BackgroundCube, name: str) -> HealpixCube:
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
        If the file is damaged, no HEALPix table with EBOUNDS, holds no counts, or a value is
        negative or not finite.
    ConfigError
        If frame or unit are not known.
    """
    with open_fits(section.path) as file:
        edges = read_bounds(file, section, name)
        table = read_table(file, section.path, len(edges) - 1)
        for unit in table.units:
            check_counts(section.path, unit)
        return _make_cube(section, name, edges, table, 1.0)


def read_exposure(section: ExposureCube) -> HealpixCube:
    """Read an exposure [cm2 s] per pixel, at energies.

    Raises
    ------
    InputError
        As `read_bands`; also if the exposure is 0 everywhere.
    ConfigError
        If frame or a unit are not known.
    """
    with open_fits(section.path) as file:
        energies = read_nodes(file, section, _EXPOSURE)
        table = read_table(file, section.path, len(energies))
        key = f"{_EXPOSURE}.unit"
        factors = [
            unit_factor(section.path, "the exposures", unit, key, section.unit, "cm2 s")
            for unit in table.units
        ]
        cube = _make_cube(section, _EXPOSURE, energies, table, np.array(factors))
    if not np.nansum(cube.values):
        raise InputError(f"{section.path}: the exposure is 0 everywhere.")
    return cube


def _make_cube(
    section: Any, name: str, energies: np.ndarray, table: HealpixTable, factor: Any
) -> HealpixCube:
    path, columns = section.path, table.columns
    frame = choose_frame(path, table.frame, name, section.frame)
    values = check_values(path, table.values, lambda row, k: f"row {row} of {columns[k]}")
    order = np.argsort(table.ipix)
    scaled = values[order] * factor
    return HealpixCube(path, frame, table.nside, table.ipix[order], scaled, energies)
