"""Change files of every kind, one thing at a time, and count what skyquilt says to them.

  python benchmarks/mutate.py                       all kinds, 60 changes each
  python benchmarks/mutate.py --kinds exposure "verify *" --number 400
  python benchmarks/mutate.py --keep bad            keeps each file that did not end well

Inputs, products, notes and configurations are changed where they say something (each field
missing, NaN, zero, of another shape, type, unit or frame, huge, ...) and byte by byte. Each goes
through the verbs that read it, in a process of its own. The same seed gives the same changes.
Exit code 1 if any did not end well.
"""

import argparse
import fnmatch
import gc
import importlib
import os
import pkgutil
import re
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # many processes, each with little to do

import numpy as np
from fuzzing.change import Change
from fuzzing.crew import run_jobs
from fuzzing.kind import Kind
from fuzzing.kinds import KINDS
from fuzzing.materials import make_materials
from fuzzing.outcome import ABOUT, BAD, Answer, Outcome, ask, judge
from measuring import replace_table

from skyquilt.runs.guard import LOCK

_WIDTH = 38  # letters of the longest name

# A lock that two folders shared would let one process wait for another.
_LOCKS = shutil.ignore_patterns(LOCK, "*.lock")


class Tried(NamedTuple):
    """One change, and what became of it."""

    kind: Kind
    change: str
    outcome: Outcome
    text: str


def main(arguments: list[str] | None = None) -> int:
    options = _parse(arguments)
    kinds = [kind for kind in KINDS if any(fnmatch.fnmatch(kind.name, p) for p in options.kinds)]
    began = time.perf_counter()
    _import_all()
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name).resolve()
        materials = options.materials or build_materials(folder)
        if not materials.is_dir():
            shutil.copytree(build_materials(folder), materials)
        tried, failed = [], []
        print(_head(), flush=True)
        for kind in kinds:
            try:
                here = list(try_kind(kind, materials, folder, options))
            except RuntimeError as error:  # the others are tried all the same
                failed.append(kind.name)
                print(f"    {error}", flush=True)
                continue
            tried += here
            print(_row(kind.name, _numbers(here)[kind.name]), flush=True)
            for one in here:
                if one.outcome in BAD or (options.verbose and one.text):
                    print(f"    {one.outcome}: {one.change}: {one.text}", flush=True)
    minutes = (time.perf_counter() - began) / 60
    print(table(_numbers(tried), f"Seed {options.seed}, {minutes:.0f} minutes."))
    if options.page:
        before = options.page.read_text(encoding="utf-8")
        rows = read_rows(before) | _numbers(tried)
        rows = {kind.name: rows[kind.name] for kind in KINDS if kind.name in rows}
        text = table(rows, f"Seed {options.seed}.")
        page = replace_table(before, "table: fuzz", text)
        options.page.write_text(page, encoding="utf-8")
    return int(bool(failed) or any(one.outcome in BAD for one in tried))


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kinds", nargs="+", default=["*"], metavar="NAME", help="or patterns")
    parser.add_argument("--number", type=int, default=60, metavar="N", help="changes of each")
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    parser.add_argument("--workers", type=int, default=2, metavar="N", help="processes at a time")
    parser.add_argument(
        "--limit", type=float, default=20, metavar="S", help="seconds of processor time for each"
    )
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="of files that end badly")
    parser.add_argument("--folder", metavar="FOLDER", help="to work in (default: TMPDIR)")
    parser.add_argument(
        "--materials",
        type=Path,
        metavar="FOLDER",
        help="of the good files; made if it is not there",
    )
    parser.add_argument(
        "--page",
        type=Path,
        metavar="FILE",
        help="page whose table of outcomes is replaced; rows of kinds that were not tried stay",
    )
    parser.add_argument("--verbose", action="store_true", help="print the good ends, too")
    return parser.parse_args(arguments)


def _import_all() -> None:
    """Import all of skyquilt once, so that no process has to."""
    import skyquilt

    for module in pkgutil.walk_packages(skyquilt.__path__, "skyquilt."):
        if not module.name.startswith("skyquilt.native."):
            importlib.import_module(module.name)
    from skyquilt.io import digest

    digest.SMALL_BYTES, digest.TICK_S = 0, 0.0  # digests of small files are noted, too
    gc.freeze()  # the processes share what is there


def build_materials(folder: Path) -> Path:
    """Folder with a good file of every kind, made in a process of its own."""
    materials = folder / "materials"
    made = folder / "made"
    made.mkdir()

    def make() -> bool:
        make_materials(Path("."))
        shutil.copytree(".", materials, copy_function=os.link, ignore=_LOCKS)
        return True

    (ended,) = run_jobs([("materials", made, make)], 1, 600)
    if not ended.result:
        raise RuntimeError("the good files cannot be made")
    return materials


