"""The graph of a model's quantities: which is known, fitted, linked, or follows from others."""

from collections.abc import Mapping
from html import escape
from typing import NamedTuple

import numpy as np

from skyquilt.model.expression import compile_expression
from skyquilt.model.functions import light_curve
from skyquilt.model.layer import Layer
from skyquilt.model.quantities import Curve, Expression, Fixed, Free, Link, Quantity

KINDS = ("fixed", "free", "link", "function")
"""Kinds of nodes."""

_FILLS = {"fixed": "#d9d9d9", "free": "#ffffff", "link": "#ffffff", "function": "#dcebf7"}
_CHAR, _ROW, _GAP, _PAD = 7.2, 34.0, 46.0, 14.0  # [pixel]
_FEWEST = 8  # letters of a box


class Node(NamedTuple):
    """A quantity.

    Attributes
    ----------
    name, kind, about : str
        Name; one of `KINDS`; what it is: a number, an expression, the kind of a light curve.
    inputs : tuple of str
        Quantities that it follows from.
    plate : str
        Axis of which every member has its own; "" for one number.
    column, row : int
        Where it is drawn: after all that it follows from, and plates one below the other.
    """

    name: str
    kind: str
    about: str
    inputs: tuple[str, ...]
    plate: str
    column: int
    row: int


class Plate(NamedTuple):
    """Quantities that every member of an axis has its own of.

    Attributes
    ----------
    axis : str
        Name of the axis.
    n_member : int
        How many members it has.
    columns, rows : tuple of int
        First and last column and row.
    """

    axis: str
    n_member: int
    columns: tuple[int, int]
    rows: tuple[int, int]

    @property
    def label(self) -> str:
        """Axis and number of members."""
        return f"{self.axis} × {self.n_member}"


class Graph(NamedTuple):
    """Nodes in places of a grid, and the plates around them."""

    nodes: tuple[Node, ...]
    plates: tuple[Plate, ...]


def make_graph(layer: Layer) -> Graph:
    """Nodes of all quantities of a model.

    Parameters
    ----------
    layer : Layer
        The model.

    Examples
    --------
    >>> from skyquilt.model import Expression, Free, one_axis
    >>> layer = Layer({"a": Free(1.0), "b": Expression("2 * a")}, one_axis("bin", np.arange(2.0)))
    >>> [(node.name, node.kind, node.column) for node in make_graph(layer).nodes]
    [('a', 'free', 0), ('b', 'function', 1)]
    """
    quantities = layer.quantities
    inputs = {name: _inputs(name, quantity) for name, quantity in quantities.items()}
    columns: dict[str, int] = {}
    for name in quantities:
        _find_column(name, inputs, columns)
    values = layer.values(layer.start)
    plates = {name: _plate(name, layer, values) for name in quantities}
    order = dict.fromkeys(["", *plates.values()])
    rows = _find_rows(columns, plates, list(order))
    nodes = tuple(
        Node(name, *_describe(quantity), inputs[name], plates[name], columns[name], rows[name])
        for name, quantity in quantities.items()
    )
    return Graph(nodes, tuple(_around(axis, nodes, layer) for axis in order if axis))


def to_text(graph: Graph) -> str:
    """One line per quantity: name, kind, what it is, what it follows from."""
    width = max((len(node.name) for node in graph.nodes), default=0)
    lines = []
    for node in graph.nodes:
        per = f" per {node.plate}" if node.plate else ""
        source = f"  <- {', '.join(node.inputs)}" if node.inputs else ""
        lines.append(f"{node.name:{width}}  {node.kind}{per}: {node.about}{source}")
    return "\n".join(lines) + "\n"


def to_dot(graph: Graph) -> str:
    """The graph in the language of graphviz."""
    lines = ["digraph model {", "  rankdir=LR;", '  node [shape=box, style="rounded,filled"];']
    for axis in dict.fromkeys(node.plate for node in graph.nodes):
        own = [node for node in graph.nodes if node.plate == axis]
        boxes = [f"  {_quote(n.name)} [fillcolor={_quote(_FILLS[n.kind])}];" for n in own]
        if axis:
            label = next(plate.label for plate in graph.plates if plate.axis == axis)
            head = [f"  subgraph {_quote('cluster_' + axis)} {{", f"    label={_quote(label)};"]
            boxes = [*head, *(f"  {box}" for box in boxes), "  }"]
        lines += boxes
    for node in graph.nodes:
        lines += [f"  {_quote(source)} -> {_quote(node.name)};" for source in node.inputs]
    return "\n".join([*lines, "}"]) + "\n"


def to_svg(graph: Graph) -> str:
    """The graph as a drawing; needs no graphviz."""
    boxes, (width, height) = place_boxes(graph)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" font-family="sans-serif" font-size="12">',
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto"><path d="M0,0 L8,4 L0,8 z" fill="#555"/></marker></defs>',
    ]
    for plate in graph.plates:
        x, y, wide, high = plate_box(plate, graph, boxes)
        parts.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{high:.1f}" rx="6" '
            'fill="none" stroke="#888" stroke-dasharray="4 3"/>'
            f'<text x="{x + wide - 6:.1f}" y="{y + high - 5:.1f}" text-anchor="end" '
            f'fill="#666" font-size="11">{escape(plate.label)}</text>'
        )
    for node in graph.nodes:
        for source in node.inputs:
            parts.append(_arrow(boxes[source], boxes[node.name], node.kind))
    for node in graph.nodes:
        x, y, wide, high = boxes[node.name]
        parts.append(
            f'<g><title>{escape(node.about)}</title><rect x="{x:.1f}" y="{y:.1f}" '
            f'width="{wide:.1f}" height="{high:.1f}" rx="8" fill="{_FILLS[node.kind]}" '
            f'stroke="#333"/><text x="{x + wide / 2:.1f}" y="{y + high / 2 + 4:.1f}" '
            f'text-anchor="middle">{escape(node.name)}</text></g>'
        )
    return "\n".join([*parts, "</svg>"]) + "\n"


