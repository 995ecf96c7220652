"""The table of the files: `files.yaml`."""

from functools import cache
from importlib.resources import files
from typing import NamedTuple

import yaml

from skyquilt.errors import ConfigError


class Remote(NamedTuple):
    """One file of an example.

    Attributes
    ----------
    file : str
        Its path below the folder that SKYQUILT_DATA names.
    sha256 : str
        Checksum of its content.
    size : int
        Its size [bytes].
    licence : str
        Terms that its source states.
    repository, commit, path : str
        Where it is published; empty for a file that is not.
    not_published : str
        What a file is that is published nowhere; empty for others.
    """

    file: str
    sha256: str
    size: int
    licence: str
    repository: str = ""
    commit: str = ""
    path: str = ""
    not_published: str = ""

    @property
    def source(self) -> str:
        """Where it comes from, for people."""
        return f"{self.repository} at {self.commit[:7]}, {self.path}"


@cache
def read_table() -> dict[str, tuple[Remote, ...]]:
    """Files of each example, by its name."""
    text = files("skyquilt.fetch").joinpath("files.yaml").read_text(encoding="utf-8")
    return {
        name: tuple(Remote(**one) for one in rows) for name, rows in yaml.safe_load(text).items()
    }


def find_example(name: str) -> tuple[Remote, ...]:
    """Files of an example.

    Raises
    ------
    ConfigError
        If there is none of that name.

    Examples
    --------
    >>> [one.file for one in find_example("hawc-crab")][0]
    'hawc/nHit-5.fits.gz'
    """
    table = read_table()
    if name not in table:
        raise ConfigError(f"no example {name!r} with real data; there are {', '.join(table)}.")
    return table[name]
