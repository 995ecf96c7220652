"""What the fits of a model say, as a section of a page."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skyquilt.model.result import Found, Row
from skyquilt.report.numbers import MINUS, n_of, number, with_error, with_errors
from skyquilt.report.page import FileLink, PageSection, Table, read_picture

_BANDS = "bands hold 68 % of the samples, or of what the covariance allows"

_SHOWN = 3  # combinations of numbers that are not determined

_PLOTS = {
    "light-curve": ("Light curve", f"fluxes of the time bins, and functions of time; {_BANDS}"),
    "spectrum": ("Spectrum", f"energy flux density, the mean over the livetime; {_BANDS}"),
    "counts": ("Counts of the time bins", "data, the model with its parts, and residuals"),
    "profiles": ("Profiles", "fall of 2 ln L along a number, all others fitted, and its 68 % ends"),
    "corner": (
        "Samples",
        "each number, and each two of them: regions of 68 and 95 %; crosses and "
        "lines mark true values, where they are known",
    ),
    "parameters": (
        "Parameters",
        "fixed grey, free white, functions blue; dashed arrows are links, "
        "plates hold what each member of an axis has",
    ),
}
"""Heading and caption of figures, by the first word of their names, in their order."""


@dataclass(frozen=True)
class ModelProducts:
    """What is known of a model.

    Attributes
    ----------
    fits : dict of str to Found
        What each fit found, in the order of making.
    comparison : dict
        Content of comparison.json.
    plots : sequence of Path
        PNG files of the figures.
    files : sequence of str
        Tables and files of the fits, from the page.
    """

    fits: Mapping[str, Found]
    comparison: Mapping[str, Any]
    plots: Sequence[Path]
    files: Sequence[str]


def section(model: ModelProducts) -> PageSection:
    """Section of the page."""
    tables = [_fits(model.comparison)]
    if model.comparison["comparisons"]:
        tables.append(_comparisons(model.comparison["comparisons"]))
    tables += [_parameters(name, found) for name, found in model.fits.items()]
    texts = [f"{name}: {_weak(found.weak)}" for name, found in model.fits.items() if found.weak]
    figures = [
        read_picture(path, *_describe(path.stem)) for path in sorted(model.plots, key=_order)
    ]
    links = [FileLink(path, _about(path)) for path in model.files]
    return PageSection("model", "Model", texts, tables, figures, links=links)


def _weak(weak: Sequence[str]) -> str:
    """Numbers that are not determined.

    Examples
    --------
    >>> _weak(["a with b", "c", "d", "e"])
    'not determined: a with b; c; d; and 1 more.'
    """
    more = f"; and {len(weak) - _SHOWN} more" if len(weak) > _SHOWN else ""
    return f"not determined: {'; '.join(weak[:_SHOWN])}{more}."


def _fits(comparison: Mapping[str, Any]) -> Table:
    rows = [
        [
            name,
            _words(one["status"]),
            number(one["log_likelihood"], 6),
            str(one["n_free"]),
            number(one["aic"], 6),
        ]
        for name, one in comparison["fits"].items()
    ]
    heads = ["fit", "status", "ln L", "free numbers", "AIC"]
    return Table(heads, rows, frozenset({2, 3, 4}), "Fits")


def _comparisons(comparisons: Sequence[Mapping[str, Any]]) -> Table:
    rows = [
        [
            " and ".join(one["fits"]),
            number(one["ts"]),
            str(one["dof"]),
            number(one["p_value"]),
            one["note"],
        ]
        for one in comparisons
    ]
    heads = ["fits", "2 Δ ln L", "degrees of freedom", "p-value", ""]
    return Table(heads, rows, frozenset({1, 2, 3}), "Fits compared")


def _parameters(name: str, found: Found) -> Table:
    """Numbers of a fit; of those of which each member of an axis has one, how they ended."""
    alone = [row for row in found.rows if "[" not in row.name]
    rows = [[row.name, _value(row), row.unit, _kind(row), _words(row.status)] for row in alone]
    rows += list(_members(found.rows))
    heads = ["number", "value", "unit", "is", "status"]
    return Table(heads, rows, frozenset({1}), f"Parameters of {name}")


def _value(row: Row) -> str:
    if row.error_low > 0 and row.error_high > 0:
        return with_errors(row.value, row.error_low, row.error_high)
    if row.error > 0:
        return with_error(row.value, row.error)
    return f"{row.value:.6g}".replace("-", MINUS) if row.value == row.value else number(None)


def _members(rows: Sequence[Row]) -> Iterator[list[str]]:
    """One line for all numbers of a quantity."""
    names = dict.fromkeys(row.name.partition("[")[0] for row in rows if "[" in row.name)
    for name in names:
        own = [row for row in rows if row.name.startswith(f"{name}[")]
        values = [row.value for row in own if row.value == row.value]
        ends = f"{number(min(values))} to {number(max(values))}" if values else number(None)
        counts = Counter(row.status for row in own) if own[0].kind == "free" else Counter()
        status = ", ".join(f"{n} {_words(status)}" for status, n in counts.most_common())
        yield [f"{name} ({n_of(len(own), 'number')})", ends, own[0].unit, _kind(own[0]), status]


def _kind(row: Row) -> str:
    text = {"expr": "function", "light_curve": "light curve"}.get(row.kind, row.kind)
    about = f"{text}: {row.definition}" if row.definition else text
    return f"{about}, {row.prior}" if row.prior else about


def _words(text: str) -> str:
    return text.replace("_", " ").replace("expr", "function")


def _order(path: Path) -> tuple[int, str]:
    return next((k for k, kind in enumerate(_PLOTS) if path.stem.startswith(kind)), 99), path.stem


def _describe(stem: str) -> tuple[str, str]:
    """Text alternative and caption of a figure."""
    kind = next((kind for kind in _PLOTS if stem.startswith(kind)), "")
    if not kind:
        return f"Figure {stem} of the model.", stem
    heading, about = _PLOTS[kind]
    of = stem.removeprefix(f"{kind}-")
    return f"{heading} of {of}.", f"{heading}, {of}: {about}."


def _about(path: str) -> str:
    if path.endswith("-bins.ecsv"):
        return "fluxes, limits and expected counts of the time bins"
    if path.endswith("-samples.h5"):
        return "samples, which arviz opens"
    if path.endswith("-samples.ecsv"):
        return "quantiles of the samples, and whether they converged"
    return "numbers of the fit, with errors, ranges and status"
