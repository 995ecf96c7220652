"""Read sky maps of others: alerts of many orders, flat HEALPix maps, coverage maps (MOC).

References
----------
Singer & Price 2016, Phys. Rev. D 93, 024013; LIGO/Virgo/KAGRA Public Alerts User Guide: UNIQ and
PROBDENSITY. Fernique et al. 2022, MOC 2.0, IVOA Recommendation, section 4.3: RANGE and NUNIQ. Data
Formats for Gamma-Ray Astronomy 0.3: HEALPix maps.
"""

import logging
from typing import TYPE_CHECKING

from skyquilt.errors import ConfigError, InputError, ProductError
from skyquilt.io.fits_frame import read_frame
from skyquilt.io.fits_input import open_fits
from skyquilt.localisation.probability.map import Coverage, ProbabilityMap, cell_ranges, split_uniq
from skyquilt.localisation.probability.rows import flat_cells, read_numbers
from skyquilt.localisation.probability.values import find_values, to_probability

if TYPE_CHECKING:
    from astropy.io.fits import BinTableHDU, HDUList

logger = logging.getLogger(__name__)


def read_schema(path: str) -> str | None:
    """Kind of a FITS file of skyquilt, as "skyquilt/maps"; None for a file of others.

    Raises
    ------
    InputError
        If it is missing, no FITS file, damaged or cut short.
    ProductError
        If it is of skyquilt and not that which was written.
    """
    with open_fits(path) as file:
        kinds = (hdu.header.get("SCHEMA") for hdu in file)
        schema = next((str(kind) for kind in kinds if kind), None)
        is_own = "PROVENANCE" in file or (schema or "").startswith("skyquilt/")
        if is_own and not all(hdu.verify_datasum() and hdu.verify_checksum() for hdu in file):
            raise ProductError(f"{path}: damaged: its checksum differs; copy or make it again.")
        return schema


def read_probability(path: str, frame: str | None = None) -> ProbabilityMap | Coverage:
    """Read a sky map of probabilities, or a part of the sky, whoever wrote it.

    Parameters
    ----------
    path : str
        FITS file, also gzipped.
    frame : {"galactic", "icrs"}, optional
        Frame of its pixels, where the header does not say.

    Returns
    -------
    ProbabilityMap or Coverage
        The latter for a table of pixels that has no probabilities.

    Raises
    ------
    InputError
        If the file is damaged or no such map: pixels that do not exist or are there twice, no or
        several columns that may be the probability, negative or infinite ones, or a sum that is
        not 1.
    ConfigError
        If the frame is not known, or `frame` is another than the header's.
    """
    with open_fits(path) as file:
        table = _find_table(file, path)
        frame = _choose_frame(path, table, frame)
        try:
            return _read(table, frame, path)
        except ValueError as error:
            raise InputError(f"{path}: table {table.name or 1}: {error}") from error


def _read(table: "BinTableHDU", frame: str, path: str) -> ProbabilityMap | Coverage:
    columns = {name.upper() for name in table.columns.names}
    if "RANGE" in columns:
        _check_word(table, "MOCDIM", ("SPACE",))
        ends = read_numbers(table, "RANGE")
        if ends.size % 2:
            raise ValueError(f"{ends.size} numbers in RANGE: allowed are pairs of start and stop.")
        return Coverage(frame, ends.reshape(-1, 2))
    if "UNIQ" in columns:
        _check_word(table, "ORDERING", ("NUNIQ", "UNIQ"))
        order, ipix = split_uniq(read_numbers(table, "UNIQ"))
    else:
        order, ipix = flat_cells(table)
    values = find_values(table, path)
    if values is None:
        return Coverage(frame, cell_ranges(order, ipix))
    probability, is_known = to_probability(values, order, path)
    return ProbabilityMap(frame, order[is_known], ipix[is_known], probability)


def _find_table(file: "HDUList", path: str) -> "BinTableHDU":
    """First table of HEALPix pixels."""
    from astropy.io.fits import BinTableHDU

    tables = [hdu for hdu in file if isinstance(hdu, BinTableHDU)]
    for table in tables:
        names = {name.upper() for name in table.columns.names}
        kind = str(table.header.get("PIXTYPE", "")).strip().upper()
        if kind == "HEALPIX" or names & {"UNIQ", "RANGE", "PROB", "PROBABILITY", "PROBDENSITY"}:
            return table
    there = "; ".join(f"{hdu.name or 'unnamed'}: {', '.join(hdu.columns.names)}" for hdu in tables)
    raise InputError(
        f"{path}: no sky map of HEALPix pixels; allowed are tables with UNIQ and PROBDENSITY, with "
        f"PROB or PROBABILITY, and MOCs; its tables are: {there or 'none'}."
    )


def _choose_frame(path: str, table: "BinTableHDU", given: str | None) -> str:
    stated = table.header.get("COORDSYS")
    try:
        found = read_frame(stated)
    except ValueError as error:
        raise InputError(f"{path}: {error}.") from error
    frame = found or given
    if frame is None:
        if {"UNIQ", "RANGE"} & {name.upper() for name in table.columns.names}:
            logger.warning(
                "%s: its header has no COORDSYS: taken as ICRS, as the format asks", path
            )
            return "icrs"
        raise ConfigError(
            f"{path}: its header has no COORDSYS, so the frame of its pixels is not known: add "
            "`--map-frame icrs` (alerts are in ICRS) or `--map-frame galactic`."
        )
    if None not in (found, given) and found != given:
        raise ConfigError(
            f"{path}: its header says COORDSYS {stated!r}, {found}, not {given}: leave "
            "`--map-frame` out, or mend the header."
        )
    return frame


def _check_word(table: "BinTableHDU", key: str, allowed: tuple[str, ...]) -> None:
    stated = str(table.header.get(key, allowed[0])).strip().upper()
    if stated not in allowed:
        raise ValueError(f"{key} {stated!r}: allowed is {allowed[0]} with these columns.")
