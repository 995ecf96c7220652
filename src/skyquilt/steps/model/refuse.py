"""What is refused of a model before it is fitted, in words of its parameters."""

from collections.abc import Mapping, Sequence

import numpy as np

from skyquilt.config.model import ModelOptions
from skyquilt.config.model_functions import ModelFunction
from skyquilt.config.units import to_value
from skyquilt.model.cells import Cells
from skyquilt.model.functions import size_parameter
from skyquilt.model.layer import Layer
from skyquilt.model.likelihood import Posterior
from skyquilt.model.problems import CellLikelihood
from skyquilt.model.quantities import Fixed, Free, Quantity
from skyquilt.steps.model.quantities import OFFSETS

MAX_SIZE = 30.0
"""Largest size of a source [deg]."""

_ROUND = 1e-6  # [deg]: a position that is kept up to its range
_MEMBERS = {
    "time_bin": "one time bin only: give `time_bins` of the data",
    "dataset": "one data set only: leave `per` out",
}


def check_split(quantities: Mapping[str, Quantity], cells: Cells, *, is_split: bool) -> None:
    """Refuse what is of time bins, or of data sets, where there is only one.

    Raises
    ------
    ValueError
        If a fit is split, or a quantity has a number per time bin or data set.
    """
    n_member = {axis: cells.n_member(axis) for axis in _MEMBERS}
    if is_split and n_member["time_bin"] == 1:
        raise ValueError("`split: time_bin`, but there is one time bin only: give `time_bins`")
    for name, quantity in quantities.items():
        axis = quantity.per if isinstance(quantity, Free) else None
        if axis is not None and n_member.get(axis, 2) == 1:
            raise ValueError(f"{name}: `per: {axis}`, but there is {_MEMBERS[axis]}")


def check_layer(
    layer: Layer, options: ModelOptions, components: Mapping[str, tuple[str, ...]]
) -> None:
    """Refuse free numbers that nothing reads, and fluxes that begin below zero.

    Raises
    ------
    ValueError
        If there is one.
    """
    read = [name for name in layer.quantities if name.partition(".")[0] in options.sources]
    read += options.backgrounds(components).parameters
    read += [f"{name or 'pointing'}.{part}" for name in options.offsets for part in OFFSETS]
    used = layer.depends_on(read)
    if idle := [name for name in layer.free if name not in used]:
        raise ValueError(f"{idle[0]}: nothing depends on it: use it, or give a number")
    values = layer.values(layer.start)
    for source in options.sources:
        name = f"{source}.flux"
        if not isinstance(layer.quantities[name], Free) and np.any(values[name] < 0):
            raise ValueError(
                f"{name}: {np.min(values[name]):g} at the start, allowed is 0 or above: begin with "
                "other parameters"
            )


def check_rows(options: ModelOptions, radius_deg: float) -> None:
    """Refuse a range of a position that leaves the rows that are kept around the starts.

    Raises
    ------
    ValueError
        If there is one.
    """
    for name, source in options.sources.items():
        position = source.position
        width = 0.0 if position.range is None else to_value(position.range, "deg")
        if position.link is None and width > radius_deg + _ROUND:
            raise ValueError(
                f"sources.{name}.position: a range of {width:g} deg leaves the rows that are kept, "
                f"{radius_deg:g} deg around the start: make `radius` larger, or the range smaller"
            )


def shape_kind(shape: ModelFunction) -> str:
    """Name of the function of a shape: a round Gaussian is an elliptical one, too."""
    return "gaussian" if shape.name == "elliptical_gaussian" else shape.name


def largest_size(name: str, quantity: Quantity) -> float:
    """Largest size of a shape [deg].

    Raises
    ------
    ValueError
        If a size has no largest value, or one that is not possible.
    """
    if isinstance(quantity, Fixed):
        low, high = np.min(quantity.value), float(np.max(quantity.value))
    elif isinstance(quantity, Free):
        low, high = quantity.lower, quantity.upper
    else:
        low, high = 0.0, np.inf
    if not 0 <= low <= high <= MAX_SIZE:
        raise ValueError(
            f"{name}: {low:g} to {high:g} deg: a size is a number, or has a range, from 0 to "
            f"{MAX_SIZE:g} deg"
        )
    return high


def check_sizes(options: ModelOptions, quantities: Mapping[str, Quantity]) -> None:
    """Refuse sizes of shapes that are not possible.

    Raises
    ------
    ValueError
        If there is one.
    """
    for source, one in options.sources.items():
        if one.shape.name != "point":
            size = f"{source}.{size_parameter(shape_kind(one.shape))}"
            largest_size(size, quantities[size])


def check_seen(posterior: Posterior, sources: Sequence[str]) -> None:
    """Refuse sources of which no counts are expected where a fit begins.

    Raises
    ------
    ValueError
        If there is one.
    """
    layer, likelihood = posterior.layer, posterior.likelihood
    assert isinstance(likelihood, CellLikelihood)
    values = layer.values(layer.start)
    units = {f"{name}.flux": np.ones_like(values[f"{name}.flux"]) for name in sources}
    npred = likelihood.npred(values | units)
    for name in sources:
        total = npred[name].sum()
        if not np.isfinite(total):
            raise ValueError(
                f"{name}: the counts that its spectrum expects are not finite at the start: begin "
                "with other parameters"
            )
        if total <= 0:
            at = ", ".join(f"{np.ravel(values[f'{name}.{key}'])[0]:g}" for key in ("lon", "lat"))
            raise ValueError(
                f"{name}: no counts are expected of it at {at} deg in any bin: it has no exposure "
                "there, or its spectrum is 0; move it, or leave it out"
            )
