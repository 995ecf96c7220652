"""What the steps of populations have in common: the section, and what `check` tells of it."""

from skyquilt.config import Config, get_analysis
from skyquilt.config.analysis import Analysis
from skyquilt.config.populations import PopulationOptions
from skyquilt.errors import ConfigError
from skyquilt.steps.populations.catalogue import read_sources
from skyquilt.steps.populations.template import read_template


def options_of(config: Config, name: str) -> tuple[Analysis, PopulationOptions]:
    """An analysis and its section `populations`.

    Raises
    ------
    ConfigError
        If there is no such section.
    """
    analysis = get_analysis(config, name)
    if analysis.populations is None:
        raise ConfigError(f"analyses.{name}: has no section `populations`: add one.")
    return analysis, analysis.populations


def describe_populations(name: str, analysis: Analysis) -> list[str]:
    """Files of the populations of an analysis, a line for each; none without the section.

    Raises
    ------
    InputError, ConfigError
        If one cannot be read, or does not hold what it should.
    """
    lines = []
    components = {} if analysis.populations is None else analysis.populations.components
    for key, one in components.items():
        if one.catalogue is not None:
            n_point, n_extended = read_sources(one.catalogue).numbers()
            what = f"{n_point} points and {n_extended} extended sources in {one.catalogue.path}"
            lines.append(f"{name}: population {key}: {what}")
        if one.template is not None:
            nside = read_template(one.template).grid.nside
            lines.append(f"{name}: population {key}: nside {nside} in {one.template.path}")
    return lines
