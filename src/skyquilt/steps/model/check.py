"""Sections `model` before anything is read: every fit laid out, names, units, ranges, priors."""

from collections.abc import Iterator, Mapping

import numpy as np

from skyquilt.config import Config
from skyquilt.config.analysis import Analysis
from skyquilt.config.model import ModelOptions
from skyquilt.config.model_fits import ModelFit, Question
from skyquilt.config.model_parameter import read_value
from skyquilt.config.model_source import ModelSource
from skyquilt.config.units import to_value
from skyquilt.errors import ConfigError, nearest_to
from skyquilt.inference.sampler import check_walkers
from skyquilt.model.cells import Cells
from skyquilt.model.layer import Layer
from skyquilt.model.priors import check_priors
from skyquilt.model.profiles import profiled_numbers
from skyquilt.model.quantities import Curve, Expression, Fixed, Free, Link, Quantity
from skyquilt.model.result import describe_prior
from skyquilt.model.split import split_quantities
from skyquilt.steps.model.compare import OTHER, other_options
from skyquilt.steps.model.quantities import Start, make_quantities
from skyquilt.steps.model.refuse import (
    check_layer,
    check_rows,
    check_sizes,
    check_split,
)

_SOME_BINS = np.array([0.0, 1.0, 2.0])
"""Edges that stand for bins which the counts decide [s]."""


def check_models(config: Config, name: str | None = None) -> None:
    """Check the sections `model` of all analyses, or of one.

    Raises
    ------
    ConfigError
        If a fit is not possible; the message says which parameter is wrong.
    """
    for key, analysis in config.analyses.items():
        if analysis.model is not None and name in (None, key):
            lay_out(key, analysis, analysis.model)


def lay_out(name: str, analysis: Analysis, options: ModelOptions) -> dict[str, Layer]:
    """Parameters of every fit, by its name.

    Raises
    ------
    ConfigError
        If a fit is not possible.
    """
    cells, components = _cells(analysis, options), {}
    for dataset, one in analysis.all_datasets().items():
        components[dataset] = tuple(one.data.backgrounds())
    layers = {}
    for fit in options.all_orders():
        try:
            layers[fit] = _lay_out(options, fit, cells, components)
            _check_asked(options.fits[fit], layers[fit], has_bins=_has_fixed_bins(analysis))
        except ValueError as error:
            raise ConfigError(f"analyses.{name}.model, fit {fit}: {error}.") from error
    for number, question in enumerate(options.compare):
        if isinstance(question, Question):
            try:
                _lay_out(other_options(options, question)[0], OTHER, cells, components)
            except ValueError as error:
                where = f"analyses.{name}.model.compare.{number}"
                raise ConfigError(f"{where}: {error}.") from error
    _check_truths(name, options, layers)
    return layers


def _lay_out(
    options: ModelOptions, fit: str, cells: Cells, components: Mapping[str, tuple[str, ...]]
) -> Layer:
    starts = {key: _start(options, key) for key in options.sources}
    is_split = options.fits[fit].split is not None
    quantities = make_quantities(options, fit, components, starts)
    if is_split:
        quantities = split_quantities(quantities)
    check_split(quantities, cells, is_split=is_split)
    check_sizes(options, quantities)
    if options.radius is not None and all(_is_known(one) for one in options.sources.values()):
        check_rows(options, to_value(options.radius, "deg"))
    layer = Layer(quantities, cells)
    check_layer(layer, options, components)
    check_priors(layer)
    return layer


def _check_asked(fit: ModelFit, layer: Layer, *, has_bins: bool) -> None:
    """Refuse samples and profiles that cannot be made, as far as the number of bins is known."""
    profiled_numbers(layer, [name for name in fit.profile if has_bins or "[" not in name])
    if fit.sample is not None and has_bins:
        check_walkers(fit.sample.walkers, layer.n_free)


def _is_known(source: ModelSource) -> bool:
    """Whether it is known where a source starts before there is a map."""
    return source.position.begin is not None or source.position.link is not None


