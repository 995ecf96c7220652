"""Which pixel each row of a HEALPix table stands for, and columns of numbers."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from astropy.io.fits import BinTableHDU

PIXELS = ("PIX", "PIXEL", "IPIX", "HPX_INDEX", "HPXINDEX")
"""Columns that number the pixels of a part of the sky."""


def read_numbers(table: "BinTableHDU", name: str) -> np.ndarray:
    """Column of whole numbers as int64, whatever its number of them per row.

    Raises
    ------
    ValueError
        If it holds something else.
    """
    values = np.asarray(column(table, name)).ravel()
    if values.dtype.kind not in "iuf":
        raise ValueError(f"column {name} holds no numbers.")
    whole = values.astype(np.int64)
    if not np.array_equal(whole, values):
        raise ValueError(f"column {name} holds numbers that are not whole, or too large.")
    return whole


def column(table: "BinTableHDU", name: str) -> np.ndarray:
    """Column of a table by its name in capitals."""
    stored = {known.upper(): known for known in table.columns.names}
    return table.data[stored[name]]


def flat_cells(table: "BinTableHDU") -> tuple[np.ndarray, np.ndarray]:
    """Order and nested pixel of each row of a table of one resolution.

    Raises
    ------
    ValueError
        If resolution or ordering are missing or contradict the rows, or a pixel does not exist.
    """
    import healpy

    names = {name.upper() for name in table.columns.names}
    given = next((name for name in PIXELS if name in names), None)
    if given is None:
        nside, ipix = _implicit_pixels(table)
    else:
        nside, ipix = _nside(table.header), read_numbers(table, given)
    wrong = ipix[(ipix < 0) | (ipix >= 12 * nside**2)]
    if wrong.size:
        raise ValueError(f"pixel {wrong[0]}: allowed are 0 to {12 * nside**2 - 1}, nside {nside}.")
    ordering = str(table.header.get("ORDERING", "")).strip().upper()
    if ordering not in ("RING", "NESTED", "NEST"):
        raise ValueError(f"ORDERING {ordering!r}: allowed are RING, NESTED.")
    nested = healpy.ring2nest(nside, ipix) if ordering == "RING" else ipix
    return np.full(ipix.size, nside.bit_length() - 1, dtype=np.int8), nested


def _implicit_pixels(table: "BinTableHDU") -> tuple[int, np.ndarray]:
    """Resolution, and pixels of rows that are all there, or follow one another."""
    header = table.header
    n_rows = max(column(table, name.upper()).size for name in table.columns.names)
    first = int(header.get("FIRSTPIX", 0))
    nside = _nside(header if "NSIDE" in header else {"NSIDE": int(np.sqrt(n_rows / 12))})
    last = int(header.get("LASTPIX", 12 * nside**2 - 1))
    if last - first + 1 != n_rows:
        raise ValueError(
            f"{n_rows} values for the pixels {first} to {last} of nside {nside}, and no column "
            f"{' or '.join(PIXELS[:2])}."
        )
    return nside, first + np.arange(n_rows)


def _nside(header) -> int:
    nside = header.get("NSIDE")
    is_power = isinstance(nside, int) and 1 <= nside <= 1 << 29 and not nside & (nside - 1)
    if not is_power:
        raise ValueError(f"NSIDE {nside!r}: allowed are the powers of two.")
    return nside
