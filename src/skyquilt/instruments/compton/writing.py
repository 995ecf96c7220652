"""Histograms are written with histpy, which reading them does not need."""

import importlib.util

from skyquilt.errors import RunError

_NEEDED = ("histpy", "scoords")


def check_histpy() -> None:
    """Look for what writes histograms, before anything is written.

    Raises
    ------
    RunError
        If it is not installed.
    """
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise RunError(
            f"histograms are written with {' and '.join(missing)}, which this installation has "
            "not: `pip install 'skyquilt[histograms]'`."
        )
