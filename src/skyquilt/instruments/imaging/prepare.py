"""From the files of an imaging instrument to a fit problem."""

from skyquilt.config.analysis import Analysis
from skyquilt.config.imaging_file import ImagingFile
from skyquilt.problem import FitProblem


def make_problem(analysis: Analysis) -> FitProblem:
    """Build the fit problem of an analysis.

    Raises
    ------
    InputError
        If a file is damaged, files do not fit each other, or there is nothing to fit.
    ConfigError
        If a frame or a unit is in no header and not in the analysis.
    """
    if isinstance(analysis.data, ImagingFile):
        from skyquilt.instruments.imaging.file import make_file_problem

        return make_file_problem(analysis)
    if analysis.data.events is not None:
        from skyquilt.instruments.imaging.event_problem import make_event_problem

        return make_event_problem(analysis)
    from skyquilt.instruments.imaging.cube_problem import make_cube_problem

    return make_cube_problem(analysis)
