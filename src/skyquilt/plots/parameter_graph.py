"""The graph of a model's quantities: fixed ones grey, free ones white, arrows to what follows."""

from typing import Any

from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Rectangle

from skyquilt.model.graph import Graph, place_boxes, plate_box
from skyquilt.plots.style import COLUMN_WIDTH, FULL_WIDTH, figure_style, new_figure, plain

_PIXEL_CM = 0.0235  # at which letters of 7 points fit the boxes
_HEAD_CM = 0.8  # title
_FILLS = {"fixed": "0.85", "free": "white", "link": "white", "function": "#dcebf7"}


@figure_style()
def plot_parameter_graph(graph: Graph, title: str) -> Figure:
    """Draw the quantities of a model; plates hold those that every member of an axis has.

    Parameters
    ----------
    graph : Graph
        What `skyquilt.model.graph.make_graph` gave.
    title : str
        Name of the analysis and the fit.
    """
    boxes, (width, height) = place_boxes(graph)
    scale = min(_PIXEL_CM, FULL_WIDTH / width)
    across = max(width * scale, COLUMN_WIDTH)
    figure = new_figure(across, height * scale + _HEAD_CM)
    part = height * scale / (height * scale + _HEAD_CM)
    axes = figure.add_axes((0, 0, width * scale / across, part), xlim=(0, width), ylim=(height, 0))
    axes.set_axis_off()
    size = 7.0 * scale / _PIXEL_CM
    for plate in graph.plates:
        x, y, wide, high = plate_box(plate, graph, boxes)
        axes.add_patch(
            Rectangle((x, y), wide, high, fill=False, edgecolor="0.5", linestyle=(0, (4, 3)))
        )
        label: dict[str, Any] = {
            "ha": "right",
            "va": "bottom",
            "color": "0.4",
            "fontsize": 0.9 * size,
        }
        axes.text(x + wide - 5, y + high - 2, plain(plate.label), **label)
    for node in graph.nodes:
        x1, y1 = boxes[node.name][0], boxes[node.name][1] + boxes[node.name][3] / 2
        for source in node.inputs:
            left, top, wide, high = boxes[source]
            style = "--" if node.kind == "link" else "-"
            axes.add_patch(
                FancyArrowPatch(
                    *((left + wide, top + high / 2), (x1, y1)),
                    arrowstyle="-|>",
                    connectionstyle="arc3,rad=0",
                    mutation_scale=6,
                    shrinkA=0,
                    shrinkB=0,
                    color="0.35",
                    linestyle=style,
                    linewidth=0.7,
                )
            )
    for node in graph.nodes:
        x, y, wide, high = boxes[node.name]
        shape = "round,pad=0,rounding_size=7"
        axes.add_patch(
            FancyBboxPatch(
                *((x, y), wide, high),
                boxstyle=shape,
                facecolor=_FILLS[node.kind],
                edgecolor="0.2",
                linewidth=0.7,
            )
        )
        axes.text(x + wide / 2, y + high / 2, plain(node.name), ha="center", va="center", size=size)
    figure.text(0.5, 1 - 0.25 * (1 - part), f"{title}: parameters", ha="center", va="top", size=9)
    return figure
