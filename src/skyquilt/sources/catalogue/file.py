"""Open a table of others, whatever it is written in: FITS, VOTable, ECSV, or plain text."""

import gzip
import re
import warnings
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from skyquilt.errors import InputError
from skyquilt.io.fits_input import open_fits

if TYPE_CHECKING:
    from astropy.table import Table

Found = TypeVar("Found")

MAX_LINE = 100_000
"""Longest line of a table in text [bytes]: far above that of any catalogue."""

_RULE = re.compile(r"-+([\t;|,]-+)*[\t;|,]?")  # below names and units in VizieR's text
_FITS_ENDINGS = {".fits", ".fit", ".fts"}


def first_table(
    path: str, table: str | int | None, take: Callable[["Table", str], Found | None]
) -> Found:
    """What `take` makes of the first table of a file in which it finds something.

    Parameters
    ----------
    path : str
        File, also gzipped; its content says what it is written in, and its ending for plain text.
    table : str or int, optional
        Name or number of the one table to look at; all by default.
    take : callable
        Gets a table and its name; returns None where it finds nothing.

    Raises
    ------
    InputError
        If the file cannot be read, or nothing is found in any table.
    """
    if not Path(path).is_file():
        raise InputError(f"{path}: no such file; give the catalogue's path in `catalogue.path`.")
    seen = []
    for name, one in _checked(path, table):
        found = take(one, name)
        if found is not None:
            return found
        seen.append(f"{name}: {', '.join(one.colnames[:20])}" if name else ", ".join(one.colnames))
    raise InputError(
        f"{path}: no columns of positions with a common name (RAJ2000 and DEJ2000, RA and DEC, "
        f"GLON and GLAT) among {'; '.join(seen) or 'no table'}; name them with `lon`, `lat` and "
        "`frame` of the catalogue."
    )


def _checked(path: str, table: str | int | None) -> Iterator[tuple[str, "Table"]]:
    """Tables of a file; what astropy stumbles over becomes one message."""
    tables = _tables(path, table)
    while True:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # units and dates of old tables
                name, one = next(tables)
        except StopIteration:
            return
        except Exception as error:  # astropy meets bad tables with errors of many kinds
            which = "" if table is None else f", table {table!r}"
            text = str(error).removeprefix(f"{path}: ").strip().splitlines()
            reason = text[0] if text else type(error).__name__
            raise InputError(
                f"{path}{which}: cannot be read as a table ({reason[:300]}); allowed are FITS, "
                "ECSV, VOTable and what else astropy.table.Table.read knows by its name."
            ) from error
        yield name, one


def _tables(path: str, table: str | int | None) -> Iterator[tuple[str, "Table"]]:
    endings = set(Path(path).suffixes[-2:])
    content = Path(path).read_bytes()
    if content.startswith(b"\x1f\x8b"):
        content = gzip.decompress(content)
    head = content[:1000].lstrip(b"\xef\xbb\xbf \t\r\n")
    if head.startswith(b"SIMPLE") or _FITS_ENDINGS & endings:
        yield from _fits_tables(path, table)
        return
    if max(map(len, content.splitlines()), default=0) > MAX_LINE:
        raise ValueError(f"a line is longer than {MAX_LINE} bytes")
    if head.startswith(b"<?xml") or b"<VOTABLE" in head:
        yield from _votable_tables(content, table)
    else:
        yield _text_table(path, content, head, table)


def _fits_tables(path: str, table: str | int | None) -> Iterator[tuple[str, "Table"]]:
    from astropy.io import fits
    from astropy.table import Table

    with open_fits(path) as file:
        for hdu in file if table is None else [file[table]]:
            if isinstance(hdu, fits.BinTableHDU | fits.TableHDU) and not isinstance(
                hdu, fits.CompImageHDU
            ):
                yield hdu.name, Table.read(hdu)


def _votable_tables(content: bytes, table: str | int | None) -> Iterator[tuple[str, "Table"]]:
    from astropy.io.votable import parse

    tables = list(parse(BytesIO(content), verify="ignore").iter_tables())
    if isinstance(table, int):
        tables = [tables[table]]
    elif table is not None:
        tables = [one for one in tables if table in (one.ID, one.name)]
        if not tables:
            raise KeyError(f"no table {table!r}")
    for one in tables:
        yield one.name or one.ID or "", one.to_table(use_names_over_ids=True)


def _text_table(
    path: str, content: bytes, head: bytes, table: str | int | None
) -> tuple[str, "Table"]:
    from astropy.table import Table

    if table not in (None, 0):
        raise KeyError(f"no table {table!r}: the file has one")
    text = content.decode("utf-8-sig")
    if head.startswith(b"# %ECSV"):
        # lines, as astropy takes a text for the name of a file first
        return "", _with_plain_positions(Table.read(text.splitlines(), format="ascii.ecsv"))
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    if len(lines) > 2 and _RULE.fullmatch(lines[2]):
        return "", _vizier_table(lines)
    endings = Path(path).suffixes[-2:]
    formats = {".csv": "ascii.csv", ".tsv": "ascii.tab", ".ecsv": "ascii.ecsv"}
    kind = next((formats[ending] for ending in endings if ending in formats), "ascii")
    if head.startswith(b"|") and b"\n|" in head.replace(b"\r", b""):
        # every line begins so: columns of fixed width; of IPAC's tables only the head does
        is_fixed = all(line.startswith("|") for line in text.splitlines() if line.strip())
        kind = "ascii.fixed_width" if is_fixed else kind
    return "", Table.read(text.splitlines(), format=kind)


def _vizier_table(lines: list[str]) -> "Table":
    """Table of VizieR's text: names, units, a rule of dashes, rows, all with the same separator."""
    from astropy.table import Table

    separator = lines[2].strip("-")[:1] or "\t"
    cells = [[cell.strip() for cell in line.split(separator)] for line in (*lines[:2], *lines[3:])]
    names, units, *rows = cells
    if any(len(row) != len(names) for row in cells):
        raise ValueError(f"rows of a table of VizieR have not all {len(names)} columns")
    columns = list(zip(*rows, strict=True)) or [()] * len(names)
    table = Table([list(column) for column in columns], names=names, dtype=["U"] * len(names))
    for name, unit in zip(names, units, strict=True):
        table[name].unit = None if ":" in unit else unit or None
    return table


def _with_plain_positions(table: "Table") -> "Table":
    """Table with RAJ2000 and DEJ2000 [deg] in place of a column of positions, as astropy has it."""
    from astropy.coordinates import SkyCoord

    for name in table.colnames:
        if isinstance(table[name], SkyCoord):
            position = table[name].icrs
            table["RAJ2000"], table["DEJ2000"] = position.ra, position.dec
            table.remove_column(name)
            break
    return table
