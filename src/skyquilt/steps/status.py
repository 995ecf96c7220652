"""Step `status`: how far the analyses of a tree of results are."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from skyquilt.config import load_config
from skyquilt.errors import ConfigError, ProductError
from skyquilt.runs.answers import Digests
from skyquilt.runs.freshness import Stale, describe_stale, find_stale, recorded_data
from skyquilt.runs.guard import is_claimed
from skyquilt.runs.jobs import list_jobs
from skyquilt.runs.status import AnalysisStatus, ChunkState, chunks_per_second, read_status
from skyquilt.runs.tree import open_tree

_HEADINGS = ("analysis", "next", "chunks", *ChunkState)


def describe_status(results: str | Path, workdir: str | Path) -> str:
    """Table of the analyses, failed chunks, and a line with rate and time left."""
    at_work = is_claimed(results)
    jobs = list_jobs(workdir)
    statuses = [read_status(folder, jobs, at_work) for folder in open_tree(results)]
    rows = [_HEADINGS, *map(_row, statuses)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    lines += [f"stale: {line}" for line in describe_stale(_find_stale(results))]
    lines += [f"failed: {status.name} {text}" for status in statuses for text in status.failed]
    lines.append(_totals(statuses))
    driver = "a run is at work" if at_work else "no run is at work here"
    lines.append(f"{driver}; jobs in SLURM's queue: {len(jobs)}")
    return "\n".join(lines)


def _find_stale(results: str | Path) -> Iterator[Stale]:
    """Products that do not answer the configurations beside them."""
    for folder in open_tree(results):
        with suppress(ConfigError, ProductError):  # `verify` names what cannot be read
            config = load_config(folder.path / "config.yaml")
            here = config.model_copy(update={"results": str(folder.path.parent)})
            memo = config.cache if Path(config.cache).is_dir() else None
            if folder.path.name in config.analyses:
                digests = Digests(memo, recorded_data(folder.path))
                yield from find_stale(here, folder.path.name, digests)


def _row(status: AnalysisStatus) -> tuple[str, ...]:
    counts = [str(status.chunks[state]) if status.chunks else "-" for state in ChunkState]
    n_all = str(sum(status.chunks.values())) if status.chunks else "?"
    return (status.name, status.stage, n_all, *counts)


def _totals(statuses: list[AnalysisStatus]) -> str:
    n_all = sum(sum(status.chunks.values()) for status in statuses)
    n_done = sum(len(status.finished_s) for status in statuses)
    rate = chunks_per_second([stamp for status in statuses for stamp in status.finished_s])
    line = f"{n_done}/{n_all} chunks done"
    unplanned = sum(not status.chunks for status in statuses)
    if rate and n_done < n_all:
        line += f", {60 * rate:.3g} chunks/min, {_duration((n_all - n_done) / rate)} left"
    return line + (f", analyses not planned yet: {unplanned}" if unplanned else "")


def _duration(seconds: float) -> str:
    """Time in its largest sensible unit.

    Examples
    --------
    >>> _duration(90), _duration(5400), _duration(200000)
    ('90 s', '90 min', '56 h')
    """
    if seconds < 300:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 3 * 3600 else f"{seconds / 3600:.0f} h"