def _check_truths(name: str, options: ModelOptions, layers: Mapping[str, Layer]) -> None:
    units = {one: layer.unit_of(one) for layer in layers.values() for one in layer.quantities}
    for one, value in options.truths.items():
        try:
            if one not in units:
                raise ValueError(f"no number of this name; {nearest_to(one, units)}")
            read_value(value, units[one])
        except ValueError as error:
            raise ConfigError(f"analyses.{name}.model.truths.{one}: {error}.") from error


def describe_model(name: str, analysis: Analysis, options: ModelOptions) -> str:
    """Tree of the fits, and the table of the parameters of each.

    Raises
    ------
    ConfigError
        If a fit is not possible.
    """
    layers = lay_out(name, analysis, options)
    lines = [f"{name}: model", *_tree(options)]
    for fit, layer in layers.items():
        n_free = f"{layer.n_free} free numbers"
        if not _has_fixed_bins(analysis):
            n_free = "free numbers as many as there are bins"
        lines += [f"{name}: fit {fit}, {n_free}", *_table(layer)]
    return "\n".join(lines)


def _start(options: ModelOptions, source: str) -> Start:
    """Where a source is looked for; its frame does not matter yet."""
    begin = options.sources[source].position.begin
    return Start(0.0, 0.0) if begin is None else Start(begin.lon, begin.lat)


def _has_fixed_bins(analysis: Analysis) -> bool:
    bins = [one.all_time_bins for one in analysis.all_datasets().values()]
    return all(one is None or one.fixed_edges() is not None for one in bins)


def _cells(analysis: Analysis, options: ModelOptions) -> Cells:
    """Cells as far as the configuration tells."""
    edges = []
    for dataset in analysis.all_datasets().values():
        bins = dataset.all_time_bins
        fixed = None if bins is None else bins.fixed_edges()
        some = _SOME_BINS if bins is not None else _SOME_BINS[:2]
        edges.append(np.array(fixed) if fixed is not None else some)
    known = [one[0] for one in edges if one[0] > 0]
    epoch = options.epoch if options.epoch is not None else min(known, default=0.0)
    start = np.concatenate([one[:-1] for one in edges])
    stop = np.concatenate([one[1:] for one in edges])
    times = np.stack([start, stop], axis=1)
    _, time_bin = np.unique(times, axis=0, return_inverse=True)
    of_dataset = np.repeat(np.arange(len(edges)), [one.size - 1 for one in edges])
    return Cells({"dataset": of_dataset, "time_bin": time_bin.ravel()}, start - epoch, stop - epoch)


def _tree(options: ModelOptions, above: str | None = None, depth: int = 1) -> Iterator[str]:
    for fit, one in options.fits.items():
        if one.start_from != above:
            continue
        about = ["each time bin by itself"] if one.split else []
        about += [f"sets {', '.join(one.set)}"] if one.set else []
        about += [f"samples: {one.sample.ensembles} x {one.sample.walkers}"] if one.sample else []
        yield f"{'  ' * depth}{fit}{': ' if about else ''}{'; '.join(about)}"
        yield from _tree(options, fit, depth + 1)


def _table(layer: Layer) -> list[str]:
    rows = [
        (name, layer.unit_of(name), *_describe(quantity))
        for name, quantity in layer.quantities.items()
    ]
    rows.insert(0, ("name", "unit", "is", "value or start", "range", "prior"))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  "
        + "  ".join(f"{text:{width}}" for text, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _describe(quantity: Quantity) -> tuple[str, str, str, str]:
    match quantity:
        case Free():
            kind = f"free, per {quantity.per}" if quantity.per else "free"
            ends = f"{quantity.lower:g} to {quantity.upper:g}"
            is_open = quantity.lower == -np.inf and quantity.upper == np.inf
            prior = describe_prior(quantity.prior)
            return kind, f"{quantity.start:.6g}", "" if is_open else ends, prior
        case Fixed():
            return "fixed", f"{quantity.value:.6g}", "", ""
        case Link():
            return "link", quantity.to, "", ""
        case Expression():
            return "expr", quantity.text, "", ""
        case Curve():
            return "light_curve", quantity.kind, "", ""
