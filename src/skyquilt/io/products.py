"""Write files so that a final name means a whole file (the only module that creates files)."""

import errno
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from skyquilt.errors import OutputError
from skyquilt.io.locks import EXCLUSIVE, is_held, lock, open_lock, owner_text, warn_once

_ADVICE = {
    errno.ENOSPC: "free some space, then run again",
    errno.EDQUOT: "free some space, then run again",
    errno.EFBIG: "the file system does not take files of this size: choose another output folder",
    errno.EROFS: "choose a folder that can be written",
}
_CHOOSE = _ADVICE[errno.EROFS]
_OWNER = ".owner"  # in a hidden folder, locked by the process that writes there
_NEW, _NEW_S = "-new", 60.0  # end of its name until that file is there: for far less than this [s]
_HIDDEN = re.compile(rf"\.(?P<name>.+)\.[a-z0-9_]{{8}}(?P<new>{_NEW})?")


@contextmanager
def new_product(path: str | Path) -> Iterator[Path]:
    """Yield a hidden name beside `path`; rename it to `path` when the block ends well.

    The content is synced to disk before the renaming, so that a file with its final name is
    whole even after a power failure. When the block raises, nothing is left behind and an
    earlier file of the same name is untouched.

    Parameters
    ----------
    path : str or Path
        Final name. Missing folders are made.

    Yields
    ------
    Path
        Name to write to; it has the same suffixes as `path` and does not exist yet.

    Raises
    ------
    OutputError
        If the folder or the file cannot be written; the message says what to do.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with new_product(folder / "answer.txt") as partial:
    ...     _ = partial.write_text("42")
    >>> [file.name for file in folder.iterdir()]
    ['answer.txt']
    """
    path = Path(path)
    with ExitStack() as stack:
        with _folder_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
            folder = stack.enter_context(_hidden_folder(path))
        stack.enter_context(_output_errors(path))
        partial = folder / path.name
        yield partial
        _sync(partial)
        os.replace(partial, path)
        _sync(path.parent)


@contextmanager
def _hidden_folder(path: Path) -> Iterator[Path]:
    """Hidden folder beside a file to be; a locked file in it says whose it is.

    It gets its name when that file is there, so that one without is of a killed process.
    """
    new = tempfile.mkdtemp(prefix=f".{path.name}.", suffix=_NEW, dir=path.parent)
    folder = Path(new.removesuffix(_NEW))
    try:
        with open_lock(Path(new, _OWNER)) as owner:
            lock(owner, EXCLUSIVE, wait=False)
            owner.write(owner_text())
            owner.flush()
            os.rename(new, folder)
            yield folder
    finally:
        for made in (new, folder):
            shutil.rmtree(made, ignore_errors=True)


def find_leftovers(root: str | Path) -> Iterator[Path]:
    """Hidden folders in which a product was being written, at any depth.

    Those of processes that still run are no leftovers, nor are those closed to this user.
    """
    for folder, names, _ in os.walk(root):
        for name in list(names):
            match = _HIDDEN.fullmatch(name)
            if match and _is_leftover(Path(folder, name), match):
                names.remove(name)
                yield Path(folder, name)


def _is_leftover(folder: Path, match: re.Match) -> bool:
    try:
        if not set(os.listdir(folder)) <= {match["name"], _OWNER}:
            return False
        if match["new"]:
            return time.time() - folder.stat().st_mtime > _NEW_S
    except OSError:
        return False
    return not is_held(folder / _OWNER)


def write_text(path: str | Path, text: str) -> None:
    """Write `text` to `path`, whole or not at all (UTF-8)."""
    with new_product(path) as partial:
        partial.write_text(text, encoding="utf-8")


@contextmanager
def locked(path: str | Path) -> Iterator[None]:
    """Let one process at a time into the block; the lock is a file beside `path`.

    Where there are no locks, and where the lock is of someone who closed it to others, all may
    enter: what is written appears whole under its name, so this costs time only.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    """
    path = Path(path).with_suffix(".lock")
    with ExitStack() as stack:
        with _folder_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                lock(stack.enter_context(open_lock(path)), EXCLUSIVE)
            except PermissionError as error:
                if not (path.exists() and os.access(path.parent, os.W_OK)):
                    raise
                warn_once(f"{path}: cannot be locked ({error.strerror}); work goes on without")
        yield


@contextmanager
def _folder_errors(path: Path) -> Iterator[None]:
    """Turn what the system says of a folder that cannot be written into an `OutputError`."""
    try:
        yield
    except FileExistsError as error:
        raise OutputError(f"{path}: {path.parent} is a file; {_CHOOSE}.") from error
    except OSError as error:
        advice = _ADVICE.get(error.errno or 0, _CHOOSE)
        raise OutputError(f"{path}: {error.strerror}; {advice}.") from error


@contextmanager
def _output_errors(path: Path) -> Iterator[None]:
    """Turn what the system says of a full or closed file system into an `OutputError`."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        number = _known_errno(error)
        if number is None:
            raise
        raise OutputError(f"{path}: {os.strerror(number)}; {_ADVICE[number]}.") from error


def _known_errno(error: OSError | RuntimeError) -> int | None:
    """Error number, if there is advice for it.

    HDF5 has it in its text only, and raises a RuntimeError when the file is closed; NumPy, which
    writes FITS data, says "100 requested and 20 written".
    """
    if isinstance(error, OSError) and error.errno in _ADVICE:
        return error.errno
    if re.search(r"\d requested and \d+ written", str(error)):
        return errno.ENOSPC
    return next((number for number in _ADVICE if f"errno = {number}," in str(error)), None)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
