"""Changes of FITS files: each card of the headers, each column, each image."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits

from fuzzing.change import Change, of_bytes

_CARD = 80
_VALUES = {
    "text": "'fish    '",
    "''": "''",
    "0": "0",
    "-1": "-1",
    "1": "1",
    "1.5": "1.5",
    "nan": "NaN",
    "huge": "999999999999999",
    "1e300": "1.0E300",
    "no value": "",
    "open quote": "'fish",
    "T": "T",
}
_OTHERS = {
    "TUNIT": ("'erg     '", "'furlong '", "'s       '"),
    "BUNIT": ("'erg     '", "'furlong '", "'cm-2 s-1'"),
    "CUNIT": ("'rad     '", "'furlong '"),
    "CTYPE": ("'GLON-AIT'", "'RA---TAN'", "'fish    '", "'        '"),
    "RADESYS": ("'FK4     '", "'GALACTIC'"),
    "COORDSYS": ("'E       '", "'C       '", "'fish    '"),
    "ORDERING": ("'NESTED  '", "'RING    '", "'fish    '"),
    "TFORM": ("'D       '", "'99999D  '", "'PD(3)   '", "'QE(0)   '", "'16A     '", "'0D      '"),
}
_NOT_CHANGED = ("", "COMMENT", "HISTORY", "END")


def fits_changes(path: Path) -> Iterator[Change]:
    """Changes of everything in a good file."""
    with fits.open(path) as file:
        for number, hdu in enumerate(file):
            yield from _hdu_changes(number, hdu.name)
            for card in hdu.header.cards:
                if card.keyword not in _NOT_CHANGED:
                    yield from _card_changes(number, hdu.name, card.keyword)
            if isinstance(hdu, fits.BinTableHDU):
                yield from _table_changes(number, hdu)
            elif hdu.data is not None:
                yield from _image_changes(number, hdu)


# --- cards, byte by byte, so that nothing sets them right again ---


def _card_changes(number: int, name: str, keyword: str) -> Iterator[Change]:
    where = f"{name or number}.{keyword}"
    yield of_bytes(f"{where}: missing", lambda c: _set_card(c, number, keyword, None))
    values = _VALUES | {value: value for value in _OTHERS.get(keyword.rstrip("0123456789"), ())}
    for title, value in values.items():
        yield of_bytes(
            f"{where}: {title}", lambda c, value=value: _set_card(c, number, keyword, value)
        )


def _set_card(content: bytes, number: int, keyword: str, value: str | None) -> bytes:
    start = _find_card(content, number, keyword)
    card = "COMMENT" if value is None else f"{keyword:8}= {value:>20}"
    return content[:start] + f"{card:80}".encode() + content[start + _CARD :]


def _find_card(content: bytes, number: int, keyword: str) -> int:
    from io import BytesIO

    with fits.open(BytesIO(content)) as file:
        start = file[number].fileinfo()["hdrLoc"]
    wanted = f"{keyword:8}".encode()
    while content[start : start + 8] != wanted:
        start += _CARD
    return start


# --- whole parts ---


def _hdu_changes(number: int, name: str) -> Iterator[Change]:
    title = name or str(number)
    if number == 0:
        return
    yield _file_change(f"{title}: missing", lambda file: file.pop(number))
    yield _file_change(f"{title}: twice", lambda file: file.append(file[number].copy()))
    yield _file_change(f"{title}: first", lambda file: file.insert(1, file.pop(number)))
    yield _file_change(f"{title}: other name", lambda file: setattr(file[number], "name", "FISH"))
    yield _file_change(
        f"{title}: an empty image", lambda file: file.__setitem__(number, fits.ImageHDU(name=name))
    )


def _file_change(
    title: str, edit: Callable[[fits.HDUList], Any], *, is_equal: bool = False
) -> Change:
    def apply(path: Path) -> None:
        with fits.open(path, memmap=False) as file:
            for hdu in file:
                hdu.data  # noqa: B018 - reads it
            edit(file)
            path.unlink()
            file.writeto(path, output_verify="silentfix")

    return Change(title, apply, is_equal)


# --- values ---

_NUMBERS = {"nan": np.nan, "inf": np.inf, "0": 0.0, "-1": -1.0, "1e300": 1e300, "1e-300": 1e-300}


def _table_changes(number: int, hdu: fits.BinTableHDU) -> Iterator[Change]:
    for title, rows in {"one row": slice(1), "no rows": slice(0), "a row less": slice(-1)}.items():
        yield _file_change(
            f"{hdu.name}: {title}",
            lambda file, rows=rows: setattr(file[number], "data", file[number].data[rows]),
        )
    yield _file_change(
        f"{hdu.name}: rows backwards",
        lambda file: setattr(file[number], "data", file[number].data[::-1].copy()),
    )
    for column in hdu.columns:
        yield from _column_changes(number, hdu.name, column.name)


def _column_changes(number: int, table: str, name: str) -> Iterator[Change]:
    where = f"{table}.{name}"

    def change(title: str, edit: Callable[[np.ndarray], np.ndarray], **options: Any) -> Change:
        return _file_change(
            f"{where}: {title}", lambda file: _set_column(file, number, name, edit), **options
        )

    yield change("missing", lambda values: None)
    yield change("text", lambda values: np.full(len(values), "fish"))
    yield change("whole numbers", lambda values: np.nan_to_num(_numbers(values)).astype(np.int16))
    yield change("truth values", lambda values: np.ones(len(values), bool))
    yield change("complex", lambda values: _numbers(values).astype(complex))
    yield change("pairs", lambda values: np.stack([_numbers(values)] * 2, axis=-1))
    yield change("one number a row", lambda values: _numbers(values).reshape(len(values), -1)[:, 0])
    yield change("negative", lambda values: -_numbers(values))
    yield change("double precision", lambda values: _numbers(values), is_equal=True)
    for title, value in _NUMBERS.items():
        yield change(f"all {title}", lambda v, x=value: np.full_like(_numbers(v), x))
        yield change(f"one {title}", lambda v, x=value: _with_first(v, x))


def _numbers(values: np.ndarray) -> np.ndarray:
    try:
        return np.array(values, dtype=np.float64)
    except ValueError:
        return np.zeros(np.shape(values))


def _with_first(values: np.ndarray, value: float) -> np.ndarray:
    changed = _numbers(values)
    changed.reshape(-1)[:1] = value
    return changed


def _set_column(file: fits.HDUList, number: int, name: str, edit: Callable) -> None:
    table, made = file[number], []
    for column in table.columns:
        values = table.data[column.name]
        if column.name == name:
            values = edit(values)
            if values is None:
                continue
            made.append(fits.Column(name, _form(values), unit=column.unit, array=values))
        else:
            made.append(
                fits.Column(name=column.name, format=column.format, unit=column.unit, array=values)
            )
    kept = {key: value for key, value in table.header.items() if not _is_structural(key)}
    file[number] = fits.BinTableHDU.from_columns(made, name=table.name)
    for key, value in kept.items():
        if key not in file[number].header and key not in _NOT_CHANGED:
            file[number].header[key] = value


def _form(values: np.ndarray) -> str:
    count = int(np.prod(values.shape[1:], dtype=int))
    kind = {"f": "D", "i": "I", "b": "L", "c": "M", "U": f"{values.dtype.itemsize // 4}A"}
    return kind["U"] if values.dtype.kind == "U" else f"{count}{kind[values.dtype.kind]}"


def _is_structural(key: str) -> bool:
    return key.rstrip("0123456789") in (
        "TTYPE",
        "TFORM",
        "TUNIT",
        "TNULL",
        "TDIM",
        "TFIELDS",
        "NAXIS",
        "PCOUNT",
        "GCOUNT",
        "XTENSION",
        "BITPIX",
        "CHECKSUM",
        "DATASUM",
    )


def _image_changes(number: int, hdu: Any) -> Iterator[Change]:
    def change(title: str, edit: Callable[[np.ndarray], np.ndarray], **options: Any) -> Change:
        return _file_change(
            f"{hdu.name or number}: {title}",
            lambda file: setattr(file[number], "data", edit(file[number].data)),
            **options,
        )

    for title, value in _NUMBERS.items():
        yield change(f"all {title}", lambda v, x=value: np.full_like(_numbers(v), x))
        yield change(f"one {title}", lambda v, x=value: _with_first(v, x))
    shapes: dict[str, Callable] = {
        "negative": lambda values: -_numbers(values),
        "transposed": lambda values: np.ascontiguousarray(_numbers(values).T),
        "a plane less": lambda values: _numbers(values)[:-1],
        "one plane": lambda values: _numbers(values)[:1],
        "flat": lambda values: _numbers(values).ravel(),
        "first plane only": lambda values: _numbers(values)[0],
        "an axis more": lambda values: _numbers(values)[np.newaxis],
        "a column less": lambda values: _numbers(values)[..., :-1],
        "no pixels": lambda values: None,
        "small whole numbers": lambda values: np.nan_to_num(_numbers(values)).astype(np.uint8),
    }
    for title, edit in shapes.items():
        yield change(title, edit)
    yield change("double precision", _numbers, is_equal=True)
