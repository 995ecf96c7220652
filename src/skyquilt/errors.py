"""What can go wrong, one class per cause.

Each message says what was wrong, the value, what is allowed, where (file, analysis, pixel) and
what to do. The command line prints it as one line and exits with `exit_code`.
"""

from collections.abc import Iterable
from difflib import get_close_matches


class SkyquiltError(Exception):
    """Base of all errors that skyquilt raises on purpose.

    Attributes
    ----------
    exit_code : int
        Exit code of the command line: 2 for what the user can mend in configuration or
        inputs, 1 for a run that failed.
    """

    exit_code = 2


class ConfigError(SkyquiltError):
    """The configuration, or an argument of a verb, is not usable."""


class InputError(SkyquiltError):
    """A file of an instrument is damaged, incomplete, or does not fit the others."""


class ProductError(SkyquiltError):
    """A file of skyquilt's own is damaged, incomplete, or answers another question."""


class OutputError(SkyquiltError):
    """A result could not be written."""

    exit_code = 1


class RunError(SkyquiltError):
    """The run failed for a reason that is in neither configuration nor files."""

    exit_code = 1


def nearest_to(name: str, known: Iterable[str]) -> str:
    """What to say of a name that is not known: the nearest one, or all there are.

    Examples
    --------
    >>> nearest_to("a.flx", ["a.flux", "a.index"]), nearest_to("b", ["", "fermi"])
    ('the nearest is a.flux', 'there are: fermi')
    """
    names = [one for one in known if one]
    if near := get_close_matches(name, names, 1):
        return f"the nearest is {near[0]}"
    return f"there are: {', '.join(names)}" if names else "there are none with a name"
