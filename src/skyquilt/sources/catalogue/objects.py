"""Read a catalogue: positions and names of known objects, whatever its columns are called."""

import logging
import re
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from skyquilt.config.sources import Catalogue
from skyquilt.errors import ConfigError, InputError, SkyquiltError
from skyquilt.sky.frames import lonlat_to_vec, rotate, rotation
from skyquilt.sources.catalogue.angles import is_text, read_angles
from skyquilt.sources.catalogue.file import first_table

if TYPE_CHECKING:
    from astropy.table import Table

logger = logging.getLogger(__name__)

# names that surveys and VizieR use, in the order in which they are tried
_POSITIONS = (
    ("RAJ2000", "DEJ2000", "icrs"),
    ("RAJ2000", "DECJ2000", "icrs"),
    ("_RAJ2000", "_DEJ2000", "icrs"),
    ("RA_ICRS", "DE_ICRS", "icrs"),
    ("_RA_ICRS", "_DE_ICRS", "icrs"),
    ("_RA.icrs", "_DE.icrs", "icrs"),
    ("RA", "DEC", "icrs"),
    ("RA", "DE", "icrs"),
    ("_RA", "_DE", "icrs"),
    ("RA_J2000", "DEC_J2000", "icrs"),
    ("ALPHA_J2000", "DELTA_J2000", "icrs"),
    ("RAJD", "DECJD", "icrs"),
    ("RAdeg", "DEdeg", "icrs"),
    ("RAdeg", "DECdeg", "icrs"),
    ("RA_deg", "DEC_deg", "icrs"),
    ("RAJ", "DECJ", "icrs"),
    ("GLON", "GLAT", "galactic"),
    ("_GLON", "_GLAT", "galactic"),
    ("LII", "BII", "galactic"),
    ("GL", "GB", "galactic"),
    ("L", "B", "galactic"),
)
_NAMES = (
    *("Source_Name", "Name", "Designation", "Object", "Source", "Common_Name", "PSR_Name", "PSRJ"),
    *("JName", "PSR", "Catalog_Name", "ID", "Main_ID", "TeVCat_Name", "HESS"),
)
_SURVEY = re.compile(r"_?\d(FGL|FHL|PC|AGL|HWC|LHAASO|LAC|GC)", re.IGNORECASE)
_ERRORS = ("Conf_95_SemiMajor", "Pos_err_95", "r95", "err_95")
_NAMED = 5  # names in a line of the log
_MAX_HOURS = 24
_IN_DEGREES = {"_raj2000", "_ra_icrs", "_ra.icrs", "_ra", "rajd", "radeg", "ra_deg", "alpha_j2000"}


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


