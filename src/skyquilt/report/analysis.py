"""The page of one analysis: what its products say, section by section."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import Any

import yaml

from skyquilt.products import CONTENTS
from skyquilt.report import calibration
from skyquilt.report.numbers import area, degrees, number, percent, with_error, yes_no
from skyquilt.report.page import FileLink, Fold, PageSection, Picture, Table, read_picture, render
from skyquilt.spectra.energies import flux_range, format_range

_OTHER_MAPS = {
    "limit": "Upper limit of the flux in each direction.",
    "background-norm": "Best factor on the background in each direction.",
    "template": "Spectrum with the largest TS in each direction.",
}
_MAX_SOURCES = 100  # rows of the source list; the file has all


@dataclass(frozen=True)
class Products:
    """What is known of an analysis.

    Attributes
    ----------
    name : str
        Name of the analysis.
    summary : dict
        Content of summary.json.
    settings : dict
        Configuration of the analysis.
    plots : list of Path
        PNG files of the figures.
    files : set of str
        Names of the products in the folder.
    sources : list of dict, or None
        Rows of the source list; None if none was asked for.
    calibration : dict or None
        Content of calibration.json.
    calibration_plots : list of Path
        PNG files of its figures.
    n_iter : dict of str to float
        Steps of the fits: "median" and "max".
    """

    name: str
    summary: Mapping[str, Any]
    settings: Mapping[str, Any]
    plots: Sequence[Path]
    files: frozenset[str]
    sources: Sequence[Mapping[str, Any]] | None = None
    calibration: Mapping[str, Any] | None = None
    calibration_plots: Sequence[Path] = ()
    n_iter: Mapping[str, float] = field(default_factory=dict)


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
    return render(
        "analysis.html",
        {
            "name": products.name,
            "headline": headline(products.summary),
            "warnings": list(_warnings(products)),
            "sections": list(_sections(products)),
            "index": index,
        },
        seal,
    )


def headline(summary: Mapping[str, Any]) -> str:
    """The result in one sentence."""
    best = summary["best"]
    if best is None:
        return "No direction prefers a source: TS is 0 everywhere."
    position = best["icrs"]
    region = summary["credible"][-1]
    return (
        f"TS {number(best['ts'])} at R.A. {degrees(position['lon'])}, "
        f"Dec. {degrees(position['lat'])}; "
        f"{percent(region['level'])} credible region of {area(region['area_deg2'])}."
    )


def _sections(products: Products) -> Iterator[PageSection]:
    yield _result(products)
    yield _position(products)
    if products.sources is not None:
        yield _sources(products.sources)
    yield _spectrum(products)
    if products.calibration is not None:
        yield calibration.section(products.calibration, products.calibration_plots)
    yield _quality(products)
    yield _time(products.summary["stages"])
    yield _configuration(products.settings)
    yield _provenance(products)


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
    rows.append(["energies", format_range(*summary["energy_range_keV"])])
    if best := summary["best"]:
        rows += [
            ["largest TS", f"{number(best['ts'], 4)} (√TS {number(best['sqrt_ts'])})"],
            ["flux", f"{with_error(best['flux'], best['flux_err'])} × reference"],
            [_photon_flux(summary), f"{number(best['photon_flux'])} ph cm⁻² s⁻¹"],
            ["expected source counts", number(best["npred"])],
        ]
        if "flux_ul" in best:
            rows.insert(4, ["upper limit of the flux", f"{number(best['flux_ul'])} × reference"])
    figures = _figures(products, ("ts", "flux", *_OTHER_MAPS))
    links = [FileLink(path, text) for path, text in _described() if path in products.files]
    return PageSection(
        "result", "Result", tables=[Table(["", ""], rows)], figures=figures, links=links
    )


def _photon_flux(summary: Mapping[str, Any]) -> str:
    is_other = summary.get("flux_range_keV") is not None
    return f"photon flux in {format_range(*flux_range(summary))}" if is_other else "photon flux"


def _position(products: Products) -> PageSection:
    summary = products.summary
    tables = []
    positions = {"best": summary["best"], "true": summary["true_position"]}
    rows = [
        [name, *(degrees(position[frame][axis], 4) for frame, axis in _AXES)]
        for name, position in positions.items()
        if position
    ]
    if rows:
        heads = ["position", "R.A.", "Dec.", "l", "b"]
        tables.append(Table(heads, rows, frozenset({1, 2, 3, 4})))
    tables += [_credible(summary), _containment(summary["containment"])]
    texts = [_systematic(summary["systematic_error_deg"])]
    if summary["offset_deg"] is not None:
        texts.append(f"The best position is {degrees(summary['offset_deg'])} from the true one.")
    if searched := summary["searched"]:
        texts.append(
            f"The smallest credible region that holds the true position has "
            f"{percent(round(searched['probability'], 3))} of the probability on "
            f"{area(searched['area_deg2'])}."
        )
    names = [path.stem for path in products.plots if path.stem.startswith("containment")]
    return PageSection(
        "position",
        "Position",
        texts=texts,
        tables=tables,
        figures=_figures(products, ("zoom", *sorted(names))),
        links=list(_region_links(summary)),
    )


_AXES = (("icrs", "lon"), ("icrs", "lat"), ("galactic", "lon"), ("galactic", "lat"))


def _region_links(summary: Mapping[str, Any]) -> Iterator[FileLink]:
    for kind in ("containment", "credible"):
        for region in summary[kind]:
            name = f"{percent(region['level'])} {kind} region"
            yield FileLink(region["files"]["moc"], f"{name} as MOC")
            yield FileLink(region["files"]["ds9"], f"{name} for DS9")


def _systematic(error: float) -> str:
    if error == 0:
        return "The regions hold the statistical error of the position, and no systematic one."
    return (
        f"The credible regions allow for a systematic error of {degrees(error)} along each axis; "
        "the containment regions do not."
    )


def _containment(regions: Sequence[Mapping[str, Any]]) -> Table:
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
    heads = ["region", "drop of TS", "area", "parts", "resolved", "holds true position"]
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


def _sources(sources: Sequence[Mapping[str, Any]]) -> PageSection:
    if not sources:
        return PageSection("sources", "Sources", texts=["No source is above the threshold."])
    rows = [
        [
            str(source["name"]),
            degrees(source["ra"], 3),
            degrees(source["dec"], 3),
            degrees(source["r68"] if isfinite(source["r68"]) else None, 3),
            number(source["ts"]),
            with_error(source["flux"], source["flux_err"]),
            str(source.get("assoc", "")),
        ]
        for source in sources[:_MAX_SOURCES]
    ]
    shown = "" if len(sources) <= _MAX_SOURCES else f", the first {_MAX_SOURCES} of them shown"
    heads = ["name", "R.A.", "Dec.", "68 % radius", "TS", "flux / reference", "association"]
    table = Table(heads, rows, frozenset({1, 2, 3, 4, 5}))
    return PageSection(
        "sources", "Sources", texts=[f"{len(sources)} sources{shown}."], tables=[table]
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
    figures = _figures(products, sorted(names))
    return PageSection("spectrum", "Counts", texts=texts, tables=tables, figures=figures)


def _components(summary: Mapping[str, Any]) -> Iterator[list[str]]:
    """Rows of the named components of the background, of all data sets."""
    datasets = {"": summary, **summary.get("datasets", {})}
    for dataset, about in datasets.items():
        for name, one in about.get("backgrounds", {}).items():
            label = "/".join(filter(None, (dataset, name)))
            yield [label, number(one["counts"]), number(one["scale"]), one["scale_from"]]


def _quality(products: Products) -> PageSection:
    pixels = products.summary["pixels"]
    rows = [
        [name.replace("_", " "), str(n), percent(round(n / pixels["n_pixels"], 4))]
        for name, n in pixels["by_status"].items()
        if n
    ]
    table = Table(["status", "pixels", "part"], rows, frozenset({1, 2}), "Pixels by status")
    texts = [
        f"{pixels['n_pixels']} pixels of nside {products.summary['nside']}, "
        f"{number(pixels['area_deg2'], 5)} deg². At the bound means an under-fluctuation: the best "
        "flux is 0."
    ]
    if products.n_iter:
        texts.append(
            f"The fits took {products.n_iter['median']:g} steps as a rule and "
            f"{products.n_iter['max']:g} at most."
        )
    return PageSection("quality", "Quality", texts=texts, tables=[table])


def _time(stages: Sequence[Mapping[str, Any]]) -> PageSection:
    rows = [
        [
            stage["stage"],
            str(stage["n_jobs"]),
            number(stage["wall_s"]),
            number(stage["cpu_s"]),
            number(stage["peak_memory_mb"]),
        ]
        for stage in stages
    ]
    total = [sum(stage[key] for stage in stages) for key in ("wall_s", "cpu_s")]
    rows.append(["all", "", *map(number, total), ""])
    heads = ["stage", "jobs", "wall time [s]", "CPU time [s]", "memory [MB]"]
    table = Table(heads, rows, frozenset({1, 2, 3, 4}))
    text = "Times of several jobs are added up; memory is that of the largest process."
    return PageSection("time", "Time", texts=[text], tables=[table])


def _configuration(settings: Mapping[str, Any]) -> PageSection:
    text = yaml.safe_dump(dict(settings), sort_keys=False, allow_unicode=True)
    return PageSection("configuration", "Configuration", folds=[Fold("All settings", text)])


def _provenance(products: Products) -> PageSection:
    record = products.summary["provenance"]["maps"]
    inputs = [
        [item["path"], number(item["size"] / 1e6), item["sha256"][:16]] for item in record["inputs"]
    ]
    tables = [Table(["input", "MB", "SHA-256"], inputs, frozenset({1}))]
    versions = ", ".join(f"{name} {text}" for name, text in products.summary["versions"].items())
    text = f"Maps of {record['ended_utc'][:19]} UTC. {versions}."
    full = json.dumps(products.summary["provenance"], indent=2)
    return PageSection(
        "provenance",
        "Provenance",
        texts=[text],
        tables=tables,
        folds=[Fold("Full record", full)],
    )


def _described() -> Iterator[tuple[str, str]]:
    """Files that the page links and what it says of them, in the order of making."""
    return ((path, item.about) for path, item in CONTENTS.items() if item.about)


def _figures(products: Products, names: Sequence[str]) -> list[Picture]:
    by_name = {path.stem: path for path in products.plots}
    return [
        read_picture(by_name[name], *_describe(name, products.summary))
        for name in names
        if name in by_name
    ]


def _describe(name: str, summary: Mapping[str, Any]) -> tuple[str, str]:
    """Text alternative and caption of a figure."""
    best = summary["best"]
    peak = "no source is preferred anywhere"
    if best:
        position = best[summary["frame"]]
        peak = (
            f"the largest TS is {number(best['ts'])} at longitude {degrees(position['lon'])}, "
            f"latitude {degrees(position['lat'])}"
        )
    frame = {"galactic": "galactic coordinates", "icrs": "ICRS"}[summary["frame"]]
    if name == "ts":
        return f"Map of the test statistic in {frame}; {peak}.", "Test statistic."
    if name == "flux":
        return f"Map of the best flux in {frame}.", "Best flux of a source in each direction."
    if name in _OTHER_MAPS:
        return f"Map in {frame}: {_OTHER_MAPS[name].lower()}", _OTHER_MAPS[name]
    if name == "zoom":
        return (
            f"Test statistic around its maximum, with the regions; {peak}.",
            "Around the maximum.",
        )
    if name.startswith("containment-"):
        region = next(
            (r for r in summary["containment"] if name == f"containment-{100 * r['level']:g}"), None
        )
        extent = f" of {area(region['area_deg2'])}" if region else ""
        level = f"{name.removeprefix('containment-')} %"
        return (
            f"Outline of the {level} containment region{extent} in {frame}.",
            f"{level} containment region, statistical error only.",
        )
    return "Counts per measured energy: data, background model and terms.", "Counts per energy."
