"""All files of an analysis of a Compton telescope, read and checked without running it."""

from skyquilt.config.analysis import Analysis
from skyquilt.instruments.channels import select_channels
from skyquilt.instruments.compton.dataspace import check_same_space
from skyquilt.instruments.compton.measurement import Measurement, read_measurement
from skyquilt.instruments.compton.prepare import make_attitude
from skyquilt.instruments.compton.response import open_response
from skyquilt.instruments.compton.selection import select_bins
from skyquilt.instruments.totals import check_totals
from skyquilt.spectra import integrate


def check_analysis(analysis: Analysis) -> str:
    """One line: what was found.

    Raises
    ------
    InputError
        If a file is damaged, or files do not fit each other.
    """
    measurement = read_measurement(analysis)
    make_attitude(analysis, measurement)
    selection = select_bins(analysis, measurement, _check_response(analysis, measurement))
    kept = ~selection.is_masked
    check_totals(
        analysis, float(selection.counts[kept].sum()), float(selection.background[kept].sum())
    )
    return (
        f"good; {selection.counts.sum():g} counts over {selection.background.sum():g} expected "
        f"background in channels [{selection.channels[0]}, {selection.channels[1]}), background "
        f"scale {measurement.scale.factor:.6g} ({measurement.scale.source})"
    )


def _check_response(analysis: Analysis, measurement: Measurement) -> tuple[int, int]:
    """Check axes and spectrum; the selected channels."""
    path = analysis.data.response
    with open_response(path) as response:
        check_same_space(measurement.space, measurement.path, response.space, path)
        integrate(analysis.spectrum, response.ei_edges)
        return select_channels(response.space.em_edges, analysis.energy, path)