class _Pair(NamedTuple):
    """Columns of longitude and latitude, and their frame."""

    lon: str
    lat: str
    frame: str


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
    ConfigError
        If the unit of right ascensions is not known, or is another than the configuration says.
    """
    return read_columns(options, ())[0]


def read_columns(
    options: Catalogue, columns: Sequence[str]
) -> tuple[KnownObjects, dict[str, np.ndarray]]:
    """Read a catalogue, and columns of numbers of the same rows.

    Parameters
    ----------
    options : Catalogue
        As of `read_catalogue`.
    columns : sequence of str
        Names of the columns.

    Returns
    -------
    known : KnownObjects
        All rows that have a position.
    numbers : dict of str to ndarray of float64, shape (n,)
        Values in the units of the file; NaN where there is none.

    Raises
    ------
    InputError, ConfigError
        As of `read_catalogue`; also if a column is missing or holds no numbers.
    """

    def take(table: "Table", name: str) -> tuple[KnownObjects, dict[str, np.ndarray]] | None:
        found = _take(table, name, options)
        if found is None:
            return None
        known, has_position = found
        numbers = {one: _numbers(table, one, options.path)[has_position] for one in columns}
        return known, numbers

    return first_table(options.path, options.table, take)


def _numbers(table: "Table", name: str, path: str) -> np.ndarray:
    """A column of numbers, NaN where it is masked."""
    column = np.ma.asarray(table[_column(table, name, path)])
    if column.ndim != 1 or column.dtype.kind not in "fiu":
        raise InputError(f"{path}: column {name} holds no numbers, one per row: name another.")
    return np.where(np.ma.getmaskarray(column), np.nan, column.data.astype(np.float64))


def _take(
    table: "Table", table_name: str, options: Catalogue
) -> tuple[KnownObjects, np.ndarray] | None:
    """Objects of a table and which rows have one; None if it has no columns of positions."""
    pairs = _position_columns(table, options)
    if not pairs:
        return None
    where = f"{options.path}{f', table {table_name}' if table_name else ''}"
    if not len(table):
        raise InputError(f"{where}: the table has no rows; name another with `table`.")
    pair, lon, lat = _read_positions(table, pairs, options)
    has_position = np.isfinite(lon) & np.isfinite(lat)
    if not np.any(has_position):
        raise InputError(
            f"{where}: no row has a position in {pair.lon} and {pair.lat}; name other columns with "
            "`lon` and `lat`, or another table with `table`."
        )
    _check_range(pair, lon[has_position], lat[has_position], options.path)
    names = _names(table, options)[has_position]
    _log(where, pair, names, len(table))
    vec = lonlat_to_vec(lon[has_position], lat[has_position])
    known = KnownObjects(
        names,
        rotate(rotation(pair.frame, "icrs"), vec),
        _errors(table, options)[has_position],
    )
    return known, has_position


def _position_columns(table: "Table", options: Catalogue) -> list[_Pair]:
    """Columns that are given, else pairs of a common name, those of numbers first."""
    if options.lon is not None and options.lat is not None and options.frame is not None:
        if options.table is None and not {options.lon, options.lat} & set(table.colnames):
            return []
        lon, lat = (_column(table, name, options.path) for name in (options.lon, options.lat))
        return [_Pair(lon, lat, options.frame)]
    known = {name.lower(): name for name in reversed(table.colnames)}
    pairs = [
        _Pair(known[lon.lower()], known[lat.lower()], frame)
        for lon, lat, frame in _POSITIONS
        if lon.lower() in known and lat.lower() in known
    ]
    return sorted(pairs, key=lambda pair: any(is_text(table, name) for name in pair[:2]))


def _read_positions(
    table: "Table", pairs: list[_Pair], options: Catalogue
) -> tuple[_Pair, np.ndarray, np.ndarray]:
    """First pair that can be read, longitudes and latitudes [deg], NaN where there is none."""
    if options.lon_unit is not None or options.lat_unit is not None:
        pairs = pairs[:1]
    mistakes: list[SkyquiltError] = []
    for pair in pairs:
        try:
            return pair, *_read_pair(table, pair, options)
        except (ConfigError, InputError) as error:
            mistakes.append(error)
    raise mistakes[0]


def _read_pair(table: "Table", pair: _Pair, options: Catalogue) -> tuple[np.ndarray, np.ndarray]:
    whole = "hourangle" if pair.frame == "icrs" else "deg"
    lon = read_angles(table, pair.lon, options.path, options.lon_unit, whole)
    lat = read_angles(table, pair.lat, options.path, options.lat_unit)
    known = lon.degrees[np.isfinite(lon.degrees)]
    is_clear = lon.has_unit or pair.frame != "icrs" or pair.lon.lower() in _IN_DEGREES
    if not is_clear and known.size and 0 <= known.min() <= known.max() <= _MAX_HOURS:
        raise ConfigError(
            f"{options.path}: column {pair.lon} has no unit and goes from {known.min():g} to "
            f"{known.max():g}: are these hours or degrees? Say `lon_unit: hourangle` or `lon_unit: "
            "deg` under `sources.catalogue`."
        )
    return lon.degrees, lat.degrees


def _check_range(pair: _Pair, lon: np.ndarray, lat: np.ndarray, path: str) -> None:
    for name, key, angles, low, high in (
        (pair.lat, "lat", lat, -90, 90),
        (pair.lon, "lon", lon, -360, 360),
    ):
        worst = angles[np.argmax(np.abs(angles))]
        if not low <= worst <= high:
            raise InputError(
                f"{path}: column {name} reaches {worst:g} deg; allowed are {low} to {high} deg: "
                f"name the column with `{key}`, or its unit with `{key}_unit`."
            )


def _log(where: str, pair: _Pair, names: np.ndarray, n_rows: int) -> None:
    """Tell what was read, and what was left out or is there twice."""
    logger.info("%s: positions from %s and %s (%s)", where, *pair)
    if names.size < n_rows:
        n = n_rows - names.size
        logger.info("%s: %d of %d rows have no position and are left out", where, n, n_rows)
    twice = [f"{name} ({n})" for name, n in Counter(names.tolist()).items() if n > 1]
    if twice:
        more = f" and {len(twice) - _NAMED} more" if len(twice) > _NAMED else ""
        logger.warning(
            "%s: names that stand in several rows, each of which counts as an object: %s%s",
            *(where, ", ".join(twice[:_NAMED]), more),
        )


def _names(table: "Table", options: Catalogue) -> np.ndarray:
    """Names of the rows as plain text in one line each; numbers of rows where there is none."""
    column = _guess(table, options.name, _NAMES, options.path)
    if column is None:
        column = next((name for name in table.colnames if _SURVEY.fullmatch(name)), None)
    rows = [f"row {number}" for number in range(len(table))]
    if column is None:
        return np.array(rows, dtype=str)
    masks = np.ma.getmaskarray(np.ma.asarray(table[column])).reshape(len(table), -1)
    hidden = np.all(masks, axis=1)
    texts = (_one_line(name) for name in table[column])
    return np.array(
        [row if mask else text or row for row, text, mask in zip(rows, texts, hidden, strict=True)],
        dtype=str,
    )


def _one_line(name: object) -> str:
    text = name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name)
    return "".join(letter for letter in " ".join(text.split()) if letter.isprintable())


def _errors(table: "Table", options: Catalogue) -> np.ndarray:
    column = _guess(table, options.error, _ERRORS, options.path)
    if column is None:
        return np.zeros(len(table))
    errors = read_angles(table, column, options.path).degrees
    return np.where(np.isfinite(errors), np.maximum(errors, 0), 0.0)


def _guess(table: "Table", given: str | None, common: tuple[str, ...], path: str) -> str | None:
    if given is not None:
        return _column(table, given, path)
    known = {name.lower(): name for name in reversed(table.colnames)}
    return next((known[name.lower()] for name in common if name.lower() in known), None)


def _column(table: "Table", name: str, path: str) -> str:
    if name not in table.colnames:
        raise InputError(f"{path}: no column {name!r}; there are {', '.join(table.colnames[:20])}.")
    return name
