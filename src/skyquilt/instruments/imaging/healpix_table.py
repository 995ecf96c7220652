"""Tables of HEALPix pixels in the layouts of the Fermi tools, GADF and healpy."""

import re
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from skyquilt.errors import InputError
from skyquilt.instruments.imaging.fits_file import column_unit, read_column
from skyquilt.instruments.imaging.sparse import fill_sparse, read_numbers
from skyquilt.sky.pixels import check_ipix, check_nside, nest_to_ring

if TYPE_CHECKING:
    from astropy.io.fits import BinTableHDU, HDUList

_NUMBERED = re.compile(r"(?:CHANNEL|ENERGY)(\d+)", re.IGNORECASE)
_DISK = re.compile(r"DISK\((.*)\)")
_SCHEMES = ("IMPLICIT", "EXPLICIT", "SPARSE")


class HealpixTable(NamedTuple):
    """What a table says of its pixels.

    Attributes
    ----------
    nside : int
        Resolution.
    ipix : ndarray of int64, shape (n_pixel,)
        Ring pixels of the rows of values.
    columns : list of str
        Name of each column of values.
    values : ndarray of float64, shape (n_pixel, n)
        Values as they are in the file.
    units : list of str or None
        Unit of each column: its own or that of the whole table, None where there is neither.
    frame : str or None
        COORDSYS of the header.
    """

    nside: int
    ipix: np.ndarray
    columns: list[str]
    values: np.ndarray
    units: list[str | None]
    frame: str | None


def has_pixels(hdu: "BinTableHDU") -> bool:
    """Whether an extension is a table of HEALPix pixels."""
    return str(hdu.header.get("PIXTYPE", "")).strip().upper() == "HEALPIX"


def read_column_of(file: "HDUList", path: str, column: str | None) -> HealpixTable:
    """Read one column of the first table of HEALPix pixels; the only one if none is named.

    Raises
    ------
    InputError
        If there is no such table or column, or there are several and none is named.
    """
    tables = [hdu for hdu in file if has_pixels(hdu)]
    names = [name for hdu in tables[:1] for name in hdu.columns.names]
    names = [name for name in names if name.upper() not in ("PIX", "PIXEL")]
    if column is None and len(names) > 1:
        raise InputError(f"{path}: has the columns {', '.join(names)}: name one with `column`.")
    if column is not None and names and column not in names:
        raise InputError(f"{path}: no column {column!r}; there are {', '.join(names)}.")
    return read_table(file, path, 1, column)


def read_table(file: "HDUList", path: str, n: int, column: str | None = None) -> HealpixTable:
    """Read the first table of HEALPix pixels of an open file.

    Columns are CHANNEL1, CHANNEL2, ... or ENERGY1, ...; of other names, there must be as many as
    energies. A row holds one pixel, or 1024, as healpy writes them. Pixels are all of the sky,
    FIRSTPIX to LASTPIX, or those of a column PIX or PIXEL; sparse tables have what is not 0.

    Parameters
    ----------
    file : HDUList
        The open file.
    path : str
        Its name, for messages.
    n : int
        Number of energies.
    column : str, optional
        The one column that is read.

    Raises
    ------
    InputError
        If there is none, its pixels do not exist or are there twice, or it has other columns.
    """
    tables = [hdu for hdu in file if has_pixels(hdu)]
    if not tables:
        raise InputError(f"{path}: no table with PIXTYPE HEALPIX.")
    table = tables[0]
    nside, is_nested = _resolution(table.header, path)
    names = {name.upper(): name for name in table.columns.names}
    scheme = str(table.header.get("INDXSCHM", "")).strip().upper()
    if scheme == "SPARSE":
        number, values = _sparse(table, path, nside, n, is_nested)
        columns, units = ["VALUE"] * n, [column_unit(table, "VALUE")] * n
    else:
        given = next((names[name] for name in ("PIX", "PIXEL") if name in names), None)
        if scheme not in ("", *_SCHEMES) or (scheme == "EXPLICIT" and given is None):
            raise InputError(
                f"{path}: INDXSCHM {scheme!r} with the columns {', '.join(names)}: allowed are "
                f"{', '.join(_SCHEMES)}, and EXPLICIT needs a column PIX."
            )
        columns = [column] if column is not None else _columns(table, path, n, given)
        values = np.stack([read_column(table, path, column).ravel() for column in columns], axis=1)
        number = _implicit(table.header, nside, len(values), path)
        if given is not None:
            number = read_numbers(table, path, given)
        units = [column_unit(table, column) for column in columns]
    ipix = _check_pixels(number, nside, len(values), path)
    common = str(table.header.get("BUNIT", "")).strip() or None
    return HealpixTable(
        nside=nside,
        ipix=nest_to_ring(nside, ipix) if is_nested else ipix,
        columns=columns,
        values=values,
        units=[unit or common for unit in units],
        frame=table.header.get("COORDSYS"),
    )


