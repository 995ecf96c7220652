"""How a fit is built from its measurement: quantities, sources, backgrounds, as plain values.

Files of fits hold it as JSON, so that what was climbed can be built again from them alone.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, NamedTuple

import numpy as np

from skyquilt.model.cells import Cells
from skyquilt.model.functions import source_shape, spectrum_function
from skyquilt.model.layer import Layer
from skyquilt.model.likelihood import Posterior
from skyquilt.model.problem import ModelProblem
from skyquilt.model.quantities import Curve, Expression, Fixed, Free, Link, Prior, Quantity
from skyquilt.model.shapes import SourceShape
from skyquilt.model.sources import Background, Offset, Source

_KINDS: dict[str, type] = {
    "fixed": Fixed,
    "free": Free,
    "link": Link,
    "expr": Expression,
    "light_curve": Curve,
}


class ShapeRecipe(NamedTuple):
    """A shape of a source.

    Attributes
    ----------
    name : str
        As of `skyquilt.model.functions.source_shape`.
    sharpness, largest : float
        Standard deviation of the sharpest point spread function, and largest size [deg].
    turn : float
        What is added to its angle, from the north of ICRS to that of the problem's frame [deg].
    """

    name: str
    sharpness: float
    largest: float
    turn: float = 0.0

    def make(self) -> SourceShape:
        """The shape."""
        made = source_shape(self.name, self.sharpness, self.largest)
        if "angle" not in made.parameters or self.turn == 0:
            return made
        return SourceShape(made.parameters, _turned(made, self.turn))


class SourceRecipe(NamedTuple):
    """A source.

    Attributes
    ----------
    name : str
        Its name.
    spectrum : str
        Name of the spectral model.
    parameters : tuple of str
        Parameters of the spectrum.
    shape : ShapeRecipe, optional
        Its shape; a point when left out.
    """

    name: str
    spectrum: str
    parameters: tuple[str, ...]
    shape: ShapeRecipe | None = None

    def make(self) -> Source:
        """The source."""
        shape = None if self.shape is None else self.shape.make()
        return Source(self.name, spectrum_function(self.spectrum), self.parameters, shape)


class Recipe(NamedTuple):
    """All of a fit but its measurement.

    Attributes
    ----------
    quantities : dict of str to Quantity
        The model.
    sources : tuple of SourceRecipe
        The sources.
    backgrounds : tuple of Background
        Factors on backgrounds.
    offsets : tuple of Offset
        Pointing offsets.
    is_split : bool
        Whether each time bin is fitted by itself.
    """

    quantities: dict[str, Quantity]
    sources: tuple[SourceRecipe, ...]
    backgrounds: tuple[Background, ...]
    offsets: tuple[Offset, ...] = ()
    is_split: bool = False

    def make(self, problem: ModelProblem) -> Posterior:
        """What is climbed.

        Raises
        ------
        ValueError
            If the model does not fit the measurement.
        """
        layer = Layer(self.quantities, model_cells(problem))
        sources = [source.make() for source in self.sources]
        return Posterior(layer, problem.likelihood(sources, self.backgrounds, self.offsets))

    def to_json(self) -> str:
        """The same as text."""
        content = self._asdict() | {
            "quantities": {name: _to_plain(one) for name, one in self.quantities.items()}
        }
        return json.dumps(content)

    @classmethod
    def from_json(cls, text: str) -> "Recipe":
        """Read what `to_json` gave."""
        content = json.loads(text)
        return cls(
            {name: _from_plain(one) for name, one in content["quantities"].items()},
            tuple(_source(*one) for one in content["sources"]),
            tuple(Background(*one) for one in content["backgrounds"]),
            tuple(Offset(*one) for one in content["offsets"]),
            content["is_split"],
        )


def model_cells(problem: ModelProblem) -> Cells:
    """Cells, with an axis of the time bins of each data set that does not have all of them."""
    cells = problem.cells
    axes = dict(cells.axes)
    for number, dataset in enumerate(problem.datasets):
        own = cells.axes["dataset"] == number
        members = np.unique(cells.axes["time_bin"][own])
        if members.size < cells.n_member("time_bin"):
            index = np.searchsorted(members, cells.axes["time_bin"])
            axes[own_axis(dataset)] = np.where(own, index, -1)
    return Cells(axes, cells.start, cells.stop)


def own_axis(dataset: str) -> str:
    """Axis of the time bins of a data set that does not have all of them."""
    return f"time_bin of {dataset}"


def _turned(shape: SourceShape, turn: float) -> Callable[..., Any]:
    def points(angle: float, **others: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return shape.points(angle=angle + turn, **others)

    return points


def _source(name: str, spectrum: str, parameters: list[str], shape: list | None) -> SourceRecipe:
    made = None if shape is None else ShapeRecipe(*shape)
    return SourceRecipe(name, spectrum, tuple(parameters), made)


def _to_plain(quantity: Quantity) -> dict[str, Any]:
    kind = next(kind for kind, one in _KINDS.items() if type(quantity) is one)
    if isinstance(quantity, Curve):
        parts = {name: _to_plain(one) for name, one in quantity.parameters.items()}
        return {"is": kind, "kind": quantity.kind, "parameters": parts, "unit": quantity.unit}
    return {"is": kind} | asdict(quantity)


def _from_plain(content: Mapping[str, Any]) -> Quantity:
    values = {key: value for key, value in content.items() if key != "is"}
    for key in ("start", "value"):
        if isinstance(values.get(key), list):
            values[key] = tuple(values[key])
    if values.get("prior") is not None:
        values["prior"] = Prior(*values["prior"])
    if content["is"] == "light_curve":
        values["parameters"] = {n: _from_plain(one) for n, one in values["parameters"].items()}
    return _KINDS[content["is"]](**values)
