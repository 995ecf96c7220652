"""Download of one file: goes on where it stopped, is checked, and replaces nothing."""

import errno
import http.client
import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, urlsplit

from skyquilt import __version__
from skyquilt.errors import ConfigError, InputError, OutputError, RunError
from skyquilt.fetch.table import Remote
from skyquilt.io.digest import file_digest
from skyquilt.io.products import locked

HOST = "https://raw.githubusercontent.com"
"""Where the content of public repositories is served, as HOST/REPOSITORY/COMMIT/PATH."""

TIMEOUT_S = 30.0
"""Silence of a server after which it counts as gone."""

_BLOCK = 1 << 16
_PARTIAL = 206  # status of an answer that begins where it was asked to


def is_there(remote: Remote, folder: str | Path) -> bool:
    """Whether a file lies in a folder, whole.

    Raises
    ------
    InputError
        If another one has its name.
    """
    target = Path(folder) / remote.file
    if not target.exists():
        return False
    if not target.is_file() or target.stat().st_size != remote.size or _differs(target, remote):
        raise InputError(
            f"{target}: is there, but not the file of the example (other content); nothing is "
            "replaced: move it away, or give another --folder."
        )
    return True


def download(remote: Remote, folder: str | Path, host: str = HOST) -> None:
    """Download a file into a folder; what is there of it already is not fetched again.

    Parameters
    ----------
    remote : Remote
        The file.
    folder : str or Path
        Folder that SKYQUILT_DATA will name.
    host : str, optional
        Server, or a mirror of it.

    Raises
    ------
    ConfigError
        If the server's address is none.
    InputError
        If the server has another file than the table says.
    OutputError
        If it cannot be written.
    RunError
        If the server cannot be reached, or ends too early; what came is kept.
    """
    if urlsplit(host).scheme not in ("http", "https"):
        raise ConfigError(f"--mirror {host}: give an address that begins with https:// or http://.")
    target = Path(folder) / remote.file
    partial = target.with_name(f"{target.name}.part")
    address = f"{host.rstrip('/')}/{remote.repository}/{remote.commit}/{quote(remote.path)}"
    with locked(target), _writing(partial):
        if is_there(remote, folder):  # another process was faster
            return
        if not partial.exists() or partial.stat().st_size < remote.size:
            _receive(address, partial, remote.size)
        found = partial.stat().st_size
        if found < remote.size:
            raise RunError(
                f"{address}: ended after {found} of {remote.size} bytes; what came is kept: run "
                "the same again to go on."
            )
        if found > remote.size or _differs(partial, remote):
            partial.unlink()
            raise InputError(
                f"{address}: is another file than that of the table (its SHA-256 is not "
                f"{remote.sha256[:16]}...): it was thrown away; try again, or tell skyquilt's "
                "authors."
            )
        _rename(partial, target)
    target.with_suffix(".lock").unlink(missing_ok=True)


def _receive(address: str, partial: Path, size: int) -> None:
    """Append to a file what is missing of it, at most one block more than there should be."""
    begin = partial.stat().st_size if partial.exists() else 0
    headers = {"User-Agent": f"skyquilt/{__version__}"}
    if begin:
        headers["Range"] = f"bytes={begin}-"
    with (
        _asking(address),
        urllib.request.urlopen(
            urllib.request.Request(address, headers=headers), timeout=TIMEOUT_S
        ) as answer,
    ):
        goes_on = answer.status == _PARTIAL
        with open(partial, "ab" if goes_on else "wb") as file:
            n_bytes = begin if goes_on else 0
            while n_bytes <= size and (block := answer.read(_BLOCK)):
                file.write(block)
                n_bytes += len(block)


@contextmanager
def _asking(address: str) -> Iterator[None]:
    """Turn what goes wrong with a server into one line."""
    again = "what came so far is kept: run the same again to go on"
    try:
        yield
    except urllib.error.HTTPError as error:
        error.close()
        raise RunError(
            f"{address}: the server answers {error.code} {error.reason}; {again}, or look whether "
            "the address still exists."
        ) from error
    except urllib.error.URLError as error:
        reason = getattr(error.reason, "strerror", None) or error.reason
        raise RunError(
            f"{urlsplit(address).hostname} cannot be reached ({reason}): is this machine offline? "
            f"{again[0].upper()}{again[1:]}, or get the file elsewhere: {address}"
        ) from error
    except (http.client.HTTPException, TimeoutError, ConnectionError) as error:
        raise RunError(
            f"{address}: the connection broke ({type(error).__name__}); {again}."
        ) from error


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Turn what goes wrong with a folder into one line."""
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"{path}: cannot be written ({error.strerror}): choose another --folder."
        ) from error


def _rename(partial: Path, target: Path) -> None:
    """Give a file its name, unless that is taken: links never replace."""
    try:
        os.link(partial, target)
    except FileExistsError as error:
        raise OutputError(f"{target}: appeared meanwhile; nothing is replaced.") from error
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.EMLINK, errno.ENOSYS):
            raise
        partial.rename(target)  # file systems without links
        return
    partial.unlink()


def _differs(path: Path, remote: Remote) -> bool:
    return file_digest(path) != remote.sha256
