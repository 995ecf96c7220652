"""Files that may be gzipped, read as what they hold."""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from skyquilt.errors import InputError

_GZIP = b"\x1f\x8b"


@contextmanager
def open_inflated(path: str) -> Iterator[tuple[IO[bytes], bool]]:
    """Content of a file, inflated where it is gzipped.

    Yields
    ------
    file : binary file
        The content, at its beginning.
    is_plain : bool
        Whether it is the file itself, so that it can be mapped.

    Raises
    ------
    InputError
        If the file cannot be read, or is damaged where it is read within the block.
    """
    try:
        with open(path, "rb") as stored:
            is_plain = stored.read(2) != _GZIP
            stored.seek(0)
            if is_plain:
                yield stored, True
            else:
                with gzip.open(stored) as inflated:
                    yield inflated, False
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{path}: damaged or cut short: {error}. Copy the file again.") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}.") from error
