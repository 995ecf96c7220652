"""HEALPix tables with one column per energy, of the whole sky or a part of it."""

import re
from dataclasses import dataclass

import numpy as np

from skyquilt.config.imaging import BackgroundCube, CountsCube, ExposureCube
from skyquilt.errors import InputError
from skyquilt.instruments.imaging.energies import read_bounds, read_nodes
from skyquilt.instruments.imaging.fits_file import column_unit, open_fits, read_column
from skyquilt.instruments.imaging.headers import check_counts, choose_frame, unit_factor
from skyquilt.problem.sky_grid import HealpixGrid
from skyquilt.sky.pixels import check_ipix, check_nside, nest_to_ring

_EXPOSURE = "data.exposure"  # section of the analysis, for messages
_COLUMN = re.compile(r"(?:CHANNEL|ENERGY)(\d+)", re.IGNORECASE)


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
        Values, finite and not negative.
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
        """Whether the whole sky is there."""
        return len(self.ipix) == 12 * self.nside**2

    def grid(self, values: np.ndarray) -> HealpixGrid:
        """Values at the pixels of this cube, shape (n_pixel, n), between them."""
        ipix = None if self.is_full else self.ipix
        return HealpixGrid(self.nside, np.ascontiguousarray(values), ipix)

    def corners(self) -> np.ndarray:
        """Corners of the pixels in their frame, shape (n_pixel, n_vertex, 3)."""
        import healpy

        # arcs between so many points of a curved edge stay within 0.2 % of a pixel of it
        step = min(16, max(4, 256 // self.nside))
        return np.moveaxis(healpy.boundaries(self.nside, self.ipix, step=step), 1, 2)

    def find_difference(self, other: "HealpixCube") -> str | None:
        """What makes the pixels of two cubes differ, for a message; None if they are the same."""
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
        table = _pixel_table(file, section.path)
        for column in _columns(table, section.path):
            check_counts(section.path, column_unit(table, column))
        return _read_pixels(file, section, name, edges, len(edges) - 1, 1.0)


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
        table = _pixel_table(file, section.path)
        stated = column_unit(table, _columns(table, section.path)[0]) or table.header.get("BUNIT")
        factor = unit_factor(
            section.path, "the exposures", stated, f"{_EXPOSURE}.unit", section.unit, "cm2 s"
        )
        cube = _read_pixels(file, section, _EXPOSURE, energies, len(energies), factor)
    if not cube.values.any():
        raise InputError(f"{section.path}: the exposure is 0 everywhere.")
    return cube


def _pixel_table(file, path: str):
    for hdu in file:
        if str(hdu.header.get("PIXTYPE", "")).strip().upper() == "HEALPIX":
            return hdu
    raise InputError(f"{path}: no table with PIXTYPE HEALPIX.")


def _columns(table, path: str) -> list[str]:
    """Names of the columns of values, in the order of their numbers."""
    numbered = [(int(m[1]), c) for c in table.columns.names if (m := _COLUMN.fullmatch(c))]
    if not numbered:
        raise InputError(
            f"{path}: table {table.name} has no columns CHANNEL1, ... or ENERGY1, ...; there are: "
            f"{', '.join(table.columns.names)}."
        )
    return [name for _, name in sorted(numbered)]


def _read_pixels(
    file, section, name: str, energies: np.ndarray, n: int, factor: float
) -> HealpixCube:
    path, table = section.path, _pixel_table(file, section.path)
    frame = choose_frame(path, table.header.get("COORDSYS"), name, section.frame)
    columns = _columns(table, path)
    if len(columns) != n:
        raise InputError(f"{path}: {len(columns)} columns of values for {n} energies.")
    values = np.stack([read_column(table, path, column) for column in columns], axis=1) * factor
    nside, ipix = _pixels(path, table)
    if values.shape != (len(ipix), n):
        raise InputError(f"{path}: values of shape {values.shape} for {len(ipix)} pixels.")
    _check_values(path, columns, values)
    order = np.argsort(ipix)
    return HealpixCube(path, frame, nside, ipix[order], values[order], energies)


def _pixels(path: str, table) -> tuple[int, np.ndarray]:
    """Resolution and ring pixels of the rows."""
    header = table.header
    stored = {column.upper(): column for column in table.columns.names}
    given = next((stored[name] for name in ("PIX", "PIXEL") if name in stored), None)
    try:
        nside = check_nside(header["NSIDE"])
        number = np.arange(12 * nside**2) if given is None else np.array(table.data[given])
        ipix = check_ipix(number, nside)
        ordering = str(header["ORDERING"]).strip().upper()
    except (KeyError, ValueError) as error:
        raise InputError(f"{path}: not a HEALPix table: {error}") from error
    if ordering not in ("RING", "NESTED", "NEST"):
        raise InputError(f"{path}: ORDERING {ordering!r}: allowed are RING, NESTED.")
    if len(ipix) != len(table.data):
        raise InputError(f"{path}: {len(table.data)} rows for {len(ipix)} pixels of nside {nside}.")
    if len(np.unique(ipix)) != len(ipix):
        raise InputError(f"{path}: some pixels are there more than once.")
    return nside, ipix if ordering == "RING" else nest_to_ring(nside, ipix)


def _check_values(path: str, columns: list[str], values: np.ndarray) -> None:
    wrong = np.argwhere(~(np.isfinite(values) & (values >= 0)))
    if len(wrong):
        row, column = wrong[0]
        raise InputError(
            f"{path}: {len(wrong)} values are negative or not finite, as "
            f"{values[row, column]:g} in row {row} of {columns[column]}."
        )
