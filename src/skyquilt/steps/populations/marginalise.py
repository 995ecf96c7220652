"""Step `populations marginalise`: the density of each population at each event."""

import logging
from pathlib import Path

import numpy as np

from skyquilt.config import Config
from skyquilt.config.populations import Population as Section
from skyquilt.config.populations import SourceCatalogue
from skyquilt.config.spectrum import Spectrum
from skyquilt.config.units import to_value
from skyquilt.errors import ConfigError
from skyquilt.instruments.extended import extend
from skyquilt.io.provenance import Provenance, start_clock
from skyquilt.populations.file import write_densities
from skyquilt.populations.mixture import Mixture
from skyquilt.populations.population import Curve, Population
from skyquilt.populations.seen import Seen, see_sources, see_template
from skyquilt.problem.event_wise import EventWise
from skyquilt.problem.file import check_rows, read_problem
from skyquilt.problem.problem import FitProblem
from skyquilt.problem.sky_grid import HealpixGrid
from skyquilt.runs.answers import answer_from
from skyquilt.spectra.models import evaluate
from skyquilt.steps.populations.catalogue import read_sources
from skyquilt.steps.populations.settings import options_of
from skyquilt.steps.populations.template import read_template

logger = logging.getLogger(__name__)

_EVEN = HealpixGrid(1, np.ones((12, 1)))


def marginalise(config: Config, name: str, problem: str | Path, output: str | Path) -> None:
    """Write what each population has at each event.

    Parameters
    ----------
    config : Config
        The configuration.
    name : str
        Name of the analysis.
    problem : str or Path
        `populations/problem.h5`.
    output : str or Path
        File to write.

    Raises
    ------
    InputError
        If a template or a catalogue cannot be read, a population expects nothing, or an event has a
        density of 0 for all.
    ConfigError
        If the events are of a part of the sky.
    """
    clock = start_clock()
    _, options = options_of(config, name)
    check_rows(problem)
    fit_problem = read_problem(problem)
    answers = answer_from(config, name, "densities", population_problem=problem)
    expectation = _all_sky_events(name, fit_problem)
    populations = tuple(
        _make(key, one, fit_problem, expectation) for key, one in options.components.items()
    )
    mixture = Mixture(populations, fit_problem.counts)
    for one in populations:
        if one.curve is None:
            logger.info("population %s: %.6g events are expected", one.name, one.expected)
    settings = options.model_dump(mode="json", include={"components"})
    inputs = (str(problem), *options.paths())
    provenance = Provenance(
        *("populations marginalise", settings, inputs, Path(config.cache) / "digests"),
        clock=clock,
        answers=answers,
    )
    write_densities(output, mixture, fit_problem.identity, provenance)


def _all_sky_events(name: str, problem: FitProblem) -> EventWise:
    expectation = problem.expectation
    if not isinstance(expectation, EventWise):
        raise ConfigError(f"{name}: populations need photons one by one, `data: {{events: ...}}`.")
    if expectation.exposure.ipix is not None or expectation.extent is not None:
        raise ConfigError(
            f"{name}: the events or the exposure are of a part of the sky; populations take all of "
            "it, since their expected events are added up over the sky."
        )
    return expectation


def _make(name: str, section: Section, problem: FitProblem, expectation: EventWise) -> Population:
    if section.background is not None:
        return _background(name, section.background, problem)
    if section.catalogue is not None:
        return _catalogue(name, section.catalogue, problem)
    grid = _EVEN
    if section.template is not None:
        grid = read_template(section.template).turned(problem.frame)
    if section.spectrum is None:  # the configuration does not allow it
        raise ConfigError(f"population {name}: has no `spectrum`.")
    seen = see_template(expectation, grid)
    return _with_spectrum(name, section.spectrum, section.free, seen, expectation)


def _catalogue(name: str, section: SourceCatalogue, problem: FitProblem) -> Population:
    """All sources of a catalogue; shapes are folded with the point spread."""
    density, expected = np.zeros(problem.counts.size), 0.0
    for shape, sources in read_sources(section).parts(problem.frame):
        wide = problem if shape is None else extend(problem, shape)
        assert isinstance(wide.expectation, EventWise)  # points and round shapes
        at_events, events = see_sources(wide.expectation, sources)
        density, expected = density + at_events, expected + events
    return Population(name, density, expected)


def _background(name: str, component: str | bool, problem: FitProblem) -> Population:
    chosen = [one for one in problem.backgrounds if component in (True, one.name)]
    counts = np.sum([one.counts for one in chosen], axis=0)
    return Population(name, counts, float(sum(one.totals.sum() for one in chosen)))


def _with_spectrum(
    name: str,
    spectrum: Spectrum,
    free: dict[str, tuple[float, float]],
    seen: Seen,
    expectation: EventWise,
) -> Population:
    own = expectation.by_energy
    assert own is not None
    energy = np.asarray(own.energy)
    expected = float(evaluate(spectrum, own.total.energy) @ seen.total_weight)
    if not free:
        return Population(name, seen.response * evaluate(spectrum, energy), expected)
    numbers = spectrum.model_dump(mode="json", exclude={"model", "norm", "rises"})
    parameters = {
        key: to_value(value, "keV") if isinstance(value, str) else float(value)
        for key, value in numbers.items()
    }
    ranges = np.array(list(free.values())).T
    curve = Curve(
        *(spectrum.model, parameters, tuple(free), ranges[0], ranges[1]),
        *(energy, own.total.energy, seen.total_weight),
    )
    return Population(name, seen.response, expected, curve)
