"""Step `populations classify`: the probability of each event for each population."""

import logging
from pathlib import Path

import numpy as np

from skyquilt.config import Config
from skyquilt.config.instrument_analysis import ImagingAnalysis
from skyquilt.errors import ProductError
from skyquilt.instruments.imaging.event_problem import make_problem_of_events
from skyquilt.instruments.imaging.events import ImagingEvents
from skyquilt.io.answers import check_problem
from skyquilt.io.fits_table import Column, write_table
from skyquilt.io.provenance import Provenance, start_clock
from skyquilt.io.schema import Schema
from skyquilt.populations.file import DENSITIES, read_densities, read_posterior
from skyquilt.populations.posterior import classify
from skyquilt.problem.event_wise import EventWise
from skyquilt.problem.file import read_problem
from skyquilt.problem.problem import FitProblem
from skyquilt.runs.answers import answer_from
from skyquilt.sky.frames import rotate, rotation, vec_to_lonlat
from skyquilt.steps.populations.infer import ALL
from skyquilt.steps.populations.prepare import REFERENCE
from skyquilt.steps.populations.settings import options_of

logger = logging.getLogger(__name__)

# 1.0  first version
SCHEMA = Schema("skyquilt/classes", "1.0", "skyquilt populations classify")


def classify_events(config: Config, name: str, folder: str | Path, output: str | Path) -> None:
    """Write the probability of each event for each population, of the model of all of them.

    Parameters
    ----------
    config : Config
        The configuration.
    name : str
        Name of the analysis.
    folder : str or Path
        Folder of the populations: problem.h5, densities.h5 and posterior.h5 are read from it.
    output : str or Path
        File to write.
    """
    clock, folder = start_clock(), Path(folder)
    _, options = options_of(config, name)
    problem_path, path, drawn = (
        folder / file for file in ("problem.h5", "densities.h5", "posterior.h5")
    )
    problem = read_problem(problem_path)
    mixture, of_problem, identity = read_densities(path)
    check_problem(path, of_problem, problem.identity, DENSITIES.made_by, problem_path)
    answers = answer_from(
        *(config, name, "classes"),
        population_problem=problem_path,
        densities=path,
        population_fits=drawn,
    )
    posterior = read_posterior(drawn, ALL, identity)
    probability = classify(mixture, posterior, options.probabilities)
    events = _events(config, name, problem, problem_path)
    assert events.row is not None  # they are read from a file
    order = np.argsort(events.row)
    columns = _columns(events.keep(order), problem.frame)
    for one, values in zip(mixture.names, probability[order].T, strict=True):
        about = f"probability of {one}, mean over the posterior"
        columns[f"P_{one}"] = Column(np.ascontiguousarray(values), "", about)
    settings = {"probabilities": options.probabilities}
    inputs = tuple(map(str, (problem_path, path, drawn)))
    provenance = Provenance("populations classify", settings, inputs, clock=clock, answers=answers)
    record = provenance.record() | {"problem_identity": problem.identity}
    write_table(output, SCHEMA, columns, {}, record, name="CLASSES")
    logger.info("%d events", len(order))


def _events(config: Config, name: str, problem: FitProblem, path: Path) -> ImagingEvents:
    """The events of the data, in the order of the problem.

    Raises
    ------
    ProductError
        If they are others.
    """
    analysis, _ = options_of(config, name)
    (dataset,) = analysis.all_datasets().values()
    asked = analysis.ask(dataset, REFERENCE)
    assert isinstance(asked, ImagingAnalysis)
    assert asked.data.events is not None  # the configuration allows no pixels
    assert isinstance(problem.expectation, EventWise)
    _, events = make_problem_of_events(asked, asked.data.events)
    if not np.array_equal(events.direction, problem.expectation.direction):
        raise ProductError(
            f"{path}: holds other events than {events.path}; make it again with `skyquilt "
            "populations prepare`."
        )
    return events


def _columns(events: ImagingEvents, frame: str) -> dict[str, Column]:
    """What is known of events: identity, position, energy."""
    ra, dec = vec_to_lonlat(rotate(rotation(frame, "icrs"), np.asarray(events.direction)))
    columns = {}
    if events.row is not None:
        columns["ROW"] = Column(events.row + 1, "", "row of the table EVENTS, from 1")
    if events.event_id is not None:
        columns["EVENT_ID"] = Column(events.event_id, "", "number of the event in its file")
    return columns | {
        "RA": Column(ra, "deg", "right ascension, ICRS"),
        "DEC": Column(dec, "deg", "declination, ICRS"),
        "ENERGY": Column(events.energy, "keV", "measured energy"),
    }
