"""The waist: a fit problem, its file, and the expectations it may hold.

Names are imported when they are used: a worker needs one expectation, not all.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from skyquilt.problem.event_wise import EventWise
    from skyquilt.problem.expectation import Expectation
    from skyquilt.problem.joint import Joint
    from skyquilt.problem.local import LocalTable
    from skyquilt.problem.point_spread import PointSpread
    from skyquilt.problem.problem import CountsSpectrum, Description, FitProblem
    from skyquilt.problem.sky_table import SkyTable

__all__ = [
    "CountsSpectrum",
    "Description",
    "EventWise",
    "Expectation",
    "FitProblem",
    "Joint",
    "LocalTable",
    "PointSpread",
    "SkyTable",
]

_MODULES = {
    "CountsSpectrum": "problem",
    "Description": "problem",
    "EventWise": "event_wise",
    "Expectation": "expectation",
    "FitProblem": "problem",
    "Joint": "joint",
    "LocalTable": "local",
    "PointSpread": "point_spread",
    "SkyTable": "sky_table",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
