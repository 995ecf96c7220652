"""How the command ends: an exit code, and one line on what went wrong."""

import errno
import io
import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress

from skyquilt.errors import SkyquiltError

logger = logging.getLogger(__name__)

_TO_MEND = {
    errno.EACCES: "ask its owner for permission, or take another one",
    errno.EPERM: "ask its owner for permission, or take another one",
    errno.ENAMETOOLONG: "take a shorter name",
    errno.ELOOP: "its links lead in a circle: mend them",
    errno.ENOENT: "give a file that is there",
    errno.ENOTDIR: "a part of this path is no folder",
    errno.EISDIR: "give a file in it",
}
"""What the system says of files, and what its user can do: exit code 2."""
_TO_TRY_AGAIN = {
    errno.ENOSPC: "free some space, then run again",
    errno.EDQUOT: "free some space, then run again",
    errno.EROFS: "choose a folder that can be written",
    errno.EMFILE: "raise the limit of open files (`ulimit -n`), then run again",
    errno.ENFILE: "close other programs, then run again",
    errno.EIO: "the disk or its network failed: run again, and tell its administrator",
    errno.ESTALE: "the disk's server has lost it: run again",
}
_NO_MEMORY = (
    "not enough memory: take a smaller map (`map.nside`, `map.region`), a lower "
    "`refine.max_order`, or a machine with more"
)


class Interruption:
    """Whether Ctrl-C came: what is raised at that moment may be an error of another kind."""

    def __init__(self) -> None:
        self.came = False

    @contextmanager
    def awaited(self) -> Iterator[None]:
        """Note Ctrl-C in the block, in the main thread of a process that does not ignore it."""
        import signal  # 2 ms, which `--help` does not need

        is_default = signal.getsignal(signal.SIGINT) is signal.default_int_handler
        if not is_default or threading.current_thread() is not threading.main_thread():
            yield
            return
        signal.signal(signal.SIGINT, self._note)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def _note(self, *_: object) -> None:
        self.came = True
        raise KeyboardInterrupt


def end(do: Callable[[], int], name: str, *, imports_libraries: bool = True) -> int:
    """Do what a command does, and turn errors into one line.

    Parameters
    ----------
    do : callable
        Gives the exit code.
    name : str
        What the line begins with, as "skyquilt check".
    imports_libraries : bool
        Whether errors may follow from Ctrl-C within a library.

    Returns
    -------
    int
        0 done, 1 failed, 2 wrong arguments, configuration or input files, 130 interrupted.
    """
    interruption = Interruption()
    try:
        with interruption.awaited() if imports_libraries else nullcontext():
            code = do()
            if sys.stdout is not None:
                sys.stdout.flush()
            return code
    except KeyboardInterrupt:
        return _say(f"{name}: interrupted", 130)
    except BaseException as error:
        if interruption.came:  # libraries turn it into errors of their own, or panic
            return _say(f"{name}: interrupted", 130)
        if not isinstance(error, Exception):
            raise
        text, code = _describe(error)
        if text is None:
            raise
        logger.debug("the error was raised here:", exc_info=error)
        return _say(f"{name}: error: {text}" if text else "", code)


def _describe(error: Exception) -> tuple[str | None, int]:
    """One line and exit code; no line where nobody reads, None for what nobody foresaw."""
    if isinstance(error, SkyquiltError):
        return " ".join(str(error).split()), error.exit_code
    if isinstance(error, MemoryError):
        return f"{_NO_MEMORY}.", 1
    if isinstance(error, BrokenPipeError):  # the reader, as `head`, has gone
        _forget_output()
        return "", 1
    if isinstance(error, UnicodeEncodeError):
        return (
            f"{error.object!r} has letters that this locale ({error.encoding}) cannot write; set "
            "another one, as in `export LC_ALL=C.UTF-8`."
        ), 2
    return _describe_system(error) if isinstance(error, OSError) else (None, 1)


def _describe_system(error: OSError) -> tuple[str | None, int]:
    advice = (_TO_MEND | _TO_TRY_AGAIN).get(error.errno or 0)
    if advice is None:
        return None, 1
    code = 2 if error.errno in _TO_MEND else 1
    if error.filename is not None:
        return f"{error.filename}: {error.strerror}; {advice}.", code
    _forget_output()  # what is printed goes to a file without a name
    return f"standard output: {error.strerror}; {advice}.", 1


def _say(line: str, code: int) -> int:
    with suppress(OSError, ValueError):  # nobody listens
        if line and sys.stderr is not None:
            print(line, file=sys.stderr, flush=True)
    return code


def _forget_output() -> None:
    """Let what is printed and not written yet go nowhere, also at the end of the process."""
    with suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def prepare_streams() -> None:
    """Let letters that the locale does not have be written as their numbers."""
    for stream in (sys.stdout, sys.stderr):
        if not isinstance(stream, io.TextIOWrapper):
            continue
        with suppress(OSError, ValueError):
            stream.reconfigure(errors="backslashreplace")


class LogHandler(logging.StreamHandler):
    """Log on standard error; where nobody can write there, nothing is said of it."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Leave out a line that cannot be written."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handleError(record)
