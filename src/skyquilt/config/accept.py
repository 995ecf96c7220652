"""Checks of data that a configuration can overrule by name.

A check that infers from the data that something is wrong may be wrong itself. Its message ends
with the name of the check; with that name in `accept` of the data it is a warning, and the analysis
goes on.
"""

from typing import Literal

from pydantic import AfterValidator


def _check_once(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(names)) < len(names):
        raise ValueError(f"{list(names)}: name each check once")
    return names


each_once = AfterValidator(_check_once)
"""Of the type of a list of names: none may be there twice."""

CommonCheck = Literal["totals", "same_counts"]
"""Checks that the data of all instruments have."""
Dl3Check = Literal["totals", "same_counts", "selection", "clock"]
"""Checks of event lists with responses by angle from the pointing."""
ImagingCheck = Literal[
    "totals", "same_counts", "frame", "point_spread", "selection", "clock", "times"
]
"""Checks of imaging instruments whose data are several files."""


def way_out(name: str, data: str = "data") -> str:
    """End of a message: how the check is overruled.

    Examples
    --------
    >>> way_out("totals")
    'If it is right as it is, `accept: [totals]` under data makes this a warning.'
    """
    return f"If it is right as it is, `accept: [{name}]` under {data} makes this a warning."
