"""Locks between processes, also where the system has none, and files that say whose they are.

A lock file is opened without following links and never emptied, so that no one can make another
user's program write to a file of that user's own. Some file systems have no locks (Lustre without
`-o flock`, NFS without its lock service): work goes on there, with one warning.
"""

import errno
import fcntl
import logging
import os
import re
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO, cast

from skyquilt.host import host_name

logger = logging.getLogger(__name__)

SHARED, EXCLUSIVE = fcntl.LOCK_SH, fcntl.LOCK_EX

_NO_LOCKS = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP)
_OWNER = re.compile(
    r"process (?P<pid>\d+) on (?P<host>\S+) since \S+ \(started at (?P<start>\d*)\)"
)
warned: list[str] = []  # at most one text: what was told once is not told again


def open_lock(path: str | Path) -> TextIO:
    """Open a lock file, made if it is not there; its content is kept.

    One that somebody else has made and that can only be read is enough to lock it.

    Raises
    ------
    OSError
        If it is a link or no plain file, or can be neither written nor read.
    """
    try:
        return _open(path, "r+", os.O_RDWR | os.O_CREAT)
    except PermissionError:
        return _open(path, "r", os.O_RDONLY)


def lock(file: TextIO, kind: int, *, wait: bool = True) -> bool | None:
    """Lock an open file until it is closed.

    Parameters
    ----------
    file : file
        File of `open_lock`.
    kind : int
        `SHARED` or `EXCLUSIVE`.
    wait : bool
        Whether to wait for others.

    Returns
    -------
    bool or None
        Whether it is locked now; None where the file system has no locks.
    """
    try:
        fcntl.flock(file, kind if wait else kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        # EBADF: over NFS, what was opened to be read cannot be locked for oneself.
        if error.errno not in (*_NO_LOCKS, errno.EBADF):
            raise
        warn_once(f"{file.name}: no locks here ({error.strerror}); work goes on without")
        return None
    return True


def warn_once(text: str) -> None:
    """Log a warning about locks, the first one of this process only."""
    if not warned:
        warned.append(text)
        logger.warning("%s", text)


def is_lack_of_locks(error: OSError) -> bool:
    """Whether HDF5 could not open a file because its file system has no locks."""
    text = str(error)
    return "unable to lock file" in text and any(f"errno = {one}," in text for one in _NO_LOCKS)


def owner_text() -> str:
    """Who this process is, in words that `is_alive` reads."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return f"process {os.getpid()} on {host_name()} since {now} (started at {_start('self')})"


def is_alive(owner: str) -> bool | None:
    """Whether the process of an `owner_text` runs; None if this machine cannot tell."""
    match = _OWNER.match(owner)
    if match is None or not match["start"] or match["host"] != host_name():
        return None
    return _start(match["pid"]) == match["start"]


def is_held(path: Path) -> bool:
    """Whether a process that runs has locked a file with its `owner_text`.

    Where the file system has no locks, or knows those of this machine only, the text tells; of
    another machine it is believed.
    """
    try:
        with _open(path, "r", os.O_RDONLY) as file:
            is_free = lock(file, SHARED, wait=False)
            owner = file.read()
    except FileNotFoundError:
        return False
    except OSError:  # someone else's, closed to us
        return True
    alive = is_alive(owner)
    if is_free is None:
        return bool(owner) and alive is not False
    return not is_free or bool(alive)


def _open(path: str | Path, mode: str, flags: int) -> TextIO:
    """Open a plain file, neither following a link nor waiting for the other end of a pipe."""

    def opener(name: str, _: int) -> int:
        more = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        descriptor = os.open(name, flags | more, 0o666)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise OSError(errno.EINVAL, "no plain file", name)
        return descriptor

    file = open(path, mode, encoding="utf-8", errors="replace", opener=opener)  # noqa: SIM115
    return cast("TextIO", file)


def _start(pid: str) -> str:
    """When a process of this machine began, in the system's ticks; "" if none runs."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    state, *fields = text.rpartition(")")[2].split()
    return "" if state in "ZX" else fields[18]  # one that has ended, but was not waited for
