"""The waist: a fit problem, its file, and the expectations it may hold."""

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
