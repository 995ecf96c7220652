"""Copies of large files on a disk of the node, one for all processes there.

Who uses a copy holds a shared lock on a file beside it, and the system lets go of that lock at the
process's end, whatever the end was. So the last user removes the copy, and the next process on the
node those that killed ones have left.
"""

import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from skyquilt.errors import OutputError
from skyquilt.host import host_name
from skyquilt.io.digest import file_digest, stat_key
from skyquilt.io.locks import EXCLUSIVE, SHARED, lock, open_lock
from skyquilt.io.products import new_product

logger = logging.getLogger(__name__)


@contextmanager
def staged(path: str | Path, scratch: str | Path | None) -> Iterator[Path]:
    """Yield the place of a copy of a file on a disk of this node.

    The first process makes the copy, the others wait for it and share it; each compares it with
    the checksum of the file. The last one removes it.

    Parameters
    ----------
    path : str or Path
        File to copy.
    scratch : str, Path or None
        Folder on the node, or the name of the variable that holds it there, as ``TMPDIR``. Without
        one, the file itself is used.

    Yields
    ------
    Path
        The copy; the file itself where the copy does not fit on the disk, is not read back as
        it was written, or cannot be locked, which is logged as a warning.

    Raises
    ------
    OutputError
        If the variable is not set, or the folder is missing, not writable, or belongs to someone
        else.
    """
    path = Path(path)
    if scratch is None or not path.is_file():
        yield path
        return
    folder = _own_folder(scratch)
    _remove_leftovers(folder)
    copy = folder / f"{stat_key(path)}{path.suffix}"
    held = _hold(copy.with_suffix(".lock"))
    if held is None:
        yield path
        return
    try:
        with open_lock(copy.with_suffix(".making")) as making:
            lock(making, EXCLUSIVE)
            is_good = _provide(path, copy)
        yield copy if is_good else path
    finally:
        _remove_if_unused(held, copy.with_suffix(".lock"))
        with suppress(OSError):  # other copies are in use
            folder.rmdir()


def _own_folder(scratch: str | Path) -> Path:
    """Folder of this user's copies, closed to others."""
    base = Path(_value_here(scratch))
    folder = base / f"skyquilt-{os.geteuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        owner = folder.lstat().st_uid
    except OSError as error:
        raise OutputError(
            f"{base}: {error.strerror}; give a scratch folder that every node has, or none."
        ) from error
    if owner != os.geteuid() or folder.is_symlink():
        raise OutputError(f"{folder}: belongs to someone else; give another scratch folder.")
    return folder


def _value_here(scratch: str | Path) -> str | Path:
    """A folder as it is; of the name of a variable, what this node has set it to.

    A name, not `$NAME`: Snakemake would put in what its own machine has set.
    """
    if not str(scratch).isidentifier():
        return scratch
    try:
        return os.environ[str(scratch)]
    except KeyError:
        raise OutputError(
            f"--scratch {scratch}: {host_name()} has no such variable; give the name of one that "
            "holds a folder on every node, as TMPDIR, or that folder's path from /."
        ) from None


def _provide(path: Path, copy: Path) -> bool:
    """Make the copy unless a good one is there; whether there is one then."""
    try:
        digest = file_digest(path, copy.parent)
        if copy.is_file():
            if file_digest(copy) == digest:
                return True
            logger.warning("%s: damaged; it is copied again from %s", copy, path)
        with new_product(copy) as partial:
            shutil.copyfile(path, partial)
        if file_digest(copy) == digest:
            logger.info("%s: copied to %s on %s", path, copy, host_name())
            return True
        reason = f"{copy}: it is not read back as it was written"
    except OutputError as error:
        reason = str(error)
    logger.warning("%s; %s itself is used", reason.rstrip("."), path)
    return False


def _hold(path: Path) -> TextIO | None:
    """Share the lock of a copy with its other users; None where there are no locks."""
    while True:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        with suppress(FileNotFoundError):
            file = open_lock(path)
            if lock(file, SHARED) is None:
                file.close()
                path.unlink(missing_ok=True)
                return None
            if _is_same(file, path):
                return file
            file.close()


def _is_same(file: TextIO, path: Path) -> bool:
    """Whether a locked file still has its name: the last user of a copy removes both."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _remove_leftovers(folder: Path) -> None:
    """Remove copies whose users were all killed."""
    for path in folder.glob("*.lock"):
        with suppress(FileNotFoundError):
            _remove_if_unused(open_lock(path), path)


def _remove_if_unused(file: TextIO, path: Path) -> None:
    """Let go of a copy; remove it, what was half copied, and its lock if nobody uses it."""
    stem = path.stem
    with file:
        if not lock(file, EXCLUSIVE, wait=False) or not _is_same(file, path):
            return
        for partial in path.parent.glob(f".{stem}.*"):
            shutil.rmtree(partial, ignore_errors=True)
        for unused in (*path.parent.glob(f"{stem}.[!l]*"), path):
            unused.unlink()
