"""One driver at a time works on a tree of results.

Snakemake's own lock lies in the working directory and stays behind when the driver is killed. This
one lies in the results and is held by a live process: the system lets go of it at the process's
end, whatever the end was.
"""

import fcntl
import logging
import os
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from skyquilt.errors import OutputError, RunError
from skyquilt.host import host_name
from skyquilt.runs.jobs import Job

logger = logging.getLogger(__name__)

LOCK = ".driver"
_LEFTOVER = re.compile(r"\.(?P<name>.+)\.[a-z0-9_]{8}")  # folder made by io.products.new_product
_NAMED = 5  # jobs named in a message


def claim(results: str | Path) -> TextIO:
    """Claim a tree of results for this process, until it ends or closes what is returned.

    Raises
    ------
    RunError
        If another process has claimed it.
    OutputError
        If the folder cannot be written.
    """
    path = Path(results) / LOCK
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.open("a+", encoding="utf-8")
    except OSError as error:
        raise OutputError(
            f"{results}: {error.strerror}; choose a folder of results that can be written."
        ) from error
    if not _lock(lock):
        lock.seek(0)
        owner = lock.read().strip() or "an unknown process"
        lock.close()
        raise RunError(
            f"{results}: another run works on these results: {owner}. Wait for its end (`skyquilt "
            "status` shows it), or end it, then start again."
        )
    lock.truncate(0)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    lock.write(f"process {os.getpid()} on {host_name()} since {now}\n")
    lock.flush()
    return lock


def is_claimed(results: str | Path) -> bool:
    """Whether a process that runs now has claimed a tree of results."""
    try:
        with (Path(results) / LOCK).open("r", encoding="utf-8") as lock:
            return not _lock(lock, fcntl.LOCK_SH)
    except OSError:
        return False


def check_no_jobs(results: str | Path, jobs: list[Job]) -> None:
    """Refuse to start while jobs of an earlier run still write to the results.

    Raises
    ------
    RunError
        If there are any; it tells how to wait for them or to cancel them.
    """
    if jobs:
        ids = " ".join(job.id for job in jobs)
        named = ", ".join(f"{job.id} ({job.task})" for job in jobs[:_NAMED])
        raise RunError(
            f"{results}: SLURM jobs of an earlier run still work on these results, {len(jobs)} in "
            f"all: {named}{', ...' if len(jobs) > _NAMED else ''}. Wait for their end (`skyquilt "
            f"status` shows them) or cancel them (`scancel {ids}`), then start again; what they "
            "finish is kept."
        )


def remove_leftovers(results: str | Path) -> int:
    """Remove what killed processes left half written; only for the one that has claimed it.

    Returns
    -------
    int
        Number of hidden folders removed.
    """
    leftovers = list(find_leftovers(results))
    for folder in leftovers:
        shutil.rmtree(folder, ignore_errors=True)
    return len(leftovers)


def find_leftovers(results: str | Path) -> Iterator[Path]:
    """Hidden folders in which a product was being written."""
    for folder, names, _ in os.walk(results):
        for name in list(names):
            match = _LEFTOVER.fullmatch(name)
            path = Path(folder, name)
            if match and {item.name for item in path.iterdir()} <= {match["name"]}:
                names.remove(name)
                yield path


def _lock(file: TextIO, kind: int = fcntl.LOCK_EX) -> bool:
    """Lock a file, unless another process has done so.

    Some file systems know no locks. There, only the jobs in SLURM's queue tell of other runs.
    """
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        logger.warning("%s: no locks here (%s): start one run at a time", file.name, error)
    return True
