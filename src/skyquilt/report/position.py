"""Section of the page that says where the source is: positions, regions, their files."""

from collections.abc import Iterator, Mapping, Sequence
from math import pi, sqrt
from typing import Any

from skyquilt.report.content import Products
from skyquilt.report.figures import read_figures
from skyquilt.report.numbers import area, decimals_of, degrees, number, percent, yes_no
from skyquilt.report.page import FileLink, PageSection, Table

_AXES = (("icrs", "lon"), ("icrs", "lat"), ("galactic", "lon"), ("galactic", "lat"))


def position_section(products: Products) -> PageSection:
    """Section of the page."""
    summary = products.summary
    tables, decimals = [], position_decimals(products.summary)
    positions = {"best": summary["best"], "true": summary["true_position"]}
    rows = [
        [name, *(degrees(position[frame][axis], decimals) for frame, axis in _AXES)]
        for name, position in positions.items()
        if position
    ]
    if rows:
        heads = ["position", "R.A.", "Dec.", "l", "b"]
        tables.append(Table(heads, rows, frozenset({1, 2, 3, 4})))
    tables.append(_credible(summary))
    texts = [_systematic(summary["systematic_error_deg"])]
    if summary["offset_deg"] is not None:
        texts.append(f"The best position is {degrees(summary['offset_deg'])} from the true one.")
    if searched := summary["searched"]:
        texts.append(
            f"The smallest credible region that holds the true position has "
            f"{percent(round(searched['probability'], 3))} of the probability on "
            f"{area(searched['area_deg2'])}."
        )
    names = [path.stem for path in products.plots if path.stem.startswith("credible")]
    return PageSection(
        "position",
        "Position",
        texts=texts,
        tables=tables,
        figures=read_figures(products, ("zoom", *sorted(names))),
        links=list(region_links(summary, "credible")),
    )


def position_decimals(summary: Mapping[str, Any]) -> int:
    """Decimals that the largest credible region leaves to a position."""
    return decimals_of(sqrt(summary["credible"][-1]["area_deg2"] / pi))


def region_links(summary: Mapping[str, Any], kind: str) -> Iterator[FileLink]:
    """Files of the regions of a kind."""
    for region in summary[kind]:
        name = f"{percent(region['level'])} {kind} region"
        yield FileLink(region["files"]["moc"], f"{name} as MOC")
        yield FileLink(region["files"]["ds9"], f"{name} for DS9")


def _systematic(error: float) -> str:
    if error == 0:
        return "The regions hold the statistical error of the position, and no systematic one."
    return f"The credible regions allow for a systematic error of {degrees(error)} along each axis."


def containment_table(regions: Sequence[Mapping[str, Any]]) -> Table:
    """Regions by the drop of TS, for comparison with other codes."""
    rows = [
        [
            percent(region["level"]),
            number(region["threshold"]),
            area(region["area_deg2"]),
            str(region["n_parts"]),
            yes_no(region["is_resolved"]),
            yes_no(region["contains_true_position"]),
        ]
        for region in regions
    ]
    heads = ["region", "TS below maximum", "area", "parts", "resolved", "holds true position"]
    return Table(heads, rows, frozenset({1, 2, 3}), "Containment regions, statistical error only")


def _credible(summary: Mapping[str, Any]) -> Table:
    rows = [
        [
            percent(region["level"]),
            area(region["area_deg2"]),
            str(region["n_parts"]),
            yes_no(region["is_resolved"]),
            yes_no(region["contains_true_position"]),
        ]
        for region in summary["credible"]
    ]
    heads = ["region", "area", "parts", "resolved", "holds true position"]
    title = f"Credible regions, {summary['prior']} prior"
    return Table(heads, rows, frozenset({1, 2}), title)
