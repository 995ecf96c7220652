"""What a product says that it answers, read from its header alone.

An answer names the analysis, the version of results, the settings and the input files (with their
SHA-256) that the product follows from, those of all products before it included.
"""

import json
from pathlib import Path
from typing import Any, BinaryIO

from skyquilt.errors import ProductError

_BLOCK = 2880  # a FITS file consists of blocks of so many bytes
_CARD = 80
_SEAL = b'{"file_sha256":'
_MAX_HEADER = 1 << 20  # bytes in which a header of skyquilt ends


def read_answers(path: str | Path, ending: str = "") -> dict[str, Any] | None:
    """What a product answers; None if it does not say.

    The kind of file is told by the ending of its name, or given as `ending`.

    The content is not compared with its checksums: `skyquilt.io.inspect` does that.

    Raises
    ------
    ProductError
        If the file cannot be read, or is of a kind that has no answers.
    """
    path = Path(path)
    readers = {".h5": _from_hdf5, ".fits": _from_fits, ".json": _from_json}
    read = readers.get(ending or path.suffix, _from_seal)
    try:
        answers = find_answers(read(path))
        _check(answers)
    except Exception as error:  # damage has many kinds
        raise ProductError(f"{path}: cannot be read ({' '.join(str(error).split())}).") from error
    return answers


def _check(answers: dict[str, Any] | None) -> None:
    """Refuse answers that nothing can be compared with; those of a page of all name analyses."""
    if answers is None or "analyses" in answers:
        return
    for key in ("settings", "data"):
        if not isinstance(answers.get(key), dict):
            raise ValueError(f"what it answers has no {key!r}")


def why_other_problem(found: str | None, wanted: str, of: str | Path = "") -> str:
    """How the problem that a product answers differs from that beside it, "" if it does not.

    Parameters
    ----------
    found : str or None
        Identity of the problem, as the product has it; None if it answers none.
    wanted : str
        That of the other one.
    of : str or Path, optional
        File that has the other one.
    """
    if found in (None, wanted):
        return ""
    other = f"but {of} is of" if of else "not"
    return f"answers problem {found[:12]}, {other} {wanted[:12]}"


def check_problem(
    path: str | Path, found: str, wanted: str, made_by: str, of: str | Path = ""
) -> None:
    """Refuse a product that answers another problem than the files beside it.

    Parameters
    ----------
    path : str or Path
        The product.
    found, wanted, of
        See `why_other_problem`.
    made_by : str
        Command that makes it again.

    Raises
    ------
    ProductError
        If it does; the message names both problems.
    """
    if reason := why_other_problem(found, wanted, of):
        raise ProductError(f"{path}: {reason}; make it again with `{made_by}`.")


def find_answers(record: Any) -> dict[str, Any] | None:
    """Answers in a provenance, or in the last of several that a file has by stage."""
    if not isinstance(record, dict):
        return None
    stages = [value for value in record.values() if isinstance(value, dict)]
    found = record.get("answers") or next(filter(None, map(find_answers, reversed(stages))), None)
    return found if isinstance(found, dict) else None


def _from_hdf5(path: Path) -> dict[str, Any]:
    from skyquilt.io.hdf5_file import open_header

    with open_header(path) as file:
        text = file["provenance"].attrs.get("answers") if "provenance" in file else None
    return {"answers": None if text is None else json.loads(text)}


def _from_json(path: Path) -> dict[str, Any]:
    content = json.loads(path.read_text(encoding="utf-8"))
    return content.get("provenance", {}) if isinstance(content, dict) else {}


def _from_seal(path: Path) -> dict[str, Any]:
    content = path.read_bytes()
    offset = content.find(_SEAL)
    if offset < 0:
        raise ValueError("it has no provenance")
    if content.startswith(b"%PDF"):
        content = content.replace(rb"\\", b"\\")  # in PDF each backslash of a text is two
        offset = content.find(_SEAL)
    end = content.index(b"\n", offset) if b"\n" in content[offset:] else len(content)
    text = content[offset:end].decode("latin-1")
    return json.JSONDecoder().raw_decode(text)[0].get("provenance", {})


def _from_fits(path: Path) -> dict[str, Any]:
    """Row `answers` of the table PROVENANCE; the data of other tables are passed over."""
    with path.open("rb") as file:
        while True:
            header = _fits_header(file)
            width, n_rows = int(header.get("NAXIS1", 0)), int(header.get("NAXIS2", 0))
            if header.get("EXTNAME", "").strip("' ") == "PROVENANCE":
                break
            file.seek(-(-_data_bytes(header) // _BLOCK) * _BLOCK, 1)
        rows = file.read(width * n_rows)
    n_key = int(header["TFORM1"].strip("' ")[:-1])
    record = {}
    for start in range(0, width * n_rows, width):
        row = rows[start : start + width]
        key = row[:n_key].decode("ascii").strip("\0 ")
        if key == "answers":
            record[key] = json.loads(row[n_key:].decode("ascii").strip("\0 "))
    return record


def _fits_header(file: BinaryIO) -> dict[str, str]:
    """Keywords of the next header, with their values as text."""
    header: dict[str, str] = {}
    for _ in range(_MAX_HEADER // _BLOCK):
        block = file.read(_BLOCK).decode("ascii")
        if len(block) < _BLOCK:
            raise ValueError("it ends before its provenance")
        for start in range(0, _BLOCK, _CARD):
            card = block[start : start + _CARD]
            if card.startswith("END "):
                return header
            if card[8:10] == "= ":
                header[card[:8].strip()] = _value(card[10:])
    raise ValueError("its header has no end")


def _value(text: str) -> str:
    quoted = text.lstrip().startswith("'")
    return text.strip() if quoted and " /" not in text else text.partition(" /")[0].strip()


def _data_bytes(header: dict[str, str]) -> int:
    n_axes = int(header.get("NAXIS", 0))
    if not n_axes:
        return 0
    size = abs(int(header["BITPIX"])) // 8 * int(header.get("GCOUNT", 1))
    n_values = 1
    for axis in range(1, n_axes + 1):
        n_values *= int(header[f"NAXIS{axis}"])
    return size * (n_values + int(header.get("PCOUNT", 0)))
