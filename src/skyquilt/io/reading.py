"""What goes wrong while a file is read becomes one message that names the file.

Libraries meet damage with errors of every kind: astropy alone with a dozen. A list of them is never
whole, so whatever is raised while one file is read is told as an error of that file, with its kind;
`--debug` shows where it was raised. Steps that read no file have no such net.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from skyquilt.errors import InputError, SkyquiltError


@contextmanager
def reading(
    path: str | Path,
    what: str,
    advice: str = "copy or download it again, or mend it",
    error: type[SkyquiltError] = InputError,
) -> Iterator[None]:
    """Let a block read one file; `what` it should be is named, as "a response".

    Raises
    ------
    SkyquiltError
        Of the class `error`, for anything that goes wrong; errors of skyquilt's own pass.
    """
    if is_endless(path):
        raise error(f"{path}: {ENDLESS}.")
    try:
        yield
    except SkyquiltError:
        raise
    except FileNotFoundError as missing:
        raise error(f"{path}: no such file.") from missing
    except Exception as damage:
        raise error(f"{path}: cannot be read as {what}: {describe(damage)}; {advice}.") from damage


ENDLESS = "a pipe or a device, where a file is needed: copy what it gives into one"


def is_endless(path: str | Path) -> bool:
    """Whether there is something that may be waited for, or read, for ever."""
    # of `os.path`, which says no where `Path` of Python 3.11 raises, as for names that are too long
    return os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path)


def describe(error: BaseException) -> str:
    """First line and kind of an error of a library."""
    if isinstance(error, MemoryError):
        return "it asks for more memory than there is"
    text = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
    text = text[:300].rstrip(".")
    kind = type(error).__name__
    return f"{text} ({kind})" if text else kind
