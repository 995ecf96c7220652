"""What every benchmark needs: costs of processes and functions, and the table of figures."""

import json
import os
import platform
import re
import shlex
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

BIN = Path(sys.executable).parent
LAUNCHER = Path(__file__).parent / "launch.py"
SKYQUILT = str(BIN / "skyquilt")
MPIEXEC = str(BIN / "mpiexec")
HEAVY = ("astropy", "healpy", "matplotlib", "scipy", "numba", "pydantic", "histpy")
"""Libraries that cost more to import than a chunk costs to fit."""


class Cost(NamedTuple):
    """Cost of a process and all processes that it started, or of a function.

    Attributes
    ----------
    wall, cpu : float
        Time from start to end, and user and system time of all threads [s].
    peak_mb : float
        Largest resident memory of any one of the processes [MB]; 0 for a function.
    """

    wall: float
    cpu: float
    peak_mb: float = 0.0


class Figure(NamedTuple):
    """One line of the table.

    Attributes
    ----------
    name : str
        What was measured.
    value : str
        Median, with its unit.
    target : str
        What it should be; "" where there is no target.
    is_met : bool or None
        None where there is no target.
    share : str
        How much of the target is reached or used.
    """

    name: str
    value: str
    target: str = ""
    is_met: bool | None = None
    share: str = ""


def at_least(name: str, value: float, limit: float, text: str = "{:,.3g}") -> Figure:
    """Figure that should be `limit` or more; the share is the part of it that is reached."""
    share = f"{value / limit:.2f} of it"
    return Figure(name, text.format(value), "≥ " + text.format(limit), value >= limit, share)


def below(name: str, value: float, limit: float, text: str) -> Figure:
    """Figure that should be below `limit`; the share is the part of it that is used."""
    share = f"{value / limit:.2f} of it"
    return Figure(name, text.format(value), "< " + text.format(limit), value < limit, share)


def speedup(what: str, one: Sequence[float], two: Sequence[float]) -> list[Figure]:
    """Figures of the wall times of one and two ranks or threads: medians, and the fastest."""
    faster, fastest = statistics.median(one) / statistics.median(two), min(one) / min(two)
    return [
        Figure(f"fit of nside 64, wall, 1 {what}", f"{statistics.median(one):.3f} s"),
        at_least(f"nside 64: times faster with 2 {what}s", faster, 1.85, "{:.2f}"),
        Figure(f"the same of the fastest runs with 1 and 2 {what}s", f"{fastest:.2f}"),
    ]


def run_process(command: Sequence[str | Path | int]) -> Cost:
    """Run a command to its end; its output is shown only when it fails.

    Python may keep its bytecode, so that only the first of several runs compiles it.

    Raises
    ------
    RuntimeError
        If it fails.
    """
    command = [str(part) for part in command]
    done = subprocess.run(
        [sys.executable, "-I", "-S", LAUNCHER, *command],
        env=_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=True,
    )
    output, _, last = done.stdout.rstrip().rpartition("\n")
    code, wall, cpu, peak_kb = json.loads(last)
    if code:
        raise RuntimeError(f"{shlex.join(command)} failed:\n{output}")
    return Cost(wall, cpu, peak_kb * 1024 / 1e6)


def _environment() -> dict[str, str]:
    """Environment with this Python's commands first."""
    kept = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}


def cost_of(function: Callable[[], object]) -> Cost:
    """Cost of one call in this process."""
    wall, cpu = time.perf_counter(), time.process_time()
    function()
    return Cost(time.perf_counter() - wall, time.process_time() - cpu)


def alternate(n: int, *measures: Callable[[], Cost]) -> list[Cost]:
    """Medians of `n` costs each, taken in turns A B A B, so that other load meets all alike."""
    rounds = [[measure() for measure in measures] for _ in range(n)]
    return [median_cost(costs) for costs in zip(*rounds, strict=True)]


def median_cost(costs: Sequence[Cost]) -> Cost:
    """Median of each quantity."""
    return Cost(*map(statistics.median, zip(*costs, strict=True)))


def print_table(figures: Iterable[Figure], page: Path | None = None, name: str = "") -> None:
    """Figures as a Markdown table, line by line as they come; machine and date below.

    With a page, the table also takes the place of the one of that name there.
    """
    lines = ["| figure | value | target | share | |", "|---|---|---|---|---|"]
    print("\n".join(lines), flush=True)
    for figure in figures:
        verdict = {True: "met", False: "**missed**", None: ""}[figure.is_met]
        cells = (figure.name, figure.value, figure.target, figure.share, verdict)
        lines.append(f"| {' | '.join(cells)} |")
        print(lines[-1], flush=True)
    lines += ["", machine_line()]
    print("\n".join(lines[-2:]))
    if page:
        text = replace_table(page.read_text(encoding="utf-8"), name, "\n".join(lines))
        page.write_text(text, encoding="utf-8")


def replace_table(text: str, name: str, table: str) -> str:
    """Text of a page with another table between the comments `name` and `end of name`.

    Raises
    ------
    ValueError
        If the page does not have these comments once.
    """
    parts = re.split(f"(<!-- (?:end of )?{re.escape(name)} -->)", text)
    if len(parts) != 5:
        raise ValueError(f"the page has no place for {name!r}: <!-- {name} --> and its end.")
    before, begin, _, end, after = parts
    return f"{before}{begin}\n\n{table}\n\n{end}{after}"


def machine_line() -> str:
    """Processor, cores, load and date."""
    load = os.getloadavg()[0]
    return (
        f"{_processor()}, {os.cpu_count()} cores, Python {platform.python_version()}; "
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, load {load:.1f}"
    )


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor()
    names = re.findall(r"model name\s*: (.*)", text)
    numbers = re.findall(r"model\s*: (\d+)", text)
    vectors = "AVX-512" if "avx512f" in text else "AVX2" if "avx2" in text else "no AVX2"
    return f"{names[0]} (model {numbers[0]}, {vectors})" if names else platform.machine()
