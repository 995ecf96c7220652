"""What became of one changed file."""

import contextlib
import json
import os
import re
import shlex
import sys
import traceback
from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

from fuzzing.kind import Kind


class Outcome(StrEnum):
    """How the verbs ended; the first three are good ends."""

    SAME = "same"
    OTHER = "other"
    REFUSED = "refused"
    UNCLEAR = "unclear"
    SILENT = "silent"
    TRACEBACK = "traceback"
    HANG = "hang"
    CRASH = "crash"


ABOUT = {
    Outcome.SAME: "an answer, with the numbers of the good file",
    Outcome.OTHER: "an answer, with other numbers: the file says something else",
    Outcome.REFUSED: "one line that names the file, and exit code 2",
    Outcome.UNCLEAR: "refused, but with more lines, another exit code, or without the file's name",
    Outcome.SILENT: "other numbers from a damaged product, or from a file that says the same",
    Outcome.TRACEBACK: "an exception that nobody caught",
    Outcome.HANG: "no end in the time given",
    Outcome.CRASH: "ended by a signal, as of a wrong address",
}
BAD = (Outcome.UNCLEAR, Outcome.SILENT, Outcome.TRACEBACK, Outcome.HANG, Outcome.CRASH)


class Answer(NamedTuple):
    """What the verbs said.

    Attributes
    ----------
    code : int
        Exit code of the last one.
    number : object
        Numbers, if they ended well.
    lines : list of str
        Lines on the standard error, and of a refusal by `verify` on the standard output.
    trace : str
        Traceback, "" if there is none.
    """

    code: int
    number: Any
    lines: list[str]
    trace: str


def ask(kind: Kind) -> Answer:
    """Run the verbs of a kind in the current folder, until one refuses."""
    lines: list[str] = []
    for line in kind.verbs:
        code, said, trace = _run(line)
        lines += said
        if trace or code not in kind.answers:
            return Answer(code, None, lines, trace)
    try:
        return Answer(code, _plain(kind.number()), lines, "")
    except Exception as error:
        return Answer(code, f"numbers cannot be read: {error!r}", lines, "")


def judge(kind: Kind, change_is_equal: bool, good: Answer, found: Answer) -> tuple[Outcome, str]:
    """Outcome of a change, and what there is to say of it."""
    if found.trace:
        return Outcome.TRACEBACK, _last_line(found.trace)
    noise = [line for line in found.lines if re.search(r"\w+Warning:|Traceback|Error:", line)]
    if found.number is not None:
        if noise:
            return Outcome.UNCLEAR, noise[0]
        if _close(found.number, good.number):
            return Outcome.SAME, ""
        is_silent = kind.is_product or change_is_equal
        outcome = Outcome.SILENT if is_silent else Outcome.OTHER
        return outcome, _differences(found.number, good.number)
    return _judge_refusal(kind, found, noise)


def _judge_refusal(kind: Kind, found: Answer, noise: list[str]) -> tuple[Outcome, str]:
    text = " ".join(found.lines)
    errors = [line for line in found.lines if re.match(r"skyquilt [\w -]+: error: ", line)]
    # what a verb finds is a list of lines on the standard output
    listed = [line for line in found.lines if Path(kind.path).name in line]
    name = Path(kind.path).name
    # of a configuration the message names the key, the file that the key names, or the product
    is_named = bool(listed) or "*" in name or kind.path.endswith(".yaml")
    if found.code not in kind.codes:
        return Outcome.UNCLEAR, f"exit code {found.code}: {text[:300]}"
    if noise:
        return Outcome.UNCLEAR, f"a warning: {noise[0][:300]}"
    if len(errors) != 1 and not kind.name.startswith("verify"):
        return Outcome.UNCLEAR, f"{len(errors)} errors: {text[:300]}"
    if not is_named:
        return Outcome.UNCLEAR, f"no {name}: {text[:300]}"
    return Outcome.REFUSED, (errors or listed or found.lines)[0]


def _run(line: str) -> tuple[int, list[str], str]:
    """Exit code, lines, traceback of one verb."""
    from skyquilt.cli.main import main

    words = shlex.split(line)
    with _caught() as read:
        try:
            code, trace = main([*words, "--quiet"]), ""
        except SystemExit as error:
            code, trace = error.code, ""
        except BaseException:
            code, trace = 1, traceback.format_exc()
        out, error_text = read()
    said = out if words[0] == "verify" and code else ""
    return code, (error_text + said).splitlines(), trace


@contextlib.contextmanager
def _caught() -> Iterator[Callable[[], tuple[str, str]]]:
    """Standard output and error in files, those of libraries written in C included."""
    names = ("stdout.txt", "stderr.txt")
    kept = [os.dup(1), os.dup(2)]
    for number, name in enumerate(names, 1):
        descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(descriptor, number)
        os.close(descriptor)

    def read() -> tuple[str, str]:
        sys.stdout.flush()
        sys.stderr.flush()
        out, err = (Path(name).read_text(errors="replace") for name in names)
        return out, err

    try:
        yield read
    finally:
        for number, descriptor in enumerate(kept, 1):
            os.dup2(descriptor, number)
            os.close(descriptor)


def _plain(number: Any) -> Any:
    """As JSON has it, so that both sides of a comparison went the same way."""
    return json.loads(json.dumps(number, default=str))


def _close(one: Any, other: Any) -> bool:
    match one, other:
        case dict(), dict():
            return one.keys() == other.keys() and all(_close(one[k], other[k]) for k in one)
        case list(), list():
            return len(one) == len(other) and all(map(_close, one, other))
        case bool(), bool():
            return one == other
        case int() | float(), int() | float():
            return (
                one == other
                or (one != one and other != other)
                or (abs(one - other) <= 1e-6 * max(abs(one), abs(other)))
            )
    return one == other


def _differences(one: Any, other: Any, where: str = "") -> str:
    if isinstance(one, dict) and isinstance(other, dict):
        keys = [k for k in {**one, **other} if not _close(one.get(k), other.get(k))]
        return "; ".join(_differences(one.get(k), other.get(k), f"{where}.{k}") for k in keys[:3])
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = [
            (k, a, b) for k, (a, b) in enumerate(zip(one, other, strict=True)) if not _close(a, b)
        ]
        return "; ".join(_differences(a, b, f"{where}.{k}") for k, a, b in pairs[:3])
    return f"{where} {str(one)[:80]} instead of {str(other)[:80]}".strip()


def _last_line(trace: str) -> str:
    place = re.findall(r'File ".*?/skyquilt/(.*?)", line (\d+)', trace)
    where = ":".join(place[-1]) if place else ""
    return f"{where} {trace.strip().splitlines()[-1][:200]}"
