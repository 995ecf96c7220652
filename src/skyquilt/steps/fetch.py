"""Step `fetch`: the files of an example with real data."""

import logging
from pathlib import Path

from skyquilt.errors import RunError
from skyquilt.fetch.download import HOST, download, is_there
from skyquilt.fetch.table import find_example

logger = logging.getLogger(__name__)


def fetch_example(name: str, folder: str | Path, host: str = HOST) -> None:
    """Download the files of an example that are not there.

    Parameters
    ----------
    name : str
        Example, as "fermi-gc".
    folder : str or Path
        Folder that SKYQUILT_DATA will name.
    host : str, optional
        Server, or a mirror of it.

    Raises
    ------
    ConfigError
        If there is no such example.
    InputError
        If a file is another one than the table says.
    RunError
        If a server cannot be reached, or files are missing that are published nowhere.
    """
    remotes = find_example(name)
    missing = [remote for remote in remotes if not is_there(remote, folder)]
    for remote in remotes:
        if remote not in missing:
            logger.info("%s: is there", Path(folder) / remote.file)
    for remote in missing:
        if remote.repository:
            logger.info(
                "%s: %.1f MB from %s; terms: %s",
                Path(folder) / remote.file,
                remote.size / 1e6,
                remote.source,
                remote.licence,
            )
            download(remote, folder, host)
    if left := [remote for remote in missing if not remote.repository]:
        raise RunError(
            f"{name}: the example is not complete: "
            + "; ".join(f"{Path(folder) / one.file}: {one.not_published}" for one in left)
            + "."
        )
