"""All files of an analysis of an imaging telescope, read and checked without running it."""

from skyquilt.config.analysis import Analysis
from skyquilt.instruments.imaging.prepare import make_problem


def check_analysis(analysis: Analysis) -> str:
    """One line: what was found."""
    problem = make_problem(analysis)
    return f"good; {problem.counts.sum():g} counts"