def _resolution(header, path: str) -> tuple[int, bool]:
    """Nside, and whether pixels are nested."""
    try:
        nside = check_nside(header["NSIDE"])
        ordering = str(header["ORDERING"]).strip().upper()
    except (KeyError, ValueError, TypeError) as error:
        raise InputError(f"{path}: not a HEALPix table: {error}") from error
    if ordering not in ("RING", "NESTED", "NEST"):
        raise InputError(f"{path}: ORDERING {ordering!r}: allowed are RING, NESTED.")
    return nside, ordering != "RING"


def _columns(table, path: str, n: int, pixels: str | None) -> list[str]:
    """Names of the columns of values, in the order of their numbers or of the table."""
    names = [name for name in table.columns.names if name != pixels]
    numbered = sorted((int(m[1]), name) for name in names if (m := _NUMBERED.fullmatch(name)))
    if numbered:
        numbers = [number for number, _ in numbered]
        if numbers != list(range(numbers[0], numbers[0] + len(numbers))):
            raise InputError(f"{path}: columns of values have the numbers {numbers}; some miss.")
        names = [name for _, name in numbered]
    elif len(names) != n:
        raise InputError(
            f"{path}: table {table.name} has no columns CHANNEL1, ... or ENERGY1, ...; there are: "
            f"{', '.join(table.columns.names)}, not one for each of {n} energies."
        )
    if len(names) != n:
        raise InputError(f"{path}: {len(names)} columns of values for {n} energies.")
    return names


def _implicit(header, nside: int, n_value: int, path: str) -> np.ndarray:
    """Pixels of a table without a column of them."""
    first, last = header.get("FIRSTPIX", 0), header.get("LASTPIX")
    if not isinstance(first, int) or not isinstance(last, int | None):
        raise InputError(f"{path}: FIRSTPIX {first!r} and LASTPIX {last!r} must be whole numbers.")
    if last is not None and last - first + 1 == n_value:
        return np.arange(first, last + 1)
    return np.arange(12 * nside**2)


def _sparse(table, path: str, nside: int, n: int, is_nested: bool) -> tuple[np.ndarray, np.ndarray]:
    """Pixels and values of a table of those values that are not 0."""
    number = np.arange(12 * nside**2)
    if region := table.header.get("HPX_REG") or table.header.get("HPXREGION"):
        number = _disk(str(region), nside, is_nested, path)
    values = fill_sparse(table, path, 12 * nside**2, n)
    if len(number) < len(values) and values.any(axis=1).sum() > values[number].any(axis=1).sum():
        raise InputError(f"{path}: some pixels lie outside the region {region!r}.")
    return number, values[number]


def _disk(region: str, nside: int, is_nested: bool, path: str) -> np.ndarray:
    """Pixels of a region DISK(longitude, latitude, radius) in degrees."""
    import healpy

    found = _DISK.fullmatch(region.strip())
    try:
        lon, lat, radius = (float(text) for text in (found[1] if found else "").split(","))
        center = healpy.ang2vec(lon, lat, lonlat=True)
        return healpy.query_disc(nside, center, np.radians(radius), nest=is_nested)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"{path}: a sparse map of the region {region!r}; only DISK(longitude,latitude,radius) "
            "is known: write it with all pixels (in gammapy `sparse=False`)."
        ) from error


def _check_pixels(number: np.ndarray, nside: int, n_value: int, path: str) -> np.ndarray:
    try:
        ipix = check_ipix(number, nside)
    except ValueError as error:
        raise InputError(f"{path}: not a HEALPix table: {error}") from error
    if len(ipix) != n_value:
        raise InputError(f"{path}: {n_value} rows for {len(ipix)} pixels of nside {nside}.")
    if len(np.unique(ipix)) != len(ipix):
        raise InputError(f"{path}: some pixels are there more than once.")
    return ipix
