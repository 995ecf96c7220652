"""Memory in /dev/shm that killed ranks have left, and that nobody uses any more.

A rank that is killed while MPI starts leaves a file there, which takes memory of the node until
somebody removes it.
"""

import logging
import os
import pwd
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

logger = logging.getLogger(__name__)

FOLDER = Path("/dev/shm")
PATTERNS = ("mpich_*", "vader_segment.*", "sm_segment.*")
"""Names that MPICH and Open MPI give."""

_NEW_S = 60.0  # in its first minute the ranks of a job may still be about to open it


def remove_dead_segments(folder: Path = FOLDER) -> None:
    """Remove what killed ranks of this user have left, and log what those of others have.

    Parameters
    ----------
    folder : Path
        Where the system keeps shared memory.
    """
    old = list(_old_files(folder))
    if not old:
        return
    used = set(mapped_files())
    dead = [path for path, owner in old if owner == os.geteuid() and str(path) not in used]
    for path in dead:
        with suppress(OSError):
            path.unlink()
    if dead:
        logger.info("%s: removed %d files of ranks that were killed", folder, len(dead))
    owners = {owner for _, owner in old if owner != os.geteuid()} - owners_of_processes()
    for owner in owners:
        theirs = [path for path, one in old if one == owner]
        logger.warning(
            "%s: %d files of killed ranks of %s, who has no process here: have %s ... removed",
            *(folder, len(theirs), _name(owner), theirs[0].name),
        )


def _old_files(folder: Path) -> Iterator[tuple[Path, int]]:
    """Files of MPI that are not new, and their owners."""
    for pattern in PATTERNS:
        for path in folder.glob(pattern):
            with suppress(OSError):
                stat = path.lstat()
                if time.time() - stat.st_ctime > _NEW_S:
                    yield path, stat.st_uid


def mapped_files() -> Iterator[str]:
    """Files that processes of this user have in their memory."""
    for maps in Path("/proc").glob("[0-9]*/maps"):
        with suppress(OSError):  # of someone else, or gone
            for line in maps.read_text(encoding="utf-8", errors="replace").splitlines():
                if f"{FOLDER}/" in line:
                    yield line.split(maxsplit=5)[-1]


def owners_of_processes() -> set[int]:
    """Numbers of the users whose processes run on this machine."""
    owners = set()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            owners.add(process.stat().st_uid)
    return owners


def _name(owner: int) -> str:
    try:
        return f"user {pwd.getpwuid(owner).pw_name}"
    except KeyError:
        return f"user {owner}"
