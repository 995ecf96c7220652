"""Sections of the page on how results came about: fits, time, configuration, provenance."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from skyquilt.report.content import Products
from skyquilt.report.figures import read_figures
from skyquilt.report.numbers import number, percent
from skyquilt.report.page import Fold, PageSection, Table
from skyquilt.report.position import containment_table, region_links

_ABOUT_CONTAINMENT = (
    "Containment regions follow from the drop of TS alone, as other codes give them. They hold no "
    "systematic error and no prior: take the credible regions above."
)


def making_sections(products: Products) -> Iterator[PageSection]:
    """Sections of the page, in their order."""
    yield _quality(products)
    yield time_section(products.summary["stages"])
    yield configuration_section(products.settings)
    summary = products.summary
    record, full = summary["provenance"]["maps"], json.dumps(summary["provenance"], indent=2)
    made = f"Maps of {record['ended_utc'][:19]} UTC"
    yield provenance_section(record, made, summary["versions"], full)


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
            f"The fits took {products.n_iter['median']:g} steps in the median and "
            f"{products.n_iter['max']:g} at most."
        )
    texts.append(_ABOUT_CONTAINMENT)
    regions = containment_table(products.summary["containment"])
    names = sorted(path.stem for path in products.plots if path.stem.startswith("containment"))
    return PageSection(
        "quality",
        "Quality",
        texts=texts,
        tables=[table, regions],
        figures=read_figures(products, ["ts-histogram", *names]),
        links=list(region_links(products.summary, "containment")),
    )


def time_section(stages: Sequence[Mapping[str, Any]]) -> PageSection:
    """What each stage took."""
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


def configuration_section(settings: Mapping[str, Any]) -> PageSection:
    """All settings of an analysis, to open."""
    text = yaml.safe_dump(dict(settings), sort_keys=False, allow_unicode=True)
    return PageSection("configuration", "Configuration", folds=[Fold("All settings", text)])


def provenance_section(
    record: Mapping[str, Any], made: str, versions: Mapping[str, str], full: str
) -> PageSection:
    """Where results come from.

    Parameters
    ----------
    record : dict
        Provenance whose inputs are listed.
    made : str
        What was made, and when.
    versions : dict of str to str
        Versions by name.
    full : str
        Everything, as JSON.
    """
    data = record.get("answers", {}).get("data", {})
    files = [[path, str(digest)[:16]] for path, digest in data.items()]
    inputs = [
        [item["path"], number(item["size"] / 1e6), item["sha256"][:16]] for item in record["inputs"]
    ]
    tables = [Table(["made from", "MB", "SHA-256"], inputs, frozenset({1}))]
    if files:
        tables.insert(0, Table(["file of data", "SHA-256"], files))
    text = f"{made}. {', '.join(f'{name} {text}' for name, text in versions.items())}."
    return PageSection(
        "provenance",
        "Provenance",
        texts=[text],
        tables=tables,
        folds=[Fold("Full record", full)],
    )
