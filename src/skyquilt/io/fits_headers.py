"""Sizes that the headers of a FITS file name, compared with the file before anything believes them.

astropy makes as many columns as TFIELDS says and as many axes as NAXIS says, so that a flipped bit
in one of them keeps it busy for minutes.

References
----------
FITS standard 4.0, sections 4.4.1 and 7.3.1.
"""

import os
import re
from typing import BinaryIO

_BLOCK = 2880
_CARD = 80
_MOST = 999  # axes and columns, by the standard
_INTEGER = re.compile(rb"^([A-Z]+\d*) *= *([+-]?\d+) *(?:/.*)?$")
_SIZES = re.compile(rb"(NAXIS\d*|BITPIX|PCOUNT|GCOUNT|TFIELDS) *=")
_BITS = (8, 16, 32, 64, -32, -64)


def check_headers(file: BinaryIO) -> None:
    """Refuse a file whose headers name what cannot be; the file's place is as before.

    Raises
    ------
    ValueError
        If a size is not a possible one, or the file is shorter than its headers say.
    """
    place = file.tell()
    length = file.seek(0, os.SEEK_END)
    start, number = 0, 0
    while length - start >= _BLOCK:
        file.seek(start)
        sizes, header_bytes = _read_sizes(file, number)
        if not sizes:
            break  # what follows the last part is not looked at, as the standard has it
        start += header_bytes + _data_bytes(sizes, number)
        if start > length:
            raise ValueError(
                f"part {number} ends at byte {start}, by its header, and the file at {length}: cut "
                "short, or NAXIS is wrong"
            )
        number += 1
    file.seek(place)


def _read_sizes(file: BinaryIO, number: int) -> tuple[dict[str, int], int]:
    """Sizes in a header, and its bytes; none if it is no header."""
    sizes: dict[str, int] = {}
    n_bytes = 0
    while len(block := file.read(_BLOCK)) == _BLOCK:
        if not n_bytes and not block.startswith((b"SIMPLE  =", b"XTENSION=")):
            return {}, 0
        n_bytes += _BLOCK
        for first in range(0, _BLOCK, _CARD):
            card = block[first : first + _CARD]
            if card.rstrip() == b"END":
                return sizes, n_bytes
            if _SIZES.match(card):
                name, value = _size(card, number)
                sizes.setdefault(name, value)
    raise ValueError(f"the header of part {number} has no END: cut short")


def _size(card: bytes, number: int) -> tuple[str, int]:
    match = _INTEGER.match(card.rstrip())
    text = card.decode("ascii", "replace").strip()
    if match is None:
        raise ValueError(f"in the header of part {number}, {text!r} is no whole number")
    name, value = match[1].decode(), int(match[2])
    highest = _MOST if name in ("NAXIS", "TFIELDS") else None
    if name == "BITPIX" and value not in _BITS:
        raise ValueError(f"in the header of part {number}, {text!r} is not one of {_BITS}")
    if name != "BITPIX" and (value < 0 or (highest is not None and value > highest)):
        raise ValueError(f"in the header of part {number}, {text!r} is no possible size")
    return name, value


def _data_bytes(sizes: dict[str, int], number: int) -> int:
    """Bytes of the data behind a header, in whole blocks."""
    n_axes = sizes.get("NAXIS")
    axes = [sizes.get(f"NAXIS{axis}") for axis in range(1, (n_axes or 0) + 1)]
    if n_axes is None or None in axes or "BITPIX" not in sizes:
        raise ValueError(f"the header of part {number} lacks BITPIX, NAXIS or the size of an axis")
    size = 1 if n_axes else 0
    for axis in axes:
        size *= axis
    size = sizes.get("GCOUNT", 1) * (sizes.get("PCOUNT", 0) + size) if n_axes else 0
    n_bytes = abs(sizes["BITPIX"]) // 8 * size
    return -(-n_bytes // _BLOCK) * _BLOCK
