"""All files of an analysis of an imaging telescope, read and checked without running it."""

import numpy as np

from skyquilt.config.instrument_analysis import ImagingAnalysis, ImagingFileAnalysis
from skyquilt.instruments.imaging.prepare import make_problem
from skyquilt.instruments.totals import check_totals
from skyquilt.spectra.energies import format_range

_ANYWHERE = np.array([[0.6, 0.0, 0.8]])


def check_analysis(analysis: ImagingAnalysis | ImagingFileAnalysis) -> str:
    """One line: what was found.

    Raises
    ------
    InputError
        If a file is damaged, or files do not fit each other.
    """
    problem = make_problem(analysis)
    counts = float(problem.counts.sum())
    check_totals(analysis, counts, problem.background_total, problem.counts_spectra.values())
    problem.expectation.block(_ANYWHERE)  # which makes the tables that a fit makes
    energies = format_range(*problem.description.energy_range_keV)
    return (
        f"good; {counts:g} photons over {problem.background_total:g} expected "
        f"background in {energies}, frame {problem.frame}"
    )
