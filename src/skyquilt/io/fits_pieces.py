"""FITS tables written piece by piece: one piece is held at a time, rows come in any order.

References
----------
FITS standard 4.0, section 4.4.2.7 and appendix J: the keywords DATASUM and CHECKSUM.
"""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from skyquilt.io.fits_table import Column, record_hdu, sign, table_hdu
from skyquilt.io.products import new_product
from skyquilt.io.schema import Schema

_BLOCK = 2880  # a FITS file consists of blocks of so many bytes
_READ = 1000 * _BLOCK  # bytes added up at a time
_ROWS = 1 << 16  # rows put together at a time
_PUNCTUATION = frozenset(b":;<=>?@[\\]^_`")  # between digits and letters; not used in CHECKSUM


class Piece(NamedTuple):
    """Some rows of a table.

    Attributes
    ----------
    rows : ndarray of int64, shape (n,)
        Their indices in the table.
    columns : dict of str to Column
        Numbers by name; all pieces have the same columns.
    """

    rows: np.ndarray
    columns: Mapping[str, Column]


def write_pieces(
    path: str | Path,
    schema: Schema,
    n_rows: int,
    pieces: Iterable[Piece],
    cards: Mapping[str, Any],
    record: Callable[[], dict[str, Any]],
) -> None:
    """Write what `skyquilt.io.fits_table.write_table` would write, without holding the table.

    Parameters
    ----------
    path : str or Path
        File to write.
    schema : Schema
        Kind of file.
    n_rows : int
        Rows of the table.
    pieces : iterable of Piece
        At least one; together they have every row once.
    cards : dict
        Keywords of the table: values, or pairs of value and comment.
    record : callable
        Gives the provenance; called after the last piece.

    Raises
    ------
    ValueError
        If there is no piece.
    """
    from astropy.io import fits

    with new_product(path) as partial:
        with partial.open("w+b") as file:
            fits.PrimaryHDU().writeto(file, checksum=True)
            table: _Table | None = None
            for piece in pieces:
                table = table or _Table(file, piece.columns, n_rows, schema, cards)
                table.write(piece)
            if table is None:
                raise ValueError("there is no piece: at least one is needed")
            about = record()
            table.finish(about)
        made = record_hdu(about)
        fits.append(partial, made.data, made.header, checksum=True)


class _Table:
    """Table at the end of an open file; its rows are written where they belong."""

    def __init__(
        self,
        file: BinaryIO,
        columns: Mapping[str, Column],
        n_rows: int,
        schema: Schema,
        cards: Mapping[str, Any],
    ):
        empty = {name: each._replace(values=each.values[:0]) for name, each in columns.items()}
        hdu = table_hdu("SKYMAP", empty, schema, cards)
        hdu.header["NAXIS2"] = n_rows
        hdu.add_checksum()
        kinds = [(name, each.values.dtype.newbyteorder(">")) for name, each in columns.items()]
        self._file, self._header, self._row = file, hdu.header, np.dtype(kinds)
        self._begin = file.seek(0, 2)
        self._start = self._begin + len(self._header.tostring())
        n_blocks = -(-n_rows * self._row.itemsize // _BLOCK)
        file.truncate(self._start + n_blocks * _BLOCK)

    def write(self, piece: Piece) -> None:
        """Write the rows of a piece."""
        for first in range(0, piece.rows.size, _ROWS):
            part = slice(first, first + _ROWS)
            order = np.argsort(piece.rows[part], kind="stable")
            rows = piece.rows[part][order]
            table = np.empty(rows.size, self._row)
            for name, column in piece.columns.items():
                table[name] = column.values[part][order]
            ends = np.append(np.flatnonzero(np.diff(rows) != 1) + 1, rows.size).tolist()
            for begin, end in zip([0, *ends], ends, strict=False):  # rows without a gap
                self._file.seek(self._start + int(rows[begin]) * self._row.itemsize)
                self._file.write(table[begin:end].view(np.uint8).data)

    def finish(self, record: Mapping[str, Any]) -> None:
        """Add up the rows and write the header in front of them."""
        self._file.seek(self._start)
        total = 0
        while block := self._file.read(_READ):
            total = _add_up(block, total)
        sign(self._header, record)
        self._header["DATASUM"] = str(total)
        self._header["CHECKSUM"] = "0" * 16
        header = self._header.tostring().encode("ascii")
        self._header["CHECKSUM"] = _encode(0xFFFFFFFF - _add_up(header, total))
        self._file.seek(self._begin)
        self._file.write(self._header.tostring().encode("ascii"))


def _add_up(content: bytes, total: int = 0) -> int:
    """Sum of the 32-bit numbers of `content` and `total`; what overflows is added at the end."""
    total += int(np.frombuffer(content, ">u4").sum(dtype=np.uint64))
    while total > 0xFFFFFFFF:
        total = (total & 0xFFFFFFFF) + (total >> 32)
    return total


def _encode(number: int) -> str:
    """CHECKSUM of 16 letters and digits that adds `number` to a header which has zeros there.

    Each byte becomes the sum of four characters, four bytes apart, that begin at "0" each.
    """
    text = bytearray(16)
    for index, byte in enumerate(number.to_bytes(4, "big")):
        quarter, rest = divmod(byte, 4)
        four = [ord("0") + quarter + rest, *[ord("0") + quarter] * 3]
        while _PUNCTUATION.intersection(four):
            for pair in (0, 2):
                if _PUNCTUATION.intersection(four[pair : pair + 2]):
                    four[pair] += 1
                    four[pair + 1] -= 1
        text[index::4] = bytes(four)
    return (text[-1:] + text[:-1]).decode("ascii")
