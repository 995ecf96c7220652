"""All files of an analysis of a Compton telescope, read and checked without running it."""

import os
from functools import lru_cache

import numpy as np

from skyquilt.config.instrument_analysis import ComptonAnalysis
from skyquilt.instruments.backgrounds import describe_components
from skyquilt.instruments.bands import group_channels
from skyquilt.instruments.channels import select_channels
from skyquilt.instruments.compton.dataspace import check_same_space
from skyquilt.instruments.compton.measurement import Measurement, read_measurement
from skyquilt.instruments.compton.prepare import check_exposed, check_ring, make_attitude
from skyquilt.instruments.compton.response import open_response
from skyquilt.instruments.compton.response_time import check_response_time
from skyquilt.instruments.compton.selection import select_bins
from skyquilt.instruments.compton.table import check_range
from skyquilt.instruments.totals import check_totals
from skyquilt.instruments.true_energy import check_covered
from skyquilt.spectra import integrate


def check_analysis(analysis: ComptonAnalysis) -> str:
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
    each = {name: float(values[kept].sum()) for name, values in selection.backgrounds.items()}
    check_totals(
        analysis,
        float(selection.counts[kept].sum()),
        float(selection.background[kept].sum()),
        components=each,
    )
    _check_bands(analysis, measurement, selection.channels)
    scales = ", ".join(
        f"background {name + ' ' if name else ''}scale {scale.factor:.6g} ({scale.source})"
        for name, scale in measurement.scales.items()
    )
    return (
        f"good; {selection.counts.sum():g} counts over {selection.background.sum():g} expected "
        f"background{describe_components(each)} in channels [{selection.channels[0]}, "
        f"{selection.channels[1]}), {scales}"
    )


def _check_bands(
    analysis: ComptonAnalysis, measurement: Measurement, channels: tuple[int, int]
) -> None:
    """Refuse bands that are none of the selected channels, as a fit would."""
    edges = measurement.space.em_edges[channels[0] : channels[1] + 1]
    group_channels(edges, analysis.energy, measurement.path)


def _check_response(analysis: ComptonAnalysis, measurement: Measurement) -> tuple[int, int]:
    """Check axes, time, contents and spectrum; the selected channels."""
    path = analysis.data.response
    with open_response(path) as response:
        check_same_space(measurement.space, measurement.path, response.space, path)
        check_ring(response.ordering, analysis)
        check_response_time(analysis, measurement, response.span)
        flux = integrate(analysis.spectrum, response.ei_edges)
        em_edges = response.space.em_edges
        channels = select_channels(em_edges, analysis.energy, path)
        check_covered(path, response.ei_edges, em_edges[channels[0] : channels[1] + 1])
    largest = np.array(_read_contents(path, _identity(path), channels))
    with np.errstate(over="ignore"):
        check_exposed(flux * largest, path)
        check_range(flux * largest, path)
    return channels


def _identity(path: str) -> tuple[int, ...]:
    """What differs between two files of one name."""
    found = os.stat(path)
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


@lru_cache(maxsize=8)
def _read_contents(
    path: str, _identity: tuple[int, ...], channels: tuple[int, int]
) -> tuple[float, ...]:
    """Largest value at each true energy; all values are read, once for all spectra.

    Raises
    ------
    InputError
        If a value is damaged, negative or not finite.
    """
    with open_response(path) as response:
        largest = np.zeros(response.ei_edges.size - 1)
        for _, block in response.blocks(slice(*channels)):
            np.maximum(largest, block.max(axis=(0, 2, 3, 4)), out=largest)
    return tuple(largest.tolist())
