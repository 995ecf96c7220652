"""From the files of an imaging instrument to a fit problem."""

from skyquilt.config.analysis import Analysis
from skyquilt.errors import ConfigError
from skyquilt.problem import FitProblem


def make_problem(analysis: Analysis) -> FitProblem:
    """Build the fit problem of an analysis."""
    raise ConfigError("imaging instruments are on their way: see the next landing.")
