"""Outlines of the regions of a localisation, to draw into maps of any frame."""

from collections.abc import Mapping
from textwrap import fill
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke

from skyquilt.maps.multiorder import MultiOrderMap
from skyquilt.sky.frames import rotation
from skyquilt.sky.outline import outline

_LINES: dict[str, Any] = {
    "linewidth": 0.8,
    "zorder": 2.5,  # between the marks, which are larger than a pixel of most maps
    "path_effects": [withStroke(linewidth=1.7, foreground="black")],
}
_STYLES: dict[str, Any] = {"credible": "solid", "containment": (0, (2.5, 1.5))}


class OutlinedRegion(NamedTuple):
    """Region of the summary and where its edges lie.

    Attributes
    ----------
    kind : {"containment", "credible"}
        Kind of region.
    entry : dict
        What the summary says of it.
    edges : ndarray of float64, shape (n_edge, 2, 3)
        Unit vectors of the ends of each edge in the frame of the map to draw into.
    """

    kind: str
    entry: Mapping[str, Any]
    edges: np.ndarray


def outline_regions(
    cells: MultiOrderMap, summary: Mapping[str, Any], frame: str
) -> list[OutlinedRegion]:
    """All regions of a summary, by falling level, containment before credible.

    Parameters
    ----------
    cells : MultiOrderMap
        Content of skymap.multiorder.fits.
    summary : dict
        The summary made with it.
    frame : {"galactic", "icrs"}
        Frame of the edges.
    """
    regions = []
    for kind, is_inside in (("containment", _is_contained), ("credible", _is_credible)):
        for entry in summary[kind]:
            edges = outline(cells.uniq[is_inside(cells, entry["threshold"])])
            turned = edges @ rotation(cells.frame, frame).T
            regions.append(OutlinedRegion(kind, entry, turned))
    return sorted(regions, key=lambda region: -region.entry["level"])


def credible_regions(regions: list[OutlinedRegion]) -> list[OutlinedRegion]:
    """The regions to use, of those of a summary."""
    return [region for region in regions if region.kind == "credible"]


def _is_contained(cells: MultiOrderMap, threshold: float) -> np.ndarray:
    return np.nanmax(cells.ts) - cells.ts <= threshold


def _is_credible(cells: MultiOrderMap, threshold: float) -> np.ndarray:
    return cells.columns["probdensity"] >= threshold


def describe(region: OutlinedRegion) -> str:
    """Level, kind, area and caveats of a region in one line.

    Examples
    --------
    >>> entry = {"level": 0.9, "area_deg2": 13.4, "n_pixels": 1, "n_parts": 1}
    >>> entry |= {"is_resolved": False, "is_cut": False}
    >>> describe(OutlinedRegion("credible", entry, None))
    '90 % credible: 13.4 deg² (1 cell, not resolved)'
    """
    entry = region.entry
    n_cells, n_parts, area = (entry[key] for key in ("n_pixels", "n_parts", "area_deg2"))
    size = f"{n_cells} cell{'s' * (n_cells > 1)}"
    parts = f" in {n_parts} parts" if n_parts > 1 else ""
    caveat = "" if entry["is_resolved"] else ", not resolved"
    at_least = "at least " if entry["is_cut"] else ""
    number = f"{area:.0f}" if area > 1000 else f"{area:.3g}"
    name = f"{100 * entry['level']:g} % {region.kind}"
    name += ", statistical" if region.kind == "containment" else ""
    return f"{name}: {at_least}{number} deg² ({size}{parts}{caveat})"


def label_region(region: OutlinedRegion, width: int) -> str:
    """What `describe` says, in lines of so many characters for a legend."""
    return fill(describe(region), width)


def draw_region(
    axes: Axes, x: np.ndarray, y: np.ndarray, region: OutlinedRegion, color: str, width: int
) -> None:
    """Draw edges of a region as one artist with one label.

    Credible regions have full lines, containment ones dashed.

    Parameters
    ----------
    axes : Axes
        Map to draw into.
    x, y : ndarray of float64, shape (n_edge, 2)
        Positions of the ends of each edge; NaN leaves a gap.
    region : OutlinedRegion
        The region.
    color : str
        Colour of the line.
    width : int
        Characters in a line of the legend.
    """
    gap = np.full((len(x), 1), np.nan)
    x, y = (np.concatenate([part, gap], axis=1).ravel() for part in (x, y))
    style: dict[str, Any] = {
        "linestyle": _STYLES[region.kind],
        "label": label_region(region, width),
        "gid": "region",
    }
    axes.plot(x, y, color=color, **style, **_LINES)
