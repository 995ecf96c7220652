"""From the files of an imaging instrument to a fit problem."""

from skyquilt.config.instrument_analysis import (
    Dl3Analysis,
    ImagingAnalysis,
    ImagingFileAnalysis,
)
from skyquilt.errors import ConfigError
from skyquilt.problem import FitProblem


def make_problem(
    analysis: ImagingAnalysis | ImagingFileAnalysis | Dl3Analysis,
    *,
    all_bins: bool = False,
    true_energy: bool = False,
) -> FitProblem:
    """Build the fit problem of an analysis.

    Parameters
    ----------
    analysis : ImagingAnalysis, ImagingFileAnalysis or Dl3Analysis
        The analysis.
    all_bins : bool
        Keep all bins with background, not only those with counts; of events, what is expected
        where there are none.
    true_energy : bool
        Keep what there is per node of true energy as well, so that spectra may vary.

    Raises
    ------
    InputError
        If a file is damaged, files do not fit each other, or there is nothing to fit.
    ConfigError
        If a frame or a unit is in no header and not in the analysis.
    """
    if isinstance(analysis, ImagingFileAnalysis):
        from skyquilt.instruments.imaging.file import make_file_problem

        return make_file_problem(analysis, all_bins=all_bins, true_energy=true_energy)
    if isinstance(analysis, Dl3Analysis):
        from skyquilt.instruments.imaging.dl3.problem import make_dl3_problem

        return make_dl3_problem(analysis, all_bins=all_bins)
    events, counts = analysis.data.events, analysis.data.counts
    if events is not None:
        from skyquilt.instruments.imaging.event_problem import make_event_problem

        return make_event_problem(analysis, events, all_bins=all_bins, true_energy=true_energy)
    if counts is None:  # the configuration does not allow it
        raise ConfigError("imaging data have neither `events` nor `counts`.")
    from skyquilt.instruments.imaging.cube_problem import make_cube_problem

    return make_cube_problem(analysis, counts, all_bins=all_bins, true_energy=true_energy)
