"""What any instrument is asked for a model: a data set in cells."""

from skyquilt.config.instrument_analysis import (
    AnyAnalysis,
    ComptonAnalysis,
    Dl3Analysis,
    ImagingAnalysis,
    ImagingFileAnalysis,
)
from skyquilt.config.time_bins import TimeBins
from skyquilt.problem.cells import CellData, Near
from skyquilt.problem.cells.whole import one_cell


def check_cells(analysis: AnyAnalysis, bins: TimeBins | None) -> None:
    """Check that time bins suit the time axes of a data set, without reading its counts.

    Raises
    ------
    InputError
        If they do not; those of photons one by one, or of least counts, show only when read.
    """
    edges = None if bins is None else bins.fixed_edges()
    if isinstance(analysis, ComptonAnalysis) and edges is not None:
        from skyquilt.instruments.compton.histograms import check_time_bins

        for term in analysis.data.counts:
            check_time_bins(term.path, edges)


def prepare_cells(
    analysis: AnyAnalysis,
    name: str,
    bins: TimeBins | None,
    near: Near | None = None,
    cache: str | None = None,
) -> CellData:
    """Read a data set into cells: its time bins, or all of it as one.

    Parameters
    ----------
    analysis : AnyAnalysis
        The data set; of its spectrum only the borders matter.
    name : str
        Name of the data set.
    bins : TimeBins, optional
        Time bins.
    near : Near, optional
        Where sources may be: only what they need of a table is kept.
    cache : str, optional
        Folder that keeps the numbers of large orientation files.

    Raises
    ------
    InputError
        If a file is damaged, files do not fit each other or the time bins, or nothing is left to
        fit.
    """
    match analysis:
        case ComptonAnalysis():
            from skyquilt.instruments.compton.cells import make_cells

            return make_cells(analysis, name, bins, near, cache)
        case ImagingAnalysis() if analysis.data.events is not None and bins is not None:
            from skyquilt.instruments.imaging.event_cells import make_event_cells

            return make_event_cells(analysis, analysis.data.events, name, bins)
        case ImagingAnalysis() | ImagingFileAnalysis() | Dl3Analysis():
            from skyquilt.instruments.imaging.prepare import make_problem

            problem = make_problem(analysis, true_energy=True)
            return one_cell(problem, name, what=f"data set {name}" if name else "the data")
