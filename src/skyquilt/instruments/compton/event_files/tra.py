"""Columns of MEGAlib's event lists (`.tra`, plain or gzipped), computed from the interactions.

An event is a block of lines; of each line the first two letters tell what it is. Two positions and
two energies are all that the measured quantities need.
"""

import logging
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np

from skyquilt.errors import InputError
from skyquilt.instruments.compton.event_files.columns import Columns, Pointing
from skyquilt.instruments.compton.event_files.tra_geometry import N_NUMBERS, compute_columns
from skyquilt.instruments.compton.stream import open_inflated

logger = logging.getLogger(__name__)

_EVENT = re.compile(rb"^[ \t]*ET\b", re.M)
_START_BYTES = 4096
_BLOCK = 1 << 24  # bytes looked through at a time when events are counted
_EVENT_BYTES = 500  # of an event in the file, roughly
_WANTED = frozenset((b"ET", b"TI", b"CE", b"CD", b"GX", b"GZ", b"BD"))
_UNKNOWN = [b"nan"] * 4

NOT_COMPTON = "no Compton event"
FLAGGED = "flagged as bad (BD)"
INCOMPLETE = "incomplete"


def is_tra(start: bytes) -> bool:
    """Whether the first bytes of a file are those of an event list of MEGAlib."""
    lines = (line.split() for line in start.splitlines() if not line.lstrip().startswith(b"#"))
    words = next((line for line in lines if line), [])
    return [word.upper() for word in words] in ([b"TYPE", b"TRA"], [b"SE"])


def refuse_tra(path: str, wanted: str) -> None:
    """Refuse an event list of MEGAlib in the place of another file, and say what to do with it.

    Anything else passes: what is wrong with it is said where it is read.

    Parameters
    ----------
    path : str
        A file.
    wanted : str
        What it should be, as "a histogram".

    Raises
    ------
    InputError
        If it is an event list.
    """
    try:
        with open_inflated(path) as (file, _):
            start = file.read(_START_BYTES)
    except InputError:
        return
    if is_tra(start):
        raise InputError(
            f"{path}: an event list of MEGAlib (.tra), not {wanted}: bin its events into a "
            f"histogram with a section `binning` (`events: {path}`) and `skyquilt bin-events`, and "
            "give its output as counts."
        )


@contextmanager
def open_tra_columns(
    path: Path, units: Mapping[str, str], block_bytes: int, pointing: Pointing
) -> Iterator[Columns]:
    """Open an event list as the columns that cosipy makes of it; see `open_columns`.

    Events that are no Compton events, that are flagged, or that lack a time, an energy or a
    position are left out and counted.
    """
    with open_inflated(str(path)) as (file, _):
        n_events = _count(file)
    dropped: Counter[str] = Counter()
    yield Columns(n_events, _blocks(path, units, block_bytes, pointing, dropped), dropped)


def _count(file: IO[bytes]) -> int:
    """Number of events of any kind."""
    n_events, rest = 0, b""
    while block := file.read(_BLOCK):
        text = rest + block
        cut = text.rfind(b"\n") + 1
        n_events += len(_EVENT.findall(text, 0, cut))
        rest = text[cut:]
    return n_events + len(_EVENT.findall(rest))


def _blocks(
    path: Path,
    units: Mapping[str, str],
    block_bytes: int,
    pointing: Pointing,
    dropped: Counter[str],
) -> Iterator[dict[str, np.ndarray]]:
    rows: list[list[bytes]] = []
    with open_inflated(str(path)) as (file, _):
        for event in _events(file, path):
            reason, numbers = _numbers(event)
            if reason:
                dropped[reason] += 1
                continue
            rows.append(numbers)
            if len(rows) * _EVENT_BYTES >= block_bytes:
                yield compute_columns(_parse(rows, path), units, pointing, str(path), dropped)
                rows = []
        yield compute_columns(_parse(rows, path), units, pointing, str(path), dropped)


def _events(file: IO[bytes], path: Path) -> Iterator[dict[bytes, bytes]]:
    """Lines of interest of each event, by their key; interactions as CH0 and CH1."""
    event: dict[bytes, bytes] | None = None
    for stored in file:
        line = stored.lstrip()
        key = line[:2]
        if key == b"CH":
            number = line[2:].split(None, 1)[:1]
            if event is not None and number in ([b"0"], [b"1"]):
                event[key + number[0]] = line
        elif key == b"ET":
            if event is not None:
                yield event
            event = {key: line}
        elif key in _WANTED and event is not None:
            event[key] = line
        elif key in (b"IN", b"NF"):
            raise InputError(
                f"{path}: goes on in another file ({line.decode(errors='replace').strip()!r}); "
                "join the files to one first."
            )
        elif key == b"EN":
            break
    else:
        logger.warning("%s: no line 'EN' at the end; the file may be cut short", path)
    if event is not None:
        yield event


def _numbers(event: dict[bytes, bytes]) -> tuple[str, list[bytes]]:
    """Why an event is left out ("" if it is not), and its numbers as text.

    The numbers are time, energies of photon and electron, positions of the first and the second
    interaction, and longitude and latitude of x and z.
    """
    if event[b"ET"].split()[1:2] != [b"CO"]:
        return NOT_COMPTON, []
    if b"BD" in event:
        return FLAGGED, []
    words = {key: line.split() for key, line in event.items()}
    if b"CH0" in words and b"CH1" in words:
        positions = words[b"CH0"][2:5] + words[b"CH1"][2:5]
    else:
        positions = words.get(b"CD", [])[1:4] + words.get(b"CD", [])[7:10]
    pointing = words.get(b"GX", [])[1:3] + words.get(b"GZ", [])[1:3]
    numbers = words.get(b"TI", [])[1:2] + words.get(b"CE", [])[1:4:2] + positions
    numbers += pointing if len(pointing) == len(_UNKNOWN) else _UNKNOWN
    return ("" if len(numbers) == N_NUMBERS else INCOMPLETE), numbers


def _parse(rows: list[list[bytes]], path: Path) -> np.ndarray:
    """Numbers of events, shape (n, N_NUMBERS)."""
    try:
        return np.array(rows, dtype=np.float64).reshape(-1, N_NUMBERS)
    except ValueError as error:
        raise InputError(
            f"{path}: {error}: numbers of an event are needed in its lines TI, CE, CH, CD, GX and "
            "GZ; the file is damaged: copy it again."
        ) from error
