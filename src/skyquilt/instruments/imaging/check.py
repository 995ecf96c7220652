"""All files of an analysis of an imaging telescope, read and checked without running it."""

import numpy as np

from skyquilt.config.instrument_analysis import (
    Dl3Analysis,
    ImagingAnalysis,
    ImagingFileAnalysis,
)
from skyquilt.instruments.backgrounds import describe_components
from skyquilt.instruments.totals import check_problem_totals
from skyquilt.problem import FitProblem
from skyquilt.spectra.energies import format_range

_ANYWHERE = np.array([[0.6, 0.0, 0.8]])


def check_problem(
    analysis: ImagingAnalysis | ImagingFileAnalysis | Dl3Analysis, problem: FitProblem
) -> str:
    """One line: what was found.

    Raises
    ------
    InputError
        If counts and background do not belong together.
    """
    check_problem_totals(analysis, problem)
    each = {one.name: float(one.totals.sum()) for one in problem.backgrounds}
    problem.expectation.block(_ANYWHERE)  # which makes the tables that a fit makes
    energies = format_range(*problem.description.energy_range_keV)
    return (
        f"good; {problem.counts.sum():g} photons over {problem.background_total:g} expected "
        f"background{describe_components(each)} in {energies}, frame {problem.frame}"
    )
