"""Short ways to what an instrument is asked."""

from collections.abc import Mapping
from typing import Any

from skyquilt.config import parse_config
from skyquilt.config.analysis import Analysis
from skyquilt.config.instrument_analysis import AnyAnalysis


def ask_one(analysis: Analysis | Mapping[str, Any]) -> AnyAnalysis:
    """What the instrument of an analysis is asked that has one data set and one spectrum.

    Parameters
    ----------
    analysis : Analysis or mapping
        The analysis, or its settings.

    Raises
    ------
    ConfigError
        If settings are wrong.
    ValueError
        If it has several data sets or spectra.
    """
    if not isinstance(analysis, Analysis):
        analysis = parse_config({"analyses": {"a": dict(analysis)}}).analyses["a"]
    [dataset] = analysis.all_datasets().values()
    [spectrum] = analysis.all_spectra().values()
    return analysis.ask(dataset, spectrum)


def ask_datasets(analysis: Analysis) -> dict[str, AnyAnalysis]:
    """What is asked of each data set of an analysis with one spectrum, by their names.

    Raises
    ------
    ValueError
        If it has several spectra.
    """
    [spectrum] = analysis.all_spectra().values()
    return {name: analysis.ask(one, spectrum) for name, one in analysis.all_datasets().items()}