def try_kind(
    kind: Kind, materials: Path, folder: Path, options: argparse.Namespace
) -> Iterator[Tried]:
    """Try changes of one kind of file.

    Raises
    ------
    RuntimeError
        If the good file does not end well.
    """
    rng = np.random.default_rng([options.seed, crc32(kind.name.encode())])
    changes = {str(n): c for n, c in enumerate(kind.changes(materials, options.number, rng))}
    (ended,) = run_jobs([_job("good", kind, None, materials, folder)], 1, 10 * options.limit)
    good = ended.result
    if not isinstance(good, Answer) or good.code not in kind.answers:
        raise RuntimeError(f"{kind.name}: the good file ends with {good or ended}")
    jobs = (_job(n, kind, change, materials, folder) for n, change in changes.items())
    for ended in run_jobs(jobs, options.workers, options.limit):
        change = changes[ended.name]
        if ended.result == "no change" and not ended.signal:
            continue
        outcome, text = _outcome(kind, change, good, ended)
        if outcome in BAD and options.keep:
            _keep(options.keep, kind, ended.name, change, outcome, materials, folder)
        yield Tried(kind, change.name, outcome, text)


def _outcome(kind: Kind, change: Change, good: Answer, ended) -> tuple[Outcome, str]:
    if ended.signal:
        is_late = ended.signal == signal.SIGXCPU
        return (Outcome.HANG, "") if is_late else (Outcome.CRASH, f"signal {ended.signal}")
    if not isinstance(ended.result, Answer):
        return Outcome.CRASH, "no answer"
    return judge(kind, change.is_equal, good, ended.result)


def _job(name: str, kind: Kind, change: Change | None, materials: Path, folder: Path):
    """Job that changes the file in a copy of the materials and asks what comes out."""
    own = Path(tempfile.mkdtemp(prefix="try-", dir=folder))

    def work():
        shutil.copytree(materials, ".", copy_function=os.link, dirs_exist_ok=True)
        for line in kind.before:
            ask(kind._replace(verbs=(line,), number=str))
        if kind.before:
            shutil.rmtree("out")
        if change is not None and not _apply(kind, change, Path(".")):
            return "no change"
        return ask(kind)

    return name, own, work


def _apply(kind: Kind, change: Change, folder: Path) -> bool:
    """Change all files of a kind; False if this cannot be done to such a file."""
    changed = False
    for path in folder.glob(kind.path):
        before = path.read_bytes()
        path.unlink()
        path.write_bytes(before)
        try:
            change.apply(path)
        except Exception:  # say, a dataset of text cannot be negative
            return False
        changed |= path.is_dir() or path.read_bytes() != before
    return changed


def _keep(keep: Path, kind, number, change, outcome, materials: Path, folder: Path) -> None:
    """Keep a file that did not end well, and a line that says what was done to it."""
    target = keep / kind.name.replace("/", "-").replace(" ", "-")
    target.mkdir(parents=True, exist_ok=True)
    source = next(materials.glob(kind.path))
    copy = target / f"{number}-{outcome}{''.join(source.suffixes[-2:])}"
    shutil.rmtree(copy, ignore_errors=True) if copy.is_dir() else copy.unlink(missing_ok=True)
    shutil.copyfile(source, copy)
    change.apply(copy)
    with (target / "changes.txt").open("a") as file:
        file.write(f"{copy.name}\t{change.name}\n")


def _head() -> str:
    heads = [f"{outcome:>9}" for outcome in Outcome]
    line = f"|{'-' * (_WIDTH + 2)}|{'-' * 7}:|" + f"{'-' * 10}:|" * len(heads)
    return f"| {'kind':{_WIDTH}} | {'inputs':>6} | " + " | ".join(heads) + f" |\n{line}"


def _numbers(tried: list[Tried]) -> dict[str, list[int]]:
    """Of each kind how many inputs were tried, and how many had each outcome."""
    numbers: dict[str, list[int]] = {}
    for one in tried:
        row = numbers.setdefault(one.kind.name, [0] * (1 + len(Outcome)))
        row[0] += 1
        row[1 + list(Outcome).index(one.outcome)] += 1
    return numbers


def read_rows(page: str) -> dict[str, list[int]]:
    """The same, of the table on a page."""
    found = re.findall(r"^\| (.*?) +\|((?: +(?:\d+|·) \|)+)$", page, re.MULTILINE)
    cells = {name: row.replace("·", "0").split("|")[:-1] for name, row in found}
    return {name: list(map(int, row)) for name, row in cells.items()}


def _row(name: str, numbers: list[int]) -> str:
    cells = [f"{number or '·'}" for number in numbers[1:]]
    return f"| {name:{_WIDTH}} | {numbers[0]:6} | " + " | ".join(f"{c:>9}" for c in cells) + " |"


def table(rows: Mapping[str, list[int]], ending: str) -> str:
    """Table of kinds and outcomes, in Markdown."""
    total = [sum(column) for column in zip(*rows.values(), strict=True)]
    lines = [
        _head(),
        *(_row(name, numbers) for name, numbers in rows.items()),
        _row(f"all {len(rows)} kinds", total),
        "",
        *(f"- {outcome}: {text}" for outcome, text in ABOUT.items()),
        "",
        ending,
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
