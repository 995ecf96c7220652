"""Read a catalogue: positions and names of known objects, whatever its columns are called."""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from skyquilt.config.sources import Catalogue
from skyquilt.errors import InputError
from skyquilt.sky.frames import lonlat_to_vec, rotate, rotation

if TYPE_CHECKING:
    from astropy.table import Table

# names that surveys and VizieR use, in the order in which they are tried
_POSITIONS = (
    ("RAJ2000", "DEJ2000", "icrs"),
    ("_RAJ2000", "_DEJ2000", "icrs"),
    ("RA_ICRS", "DE_ICRS", "icrs"),
    ("RA", "DEC", "icrs"),
    ("RA", "DE", "icrs"),
    ("RA_J2000", "DEC_J2000", "icrs"),
    ("GLON", "GLAT", "galactic"),
    ("_GLON", "_GLAT", "galactic"),
    ("L", "B", "galactic"),
)
_NAMES = ("Source_Name", "Name", "Designation", "Object", "Source", "ID", "Main_ID")
_ERRORS = ("Conf_95_SemiMajor", "Pos_err_95", "r95", "err_95")


class KnownObjects(NamedTuple):
    """Objects of a catalogue that have a position.

    Attributes
    ----------
    name : ndarray of str, shape (n,)
        Names.
    direction : ndarray of float64, shape (n, 3)
        Unit vectors in ICRS.
    r95 : ndarray of float64, shape (n,)
        95 % error of the position [deg], 0 where there is none.
    """

    name: np.ndarray
    direction: np.ndarray
    r95: np.ndarray


def read_catalogue(options: Catalogue) -> KnownObjects:
    """Read a catalogue.

    Parameters
    ----------
    options : Catalogue
        File, table and columns; columns that are not given are guessed from common names. J2000
        coordinates are taken as ICRS, which they equal to 0.02 arcsec.

    Returns
    -------
    KnownObjects
        All rows that have a position.

    Raises
    ------
    InputError
        If the file cannot be read as a table, a column is missing or cannot be guessed, or
        positions are no angles.
    """
    table = _read(options)
    lon_name, lat_name, frame = _position_columns(table, options)
    lon, lat = (_degrees(table, name, options.path) for name in (lon_name, lat_name))
    has_position = np.isfinite(lon) & np.isfinite(lat)
    if not np.any(has_position):
        raise InputError(
            f"{options.path}: no row has a position in {lon_name} and {lat_name}; name other "
            "columns with `lon` and `lat`, or another table with `table`."
        )
    if np.any(np.abs(lat[has_position]) > 90):
        raise InputError(
            f"{options.path}: column {lat_name} reaches {np.nanmax(np.abs(lat)):g} deg; latitudes "
            "are -90 to 90 deg: name the column with `lat`."
        )
    vec = lonlat_to_vec(lon[has_position], lat[has_position])
    return KnownObjects(
        _names(table, options)[has_position],
        rotate(rotation(frame, "icrs"), vec),
        _errors(table, options)[has_position],
    )


def _read(options: Catalogue) -> "Table":
    path = Path(options.path)
    if not path.is_file():
        raise InputError(f"{path}: no such file; give the catalogue's path in `catalogue.path`.")
    is_fits = {".fits", ".fit", ".fts"} & set(path.suffixes[-2:])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # units and dates of old tables
            return _read_fits(path, options.table) if is_fits else _read_other(path, options.table)
    except Exception as error:  # astropy meets bad tables with errors of many kinds
        which = "" if options.table is None else f", table {options.table!r}"
        text = str(error).strip().splitlines() or [type(error).__name__]
        raise InputError(
            f"{path}{which}: cannot be read as a table ({text[0]}); allowed are FITS, ECSV, "
            "VOTable and what else astropy.table.Table.read knows by its name."
        ) from error


def _read_fits(path: Path, table: str | int | None) -> "Table":
    from astropy.io import fits
    from astropy.table import Table

    with fits.open(path) as file:
        return Table.read(file[1 if table is None else table])


def _read_other(path: Path, table: str | int | None) -> "Table":
    from astropy.table import Table

    return Table.read(path) if table is None else Table.read(path, table_id=table)


def _position_columns(table: "Table", options: Catalogue) -> tuple[str, str, str]:
    if options.lon is not None:
        pair = (_column(table, name, options.path) for name in (options.lon, options.lat))
        return *pair, options.frame
    known = {name.lower(): name for name in table.colnames}
    for lon, lat, frame in _POSITIONS:
        if lon.lower() in known and lat.lower() in known:
            return known[lon.lower()], known[lat.lower()], frame
    raise InputError(
        f"{options.path}: no columns of positions with a common name (RAJ2000 and DEJ2000, RA and "
        f"DEC, GLON and GLAT) among {', '.join(table.colnames[:20])}; name them with `lon`, `lat` "
        "and `frame` of the catalogue."
    )


def _names(table: "Table", options: Catalogue) -> np.ndarray:
    column = _guess(table, options.name, _NAMES, options.path)
    if column is None:
        return np.array([f"row {number}" for number in range(len(table))], dtype=str)
    texts = [str(name).strip() for name in table[column]]
    return np.array(texts, dtype=str)


def _errors(table: "Table", options: Catalogue) -> np.ndarray:
    column = _guess(table, options.error, _ERRORS, options.path)
    if column is None:
        return np.zeros(len(table))
    return np.nan_to_num(np.maximum(_degrees(table, column, options.path), 0))


def _guess(table: "Table", given: str | None, common: tuple[str, ...], path: str) -> str | None:
    if given is not None:
        return _column(table, given, path)
    known = {name.lower(): name for name in table.colnames}
    return next((known[name.lower()] for name in common if name.lower() in known), None)


def _column(table: "Table", name: str, path: str) -> str:
    if name not in table.colnames:
        raise InputError(f"{path}: no column {name!r}; there are {', '.join(table.colnames[:20])}.")
    return name


def _degrees(table: "Table", name: str, path: str) -> np.ndarray:
    """Column as angles in degrees; NaN where it is masked."""
    from astropy.units import Quantity, UnitConversionError

    column = table[name]
    try:
        values = np.ma.filled(np.ma.asarray(column, dtype=np.float64), np.nan)
        return Quantity(values, column.unit or "deg").to_value("deg")
    except (TypeError, ValueError, UnitConversionError) as error:
        raise InputError(
            f"{path}: column {name} has no angles ({error}); allowed are numbers in degrees or "
            "with a unit of angle."
        ) from error
