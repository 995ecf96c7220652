"""The page of an analysis that has no map: a model, populations, or both."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from skyquilt.report import model, populations
from skyquilt.report.making import configuration_section, provenance_section, time_section
from skyquilt.report.model import ModelProducts
from skyquilt.report.numbers import n_of, number
from skyquilt.report.page import PageSection, read_script, render


def model_page(
    name: str,
    found: ModelProducts | None,
    settings: Mapping[str, Any],
    records: Mapping[str, Mapping[str, Any]],
    index: str,
    seal: str = "",
    *,
    fractions: Mapping[str, Any] | None = None,
) -> str:
    """The page of an analysis without a map as HTML.

    Parameters
    ----------
    name : str
        Name of the analysis.
    found : ModelProducts or None
        What its model found.
    settings : dict
        Configuration of the analysis.
    records : dict of str to dict
        Provenance of the measurement, the fits and the comparison, in the order of making, by the
        paths of the files from the page.
    index : str
        Path of the page of all analyses, from that of this one.
    seal : str
        Provenance, see `skyquilt.io.seal`.
    fractions : dict, optional
        Content of populations.json.
    """
    lines = [] if found is None else [model_headline(found.comparison)]
    lines += [] if fractions is None else [populations.headline(fractions)]
    content: dict[str, Any] = {
        "name": name,
        "headline": " ".join(lines),
        "warnings": [] if found is None else list(_warnings(found)),
        "sections": list(_sections(found, fractions, settings, records)),
        "index": index,
        "sky": None,
        "archives": {},
        "scripts": [read_script("tables.js")],
    }
    return render("analysis.html", content, seal)


def model_headline(comparison: Mapping[str, Any]) -> str:
    """The fit of the smallest AIC in one sentence.

    Examples
    --------
    >>> fit = {"status": "good", "log_likelihood": 12.5, "n_free": 3, "aic": -19.0}
    >>> model_headline({"fits": {"joint": fit}})
    '1 fit of a model, no map; joint has ln L 12.5000 with 3 free numbers.'
    """
    fits = comparison["fits"]
    best = min(fits, key=lambda fit: fits[fit]["aic"])
    least = " the smallest AIC:" if len(fits) > 1 else ""
    return (
        f"{n_of(len(fits), 'fit')} of a model, no map; {best} has{least} ln L "
        f"{number(fits[best]['log_likelihood'], 6)} with "
        f"{n_of(fits[best]['n_free'], 'free number')}."
    )


def _warnings(found: ModelProducts) -> Iterator[str]:
    for name, one in found.comparison["fits"].items():
        if one["status"] in ("not_converged", "degenerate"):
            yield f"Fit {name}: {one['status'].replace('_', ' ')}."


def _sections(
    found: ModelProducts | None,
    fractions: Mapping[str, Any] | None,
    settings: Mapping[str, Any],
    records: Mapping[str, Mapping[str, Any]],
) -> Iterator[PageSection]:
    if found is not None:
        yield model.section(found)
    if fractions is not None:
        yield populations.section(fractions)
    yield time_section([stage for record in records.values() for stage in record["stages"]])
    yield configuration_section(settings)
    first, last = next(iter(records.values())), list(records.values())[-1]
    versions = {"skyquilt": last["skyquilt"], **last["versions"]}
    full = json.dumps(dict(records), indent=2, default=str)
    yield provenance_section(first, f"Made until {last['ended_utc'][:19]} UTC", versions, full)
