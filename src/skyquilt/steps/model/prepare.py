"""Step `model prepare`: the data of a model, all time bins and data sets."""

import logging
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter

from skyquilt.config import Config, get_analysis
from skyquilt.config.analysis import Analysis
from skyquilt.config.model import ModelOptions
from skyquilt.config.shape import Point
from skyquilt.config.spectrum import Spectrum
from skyquilt.config.units import to_value
from skyquilt.errors import ConfigError
from skyquilt.instruments.cells import prepare_cells
from skyquilt.instruments.same_counts import check_files_once
from skyquilt.io.provenance import Provenance, start_clock
from skyquilt.model.problem import ModelProblem, write_model_problem
from skyquilt.problem.cells import CellData, Near
from skyquilt.products import PRODUCTS, select
from skyquilt.runs.answers import answer_from
from skyquilt.sky.frames import position_to_vec, vec_to_lonlat

logger = logging.getLogger(__name__)

_REFERENCE = {"model": "power_law", "norm": "1 cm-2 s-1 keV-1", "pivot": "1 MeV", "index": -2}
"""Stands for the spectrum of an analysis without a map: nothing of a model depends on it."""


def prepare_model(config: Config, name: str, output: str | Path) -> None:
    """Write the measurement of the model of an analysis.

    Raises
    ------
    ConfigError
        If the analysis has no model.
    InputError
        If files are damaged or do not fit each other.
    """
    clock = start_clock()
    analysis = get_analysis(config, name)
    model = analysis.model
    if model is None:
        raise ConfigError(f"analyses.{name}: has no section `model`: add one.")
    check_files_once(analysis)
    data = _read(analysis, _near(model), config.cache)
    provenance = Provenance(
        "model prepare",
        select(analysis.model_dump(mode="json"), PRODUCTS["model_problem"].sections),
        analysis.paths(),
        Path(config.cache) / "digests",
        clock=clock,
        answers=answer_from(config, name, "model_problem"),
    )
    write_model_problem(output, _join(model, data), provenance)


def reference_spectrum() -> Spectrum:
    """What stands for the spectrum of an analysis without a map."""
    return TypeAdapter(Spectrum).validate_python(_REFERENCE)


def _read(analysis: Analysis, near: Near | None, cache: str) -> list[CellData]:
    """All data sets, in their order."""
    spectra = list(analysis.all_spectra().values())
    spectrum = spectra[0] if spectra else reference_spectrum()
    point = analysis.model_copy(update={"shape": Point(model="point")})
    found = []
    for name, dataset in analysis.all_datasets().items():
        asked = point.ask(dataset, spectrum)
        data = prepare_cells(asked, name, dataset.all_time_bins, near, cache)
        logger.info(
            "%s%d time bins, %d hits with %.12g counts, %.6g expected of the background",
            *(f"{name}: " if name else "", data.n_cell, data.n_hit, data.counts.sum()),
            float(data.cell_backgrounds.sum()),
        )
        found.append(data)
    return found


def _near(model: ModelOptions) -> Near | None:
    """Where the sources start, if the model keeps only what is near there."""
    if model.radius is None:
        return None
    own = [one.position for one in model.sources.values() if one.position.link is None]
    begins = [position.begin for position in own]
    known = [begin for begin in begins if begin is not None]
    if len(known) < len(begins):
        logger.info("model.radius has no effect: a source starts at the best position of the map")
        return None
    vec = [position_to_vec(one.lon, one.lat, one.frame, "galactic") for one in known]
    return Near(np.array(vec), "galactic", to_value(model.radius, "deg"))


def _join(model: ModelOptions, data: list[CellData]) -> ModelProblem:
    starts = np.concatenate([one.start for one in data])
    known = starts[np.isfinite(starts)]
    epoch = model.epoch
    if epoch is None:
        epoch = float(known.min()) if known.size else 0.0
    near = _near(model)
    if near is None:
        return ModelProblem(tuple(data), data[0].frame, epoch)
    centres = np.column_stack(vec_to_lonlat(near.in_frame(data[0].frame)))
    return ModelProblem(tuple(data), data[0].frame, epoch, near.radius_deg, centres)