Box = tuple[float, float, float, float]
"""Left, top, width and height of a box [pixel], from the top left of the drawing."""


def place_boxes(graph: Graph) -> tuple[dict[str, Box], tuple[float, float]]:
    """Boxes of all nodes, and width and height of the drawing [pixel]."""
    n_column = 1 + max((node.column for node in graph.nodes), default=0)
    wide = np.full(n_column, _CHAR * _FEWEST)
    for node in graph.nodes:
        wide[node.column] = max(wide[node.column], _CHAR * len(node.name) + 2 * _PAD)
    left = _PAD * 2 + np.concatenate([[0.0], np.cumsum(wide + _GAP)])
    # a plate has room for its label below its rows
    above = {
        row: sum(_PAD * 2 for plate in graph.plates if plate.rows[1] < row)
        for row in {node.row for node in graph.nodes}
    }
    boxes = {
        node.name: (
            float(left[node.column]),
            _PAD * 2 + node.row * (_ROW + _PAD / 2) + above[node.row],
            float(wide[node.column]),
            _ROW - _PAD / 2,
        )
        for node in graph.nodes
    }
    bottom = max((y + high for _, y, _, high in boxes.values()), default=0.0)
    return boxes, (float(left[-1] - _GAP + 2 * _PAD), bottom + 3 * _PAD)


def plate_box(plate: Plate, graph: Graph, boxes: Mapping[str, Box]) -> Box:
    """Box around the nodes of a plate [pixel]."""
    own = np.array([boxes[node.name] for node in graph.nodes if node.plate == plate.axis])
    left, top = own[:, 0].min() - _PAD, own[:, 1].min() - _PAD / 2
    right, bottom = np.max(own[:, 0] + own[:, 2]) + _PAD, np.max(own[:, 1] + own[:, 3]) + 1.4 * _PAD
    return float(left), float(top), float(right - left), float(bottom - top)


def _arrow(source: Box, target: Box, kind: str) -> str:
    x0, y0 = source[0] + source[2], source[1] + source[3] / 2
    x1, y1 = target[0], target[1] + target[3] / 2
    bend = max(20.0, (x1 - x0) / 2)
    dash = ' stroke-dasharray="5 3"' if kind == "link" else ""
    return (
        f'<path d="M{x0:.1f},{y0:.1f} C{x0 + bend:.1f},{y0:.1f} {x1 - bend:.1f},{y1:.1f} '
        f'{x1:.1f},{y1:.1f}" fill="none" stroke="#555"{dash} marker-end="url(#tip)"/>'
    )


def _inputs(name: str, quantity: Quantity) -> tuple[str, ...]:
    match quantity:
        case Link():
            return (quantity.to,)
        case Curve():
            return tuple(f"{name}.{part}" for part in light_curve(quantity.kind).parameters)
        case Expression():
            return tuple(one for one in compile_expression(quantity.text).names if one != "t")
        case Free(prior=prior) if prior is not None:
            return tuple(one for one in prior[1:] if isinstance(one, str))
    return ()


def _describe(quantity: Quantity) -> tuple[str, str]:
    """Kind and what it is."""
    unit = f" {quantity.unit}" if quantity.unit else ""
    match quantity:
        case Fixed():
            return "fixed", f"{_show(quantity.value)}{unit}"
        case Free():
            prior = quantity.prior
            known = f", {prior.kind} {prior.first}, {prior.second}" if prior else ""
            ends = f"{quantity.lower:g} to {quantity.upper:g}"
            return "free", f"from {_show(quantity.start)}{unit}, {ends}{known}"
        case Link():
            return "link", quantity.to
        case Expression():
            return "function", quantity.text
    return "function", quantity.kind


def _show(value: float | tuple[float, ...]) -> str:
    numbers = np.atleast_1d(value)
    return f"{numbers[0]:g}" if numbers.size == 1 else f"{numbers[0]:g}, ..."


def _find_column(name: str, inputs: Mapping[str, tuple[str, ...]], columns: dict[str, int]) -> int:
    if name not in columns:
        before = [_find_column(source, inputs, columns) for source in inputs[name]]
        columns[name] = 1 + max(before, default=-1)
    return columns[name]


def _plate(name: str, layer: Layer, values: Mapping[str, np.ndarray]) -> str:
    per = getattr(layer.quantities[name], "per", None)
    if per or not np.ndim(values[name]):
        return per or ""
    axes = [axis for axis in layer.cells.axes if layer.cells.n_member(axis) == layer.cells.n_cell]
    return (axes or ["cell"])[0]


def _find_rows(
    columns: Mapping[str, int], plates: Mapping[str, str], order: list[str]
) -> dict[str, int]:
    """Rows of the nodes: each plate has rows of its own."""
    rows: dict[str, int] = {}
    first = 0
    for plate in order:
        used: dict[int, int] = {}
        for name, column in columns.items():
            if plates[name] == plate:
                rows[name] = first + used.get(column, 0)
                used[column] = used.get(column, 0) + 1
        first += max(used.values(), default=0)
    return rows


def _around(axis: str, nodes: tuple[Node, ...], layer: Layer) -> Plate:
    own = [node for node in nodes if node.plate == axis]
    columns, rows = [node.column for node in own], [node.row for node in own]
    n = layer.cells.n_member(axis) if axis in layer.cells.axes else layer.cells.n_cell
    return Plate(axis, n, (min(columns), max(columns)), (min(rows), max(rows)))


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
