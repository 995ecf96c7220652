"""From the section `model` and its measurement to what is climbed."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from skyquilt.config.analysis import Analysis
from skyquilt.config.model import ModelOptions
from skyquilt.config.model_fits import ModelFit
from skyquilt.config.model_functions import ModelFunction
from skyquilt.errors import ConfigError, ProductError
from skyquilt.maps.summary_file import read_summary
from skyquilt.model.cells import Cells
from skyquilt.model.functions import size_parameter
from skyquilt.model.likelihood import Posterior
from skyquilt.model.problem import ModelProblem
from skyquilt.model.profiles import profiled_numbers
from skyquilt.model.quantities import Quantity
from skyquilt.model.recipe import Recipe, ShapeRecipe, SourceRecipe, model_cells, own_axis
from skyquilt.model.sources import Background, Offset
from skyquilt.model.split import split_quantities
from skyquilt.sky.frames import position_to_vec, rotate, rotation, vec_to_lonlat
from skyquilt.sky.tangent import tangent_axes
from skyquilt.steps.model.quantities import OFFSETS, Start, make_quantities
from skyquilt.steps.model.refuse import (
    check_layer,
    check_rows,
    check_seen,
    check_split,
    largest_size,
    shape_kind,
)

_SHARP = 1.515  # 68 % radius of a Gaussian point spread function over its standard deviation
_PER_ANGLE = 50.0  # sharpness of data over the angle of differences


class Built(NamedTuple):
    """A fit that can be made.

    Attributes
    ----------
    posterior : Posterior
        What is climbed.
    recipe : Recipe
        How it was built.
    """

    posterior: Posterior
    recipe: Recipe


def build(analysis: Analysis, fit: str, problem: ModelProblem, summary: str | Path) -> Built:
    """What a fit of an analysis climbs.

    Parameters
    ----------
    analysis : Analysis
        With a section `model`.
    fit : str
        Name of the fit.
    problem : ModelProblem
        The measurement.
    summary : str or Path
        Summary of the map, read where a position starts at the best one.

    Raises
    ------
    ConfigError
        If a parameter is not possible; the message says which.
    ProductError
        If the summary is needed and cannot be read.
    """
    options = model_of(analysis)
    starts = find_starts(options, problem.frame, summary)
    try:
        return _build(options, fit, problem, starts)
    except ValueError as error:
        raise ConfigError(f"model, fit {fit}: {error}.") from error


def model_of(analysis: Analysis) -> ModelOptions:
    """Section `model` of an analysis.

    Raises
    ------
    ConfigError
        If there is none.
    """
    if analysis.model is None:
        raise ConfigError("the analysis has no section `model`: add one with sources and fits.")
    return analysis.model


def fit_of(options: ModelOptions, fit: str) -> ModelFit:
    """A fit of a model.

    Raises
    ------
    ConfigError
        If there is no such fit.
    """
    if fit not in options.fits:
        raise ConfigError(f"model has no fit {fit!r}; there are: {', '.join(options.fits)}.")
    return options.fits[fit]


def _build(
    options: ModelOptions, fit: str, problem: ModelProblem, starts: Mapping[str, Start]
) -> Built:
    factors = options.backgrounds(problem.components).names
    cells = model_cells(problem)
    axes = _own_axes(cells, factors)
    quantities = make_quantities(options, fit, problem.components, starts, axes)
    is_split = options.fits[fit].split is not None
    if is_split:
        quantities = split_quantities(quantities)
    check_split(quantities, cells, is_split=is_split)
    if len(problem.centres):
        check_rows(options, problem.radius_deg)
    sources = tuple(
        SourceRecipe(
            *(name, one.spectrum.name, tuple(one.spectrum.parameters())),
            _shape(name, one.shape, quantities, problem, starts),
        )
        for name, one in options.sources.items()
    )
    backgrounds = tuple(Background(name, *which) for which, name in factors.items())
    offsets = tuple(
        Offset(name, *(f"{name or 'pointing'}.{part}" for part in OFFSETS))
        for name in options.offsets
    )
    recipe = Recipe(quantities, sources, backgrounds, offsets, is_split)
    posterior = recipe.make(problem)
    check_layer(posterior.layer, options, problem.components)
    profiled_numbers(posterior.layer, options.fits[fit].profile)
    check_seen(posterior, tuple(options.sources))
    return Built(posterior, recipe)


def find_starts(options: ModelOptions, frame: str, summary: str | Path) -> dict[str, Start]:
    """Where each source is looked for first; those of linked positions are left out.

    Raises
    ------
    ProductError
        If the summary of the map is needed, and cannot be read or has no best position.
    """
    starts = {}
    for name, source in options.sources.items():
        position = source.position
        if position.link is not None:
            continue
        begin = position.begin
        if begin is None:
            best = read_summary(summary)["best"]
            if best is None:
                raise ProductError(
                    f"{summary}: no direction of the map prefers a source, so there is no best "
                    f"position: give lon, lat and frame of {name}."
                )
            at = best[frame]
            starts[name] = Start(at["lon"], at["lat"])
            continue
        vec = position_to_vec(begin.lon, begin.lat, begin.frame, frame)
        lon, lat = vec_to_lonlat(np.asarray(vec)[np.newaxis])
        starts[name] = Start(float(lon[0]), float(lat[0]))
    return starts


def _own_axes(cells: Cells, factors: Mapping[tuple[str, str], str]) -> dict[str, str]:
    """Axis of time bins of each factor that is of one data set only, which has not all of them."""
    found = {}
    for (dataset, _), name in factors.items():
        users = {one for (one, _), other in factors.items() if other == name}
        if own_axis(dataset) in cells.axes and len(users) == 1:
            found[name] = own_axis(dataset)
    return found


def _shape(
    name: str,
    shape: ModelFunction,
    quantities: Mapping[str, Quantity],
    problem: ModelProblem,
    starts: Mapping[str, Start],
) -> ShapeRecipe | None:
    if shape.name == "point":
        return None
    kind = shape_kind(shape)
    size = f"{name}.{size_parameter(kind)}"
    largest = largest_size(size, quantities[size])
    sharpness = min(one.angle_deg for one in problem.data) * _PER_ANGLE / _SHARP
    turn = _turn(starts[name], problem.frame) if name in starts else 0.0
    return ShapeRecipe(kind, sharpness, largest, turn)


def _turn(start: Start, frame: str) -> float:
    """Angle of the north of ICRS at a position, from the north of a frame to the east [deg]."""
    vec = position_to_vec(start.lon, start.lat, frame, frame)[np.newaxis]
    pole = rotate(rotation("icrs", frame), np.array([[0.0, 0.0, 1.0]]))[0]
    east, north = tangent_axes(vec, np.array([0.0, 0.0, 1.0]))
    return float(np.degrees(np.arctan2(east[0] @ pole, north[0] @ pole)))
