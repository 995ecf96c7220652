"""Write files so that a final name means a whole file (the only module that creates files)."""

import errno
import fcntl
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from skyquilt.errors import OutputError

_ADVICE = {
    errno.ENOSPC: "free some space, then run again",
    errno.EDQUOT: "free some space, then run again",
    errno.EFBIG: "the file system does not take files of this size: choose another output folder",
    errno.EROFS: "choose another output folder",
}
_CHOOSE = "choose a folder that can be written"


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
    with _folder_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        hidden = tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent)
    with hidden as folder, _output_errors(path):
        partial = Path(folder) / path.name
        yield partial
        _sync(partial)
        os.replace(partial, path)
        _sync(path.parent)


def write_text(path: str | Path, text: str) -> None:
    """Write `text` to `path`, whole or not at all (UTF-8)."""
    with new_product(path) as partial:
        partial.write_text(text, encoding="utf-8")


@contextmanager
def locked(path: str | Path) -> Iterator[None]:
    """Let one process at a time into the block; the lock is a file beside `path`.

    Raises
    ------
    OutputError
        If the folder or the file cannot be written.
    """
    path = Path(path).with_suffix(".lock")
    with _folder_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.open("w")
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _folder_errors(path: Path) -> Iterator[None]:
    """Turn what the system says of a folder that cannot be written into an `OutputError`."""
    try:
        yield
    except FileExistsError as error:
        raise OutputError(f"{path}: {path.parent} is a file; {_CHOOSE}.") from error
    except OSError as error:
        raise OutputError(f"{path}: {error.strerror}; {_CHOOSE}.") from error


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
    if getattr(error, "errno", None) in _ADVICE:
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
