"""What any instrument is asked: its files checked, or made into a fit problem."""

from typing import NamedTuple

from skyquilt.config.instrument_analysis import AnyAnalysis, ComptonAnalysis
from skyquilt.config.shape import Point, Shape
from skyquilt.instruments.totals import check_problem_totals
from skyquilt.problem import FitProblem


class Prepared(NamedTuple):
    """A fit problem, and the stages before it.

    Attributes
    ----------
    problem : FitProblem
        The problem; its rows may be read as they are written.
    stages : tuple of dict
        Records of the stages that made what it was built from.
    """

    problem: FitProblem
    stages: tuple[dict, ...] = ()


class Checked(NamedTuple):
    """What was found in the files of an analysis.

    Attributes
    ----------
    found : str
        It, in one line.
    problem : FitProblem or None
        Their fit problem, where reading them makes it: of imaging instruments.
    """

    found: str
    problem: FitProblem | None = None


def prepare(
    analysis: AnyAnalysis, cache: str, *, all_bins: bool = False, true_energy: bool = False
) -> Prepared:
    """Read the data of an analysis into a fit problem.

    Parameters
    ----------
    analysis : AnyAnalysis
        The analysis.
    cache : str
        Folder of what analyses share.
    all_bins : bool
        Keep the bins without counts as well: a model from which skies can be simulated.
    true_energy : bool
        Keep what there is per node of true energy: a problem whose spectra may vary.

    Raises
    ------
    InputError
        If a file is damaged, files do not fit each other, or nothing is left to fit.
    """
    how = {"all_bins": all_bins, "true_energy": true_energy}
    if isinstance(analysis, ComptonAnalysis):
        prepared = _prepare_compton(analysis, cache, **how)
    else:
        from skyquilt.instruments.imaging.prepare import make_problem

        prepared = Prepared(make_problem(analysis, **how))
    problem = prepared.problem
    check_problem_totals(analysis, problem)
    return prepared._replace(problem=_of_shape(problem, analysis.shape))


def check(analysis: AnyAnalysis) -> Checked:
    """Read and check all files of an analysis.

    Raises
    ------
    InputError
        If the analysis cannot run.
    """
    if isinstance(analysis, ComptonAnalysis):
        from skyquilt.instruments.compton.check import check_analysis

        if not isinstance(analysis.shape, Point):
            from skyquilt.instruments.extended import check_shape

            check_shape(analysis.shape)
        return Checked(check_analysis(analysis))
    from skyquilt.instruments.imaging.check import check_problem
    from skyquilt.instruments.imaging.prepare import make_problem

    problem = _of_shape(make_problem(analysis), analysis.shape)
    return Checked(check_problem(analysis, problem), problem)


def _of_shape(problem: FitProblem, shape: Shape) -> FitProblem:
    if isinstance(shape, Point):
        return problem
    from skyquilt.instruments.extended import extend

    return extend(problem, shape)


def _prepare_compton(
    analysis: ComptonAnalysis, cache: str, all_bins: bool, true_energy: bool
) -> Prepared:
    from skyquilt.instruments.compton.measurement import read_measurement
    from skyquilt.instruments.compton.prepare import make_problem
    from skyquilt.instruments.compton.response import open_response
    from skyquilt.instruments.compton.response_time import check_response_time
    from skyquilt.instruments.compton.table import check_table, contract, table_stages

    measurement = read_measurement(analysis, cache)
    with open_response(analysis.data.response) as response:
        check_response_time(analysis, measurement, response.span)
    table = contract(analysis, cache)
    check_table(table)
    problem = make_problem(analysis, measurement, table, all_bins=all_bins, true_energy=true_energy)
    return Prepared(problem, tuple(table_stages(table)))
