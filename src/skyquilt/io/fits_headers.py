"""Headers of a FITS file, read as text before a library builds anything from them.

astropy believes a header: a table of 999999999 columns, or an image of more pixels than the file
has bytes, keeps it busy or out of memory for ever. So what a header says of its size is compared
with the file first.

References
----------
FITS standard 4.0, sections 4.4.1 and 7.3.1: the keywords that tell the size of data.
"""

import math
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

_BLOCK, _CARD = 2880, 80
_MAX_BLOCKS = 2000  # 72,000 cards
_MOST = 999  # axes, and columns, that the standard allows
_OF_SIZE = re.compile(r"BITPIX|Z?NAXIS\d*|[PG]COUNT|GROUPS|XTENSION|TFIELDS|TFORM\d+")
_BITS = (8, 16, 32, 64, -32, -64)
_FIELD = re.compile(r"'?\s*(\d*)([LXBIJKAEDCMPQ])")
_BYTES = dict(zip("LBIJKAEDCMPQ", (1, 1, 2, 4, 8, 1, 4, 8, 8, 16, 8, 16), strict=True))


def check_headers(file: BinaryIO) -> list[dict[str, str]]:
    """Refuse a file whose headers say of its size what cannot be.

    Parameters
    ----------
    file : binary file
        Open for reading; is read from its start, and left there.

    Returns
    -------
    list of dict of str to str
        What each header says: first value of each keyword, as it is written; empty where the file
        is no FITS file at all.

    Raises
    ------
    ValueError
        If a header has no end, says of its size what no file can have, or needs more bytes than
        are left.
    """
    size = file.seek(0, 2)
    headers: list[dict[str, Any]] = []
    offset = 0
    while offset < size:
        file.seek(offset)
        start = file.read(_CARD)
        if not start.startswith((b"SIMPLE  =", b"XTENSION=")[len(headers) > 0 :]):
            break
        file.seek(offset)
        header, n_blocks = _read_header(file, len(headers))
        headers.append(header)
        offset += n_blocks * _BLOCK
        n_bytes = _data_bytes(header, len(headers) - 1)
        if n_bytes > size - offset:
            raise ValueError(
                f"HDU {len(headers) - 1} says that {n_bytes} bytes of data follow, {size - offset} "
                "do; it is cut short, or its header is wrong"
            )
        offset += -(-n_bytes // _BLOCK) * _BLOCK
    file.seek(0)
    return headers


def check_header(header: Any, number: int) -> None:
    """Refuse a header of astropy's that says of its size what no file can have.

    Raises
    ------
    ValueError
        If it does.
    """
    keys = dict.fromkeys(key for key in header if _OF_SIZE.fullmatch(key))
    _data_bytes({key: str(header[key]) for key in keys}, number)


def _read_header(file: BinaryIO, number: int) -> tuple[dict[str, str], int]:
    """Keywords of a header, and its number of blocks."""
    header: dict[str, str] = {}
    for n_blocks in range(1, _MAX_BLOCKS + 1):
        block = file.read(_BLOCK)
        if len(block) < _BLOCK:
            break
        for card in _cards(block):
            if card.rstrip() == "END":
                return header, n_blocks
            if card[8:9] == "=":
                header.setdefault(card[:8].rstrip(), card[9:].partition("/")[0].strip())
    raise ValueError(f"HDU {number} has no end of its header within {_MAX_BLOCKS} blocks")


def _cards(block: bytes) -> Iterator[str]:
    text = block.decode("latin-1")
    return (text[start : start + _CARD] for start in range(0, _BLOCK, _CARD))


def _data_bytes(header: dict[str, str], number: int) -> int:
    """Bytes of data behind a header, as it says."""
    bits = _whole(header, "BITPIX", number, -64, 64)
    if bits not in _BITS:
        raise ValueError(f"HDU {number}: BITPIX is {bits}; allowed are {_BITS}")
    n_axes = _whole(header, "NAXIS", number, 0, _MOST)
    axes = [_whole(header, f"NAXIS{axis}", number) for axis in range(1, n_axes + 1)]
    if "TFIELDS" in header:
        _check_fields(header, axes, number)
    if "ZNAXIS" in header:
        n_inner = _whole(header, "ZNAXIS", number, 0, _MOST)
        for axis in range(1, n_inner + 1):
            _whole(header, f"ZNAXIS{axis}", number)
    if axes[:1] == [0] and header.get("GROUPS") == "T":
        axes = axes[1:]
    n_values = math.prod(axes) if axes else 0
    extra = _whole(header, "PCOUNT", number, default=0)
    groups = _whole(header, "GCOUNT", number, default=1)
    return abs(bits) // 8 * groups * (extra + n_values)


def _check_fields(header: dict[str, str], axes: list[int], number: int) -> None:
    """Refuse a table of more columns than its rows have room for."""
    n_fields = _whole(header, "TFIELDS", number, 0, _MOST)
    if header.get("XTENSION", "").strip("' ") != "BINTABLE":
        return
    width = 0
    for field in range(1, n_fields + 1):
        match = _FIELD.match(header.get(f"TFORM{field}", ""))
        if match is None:
            continue  # astropy tells of it
        repeat = int(match[1]) if match[1] else 1
        width += -(-repeat // 8) if match[2] == "X" else repeat * _BYTES[match[2]]
    if n_fields and (not axes or width > axes[0]):
        raise ValueError(
            f"HDU {number}: its columns take {width} bytes a row, which has {axes[:1] or 'none'}"
        )


def _whole(
    header: dict[str, str],
    key: str,
    number: int,
    low: int = 0,
    high: int = 1 << 62,
    default: int | None = None,
) -> int:
    """Value of a keyword that is a whole number."""
    if key not in header and default is not None:
        return default
    text = header.get(key, "missing")
    if not re.fullmatch(r"[+-]?\d{1,20}\.?", text) or not low <= int(text.rstrip(".")) <= high:
        to = f" to {high}" if high < 1 << 62 else ""
        raise ValueError(f"HDU {number}: {key} is {text}; allowed are whole numbers from {low}{to}")
    return int(text.rstrip("."))
