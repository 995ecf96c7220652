"""The page of one analysis: what its products say, section by section."""

import json
from collections.abc import Iterator, Mapping, Sequence
from math import isfinite
from typing import Any

from skyquilt.products import CONTENTS
from skyquilt.report import calibration, model, populations
from skyquilt.report.content import Products
from skyquilt.report.figures import MAPS, read_figures
from skyquilt.report.flux import flux_rows, source_flux
from skyquilt.report.making import making_sections
from skyquilt.report.notice import format_time
from skyquilt.report.numbers import FLUX_UNIT, area, decimals_of, degrees, n_of, number, percent
from skyquilt.report.page import FileLink, PageSection, Table, read_script, render
from skyquilt.report.position import position_decimals, position_section
from skyquilt.spectra.energies import flux_range, format_range

ARCHIVES = {
    "SIMBAD": "https://simbad.cds.unistra.fr/simbad/sim-coo?Coord={ra}d{dec}d"
    "&Radius=10&Radius.unit=arcmin",
    "NED": "https://ned.ipac.caltech.edu/conesearch?search_type=Near%20Position%20Search"
    "&ra={ra}d&dec={dec}d&radius=10",
    "ESASky": "https://sky.esa.int/esasky/?target={ra}%20{dec}&fov=5&cooframe=J2000",
}
"""Addresses that tell of a position, with its `{ra}` and `{dec}` [deg]."""

_ABOUT_SOURCES = (
    "Positions, TS and fluxes are those of the search, which fits all sources at once and between "
    "the cells of the map."
)
_MAX_SOURCES = 100  # rows of the source list; the file has all


def analysis_page(products: Products, index: str, seal: str = "") -> str:
    """The page of an analysis as HTML.

    Parameters
    ----------
    products : Products
        What is known of it.
    index : str
        Path of the page of all analyses, from that of this one.
    seal : str
        Provenance, see `skyquilt.io.seal`.
    """
    from markupsafe import Markup

    return render(
        "analysis.html",
        {
            "name": products.name,
            "headline": headline(products.summary),
            "warnings": list(_warnings(products)),
            "sections": list(_sections(products)),
            "index": index,
            "sky": None if products.sky is None else Markup(_script_text(products.sky)),
            "archives": ARCHIVES,
            "scripts": [read_script(name) for name in ("sky.js", "tables.js")],
        },
        seal,
    )


def _script_text(content: Mapping[str, Any]) -> str:
    """Content as JSON that may stand within a script of a page: no name in it can end that."""
    return json.dumps(content).replace("<", "\\u003c")


def headline(summary: Mapping[str, Any]) -> str:
    """The result in one sentence."""
    best = summary["best"]
    if best is None:
        return "No direction prefers a source: TS is 0 everywhere."
    position = best["icrs"]
    region, decimals = summary["credible"][-1], position_decimals(summary)
    return (
        f"TS {number(best['ts'])} at R.A. {degrees(position['lon'], decimals)}, "
        f"Dec. {degrees(position['lat'], decimals)}; "
        f"{percent(region['level'])} credible region of {area(region['area_deg2'])}."
    )


def _sections(products: Products) -> Iterator[PageSection]:
    yield _result(products)
    yield position_section(products)
    if products.sources is not None:
        yield _sources(products.sources, products.summary)
    yield _spectrum(products)
    if products.model is not None:
        yield model.section(products.model)
    if products.populations is not None:
        yield populations.section(products.populations)
    if products.calibration is not None:
        yield calibration.section(products.calibration, products.calibration_plots)
    yield from making_sections(products)


def _warnings(products: Products) -> Iterator[str]:
    summary = products.summary
    failed = {
        name: n
        for name, n in summary["pixels"]["by_status"].items()
        if n and name in ("not_converged", "not_finite")
    }
    for name, n in failed.items():
        yield f"{n} pixels could not be fitted ({name.replace('_', ' ')})."
    for region in summary["credible"]:
        if region["is_cut"]:
            yield (
                f"The {percent(region['level'])} credible region touches pixels without a TS; it "
                "may go on there."
            )
    if summary["n_masked_counts"]:
        yield (
            f"{number(summary['n_masked_counts'])} counts in {summary['n_masked_bins']} bins "
            "without background were left out."
        )


