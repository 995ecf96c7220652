"""One driver at a time works on a tree of results.

Snakemake's own lock lies in the working directory and stays behind when the driver is killed. This
one lies in the results and is held by a live process: the system lets go of it at the process's
end, whatever the end was.
"""

import atexit
import shutil
import time
from contextlib import ExitStack
from pathlib import Path
from typing import NoReturn, TextIO

from skyquilt.errors import OutputError, RunError
from skyquilt.io.locks import EXCLUSIVE, is_held, lock, open_lock, owner_text
from skyquilt.io.products import find_leftovers
from skyquilt.runs.jobs import Job

LOCK = ".driver"
"""File that is locked by the process that has claimed the results."""
MARK = ".driver-here"
"""File that is there as long as a process has claimed results on a file system without locks."""
_TRIES, _PAUSE_S = 10, 0.05
_NAMED = 5  # jobs named in a message


class Claim:
    """A tree of results that this process has claimed, until it ends or closes this."""

    def __init__(self, file: TextIO, mark: Path | None = None):
        self._file, self._mark = file, mark
        if mark is not None:
            atexit.register(self.close)

    def __enter__(self) -> "Claim":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let others claim the results."""
        if self._mark is not None:
            self._mark.unlink(missing_ok=True)
            self._mark = None
        if not self._file.closed and self._file.writable():
            self._file.truncate(0)  # this process may live on
        self._file.close()


def claim(results: str | Path) -> Claim:
    """Claim a tree of results for this process, until it ends or closes what is returned.

    Where the file system has no locks, a file tells of the claim, which a killed process leaves.

    Parameters
    ----------
    results : str or Path
        Folder of results; of one analysis in them, the whole tree is claimed.

    Raises
    ------
    RunError
        If another process has claimed it.
    OutputError
        If the folder cannot be written.
    """
    path = tree_root(results) / LOCK
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            file = stack.enter_context(open_lock(path))
            is_locked = _lock_for_a_run(file)
            if is_locked is False:
                _refuse(results, file.read())
            mark = path.with_name(MARK) if is_locked is None else None
            if mark is not None:
                _create_mark(results, mark)
            _say_owner(file)
            stack.pop_all()
            return Claim(file, mark)
    except OSError as error:
        raise OutputError(
            f"{results}: {error.strerror}; choose a folder of results that can be written."
        ) from error


def is_claimed(results: str | Path) -> bool:
    """Whether a process that runs now has claimed a tree of results."""
    root = tree_root(results)
    return any((root / name).is_file() and is_held(root / name) for name in (LOCK, MARK))


def tree_root(results: str | Path) -> Path:
    """Folder of all results that a folder of results is part of."""
    path = Path(results)
    is_analysis = (path / "config.yaml").is_file()
    return path.resolve().parent if is_analysis else path


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


def _lock_for_a_run(file: TextIO) -> bool | None:
    """Lock a file; who only looks whether it is locked holds it for a moment."""
    for _ in range(_TRIES):
        is_locked = lock(file, EXCLUSIVE, wait=False)
        if is_locked is not False:
            return is_locked
        time.sleep(_PAUSE_S)
    return False


def _create_mark(results: str | Path, mark: Path) -> None:
    """Create the file that tells of a claim where there are no locks."""
    if mark.is_file() and not is_held(mark):  # its process was killed
        mark.unlink(missing_ok=True)
    try:
        with mark.open("x", encoding="utf-8") as file:
            file.write(owner_text() + "\n")
    except FileExistsError:
        hint = f" If it was killed on another machine, remove {mark} first."
        _refuse(results, mark.read_text(encoding="utf-8", errors="replace"), hint)


def _say_owner(file: TextIO) -> None:
    if file.writable():
        file.seek(0)
        file.truncate()
        file.write(owner_text() + "\n")
        file.flush()


def _refuse(results: str | Path, owner: str, hint: str = "") -> NoReturn:
    owner = " ".join(owner.split()).partition(" (started")[0] or "an unknown process"
    raise RunError(
        f"{results}: another run works on these results: {owner}. Wait for its end (`skyquilt "
        f"status` shows it), or end it, then start again.{hint}"
    )