def _result(products: Products) -> PageSection:
    summary = products.summary
    rows = [["reference spectrum", summary["spectrum"]]]
    if (shape := summary.get("shape", "point")) != "point":
        rows.append(["shape of the source [deg]", shape])
    rows += _observation(summary)
    rows.append(["energies", format_range(*summary["energy_range_keV"])])
    if best := summary["best"]:
        rows += [
            ["largest TS", f"{number(best['ts'], 4)} (√TS {number(best['sqrt_ts'])})"],
            *flux_rows(summary, products.settings["fit"]["confidence_level"]),
            ["expected source counts", number(best["npred"])],
        ]
    figures = read_figures(products, ("ts", *MAPS))
    links = [FileLink(path, text) for path, text in _described() if path in products.files]
    return PageSection(
        "result", "Result", tables=[Table(["", ""], rows)], figures=figures, links=links
    )


def _observation(summary: Mapping[str, Any]) -> Iterator[list[str]]:
    """Rows that say with what and when was observed, as far as it is known."""
    if instrument := summary.get("instrument"):
        yield ["kind of instrument", instrument]
    if span := summary.get("time_span"):
        start, stop = span
        yield [
            "time (UTC)",
            f"{format_time(start)} to {format_time(stop)}, {number(stop - start, 4)} s",
        ]


def _sources(sources: Sequence[Mapping[str, Any]], summary: Mapping[str, Any]) -> PageSection:
    if not sources:
        return PageSection("sources", "Sources", texts=["No source is above the threshold."])
    rows = [
        [
            str(source["name"]),
            *(degrees(source[name], decimals_of(source["r68"])) for name in ("ra", "dec")),
            degrees(source["r68"] if isfinite(source["r68"]) else None, decimals_of(source["r68"])),
            number(source["ts"]),
            source_flux(source),
            str(source.get("assoc", "")),
        ]
        for source in sources[:_MAX_SOURCES]
    ]
    shown = "" if len(sources) <= _MAX_SOURCES else f", the first {_MAX_SOURCES} of them shown"
    flux = f"photon flux, {format_range(*flux_range(summary))} [{FLUX_UNIT}]"
    heads = ["name", "R.A.", "Dec.", "68 % radius", "TS", flux, "association"]
    table = Table(heads, rows, frozenset({1, 2, 3, 4, 5}), is_sortable=True)
    return PageSection(
        "sources",
        "Sources",
        texts=[f"{n_of(len(sources), 'source')}{shown}. {_ABOUT_SOURCES}"],
        tables=[table],
    )


def _spectrum(products: Products) -> PageSection:
    names = [path.stem for path in products.plots if path.stem.startswith("counts-spectrum")]
    summary = products.summary
    factor = (
        f"Background scaled by {number(summary['background_scale'])} "
        f"({summary['background_scale_from']})"
    )
    components = list(_components(summary))
    if components:
        factor = "The background has components; its counts are those of all bins"
    texts = [f"{factor}; {summary['n_bins']} bins in the likelihood."]
    heads = ["component of the background", "expected counts", "factor", "factor from"]
    tables = [Table(heads, components, frozenset({1, 2}))] if components else []
    figures = read_figures(products, sorted(names))
    return PageSection("spectrum", "Counts", texts=texts, tables=tables, figures=figures)


def _components(summary: Mapping[str, Any]) -> Iterator[list[str]]:
    """Rows of the named components of the background, of all data sets."""
    datasets = {"": summary, **summary.get("datasets", {})}
    for dataset, about in datasets.items():
        for name, one in about.get("backgrounds", {}).items():
            label = "/".join(filter(None, (dataset, name)))
            yield [label, number(one["counts"]), number(one["scale"]), one["scale_from"]]


def _described() -> Iterator[tuple[str, str]]:
    """Files that the page links and what it says of them, in the order of making."""
    return ((path, item.about) for path, item in CONTENTS.items() if item.about)
