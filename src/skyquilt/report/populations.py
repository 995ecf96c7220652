"""Which populations the events come from, as a section of a page."""

from collections.abc import Mapping
from typing import Any

from skyquilt.report.numbers import n_of, number, with_error
from skyquilt.report.page import FileLink, PageSection, Table

_FILES = {
    "populations/populations.json": "all numbers",
    "populations/posterior.h5": "draws from the posterior",
    "populations/classes.fits": "probability of each event for each population",
}
_TEXT = (
    "Fractions are the best ones with standard errors; means and upper ends are those of the "
    "posterior. TS is what 2 ln L loses without the population; over expected says how many times "
    "the events are that its spectrum or its fluxes predict."
)


def section(content: Mapping[str, Any]) -> PageSection:
    """Section of the page, from the content of populations.json."""
    models = content["models"]
    whole = models["all"]
    tables = [_fractions(whole)]
    if whole["parameters"]:
        tables.append(_parameters(whole["parameters"]))
    if len(models) > 1:
        tables.append(_models(models))
    links = [FileLink(path, about) for path, about in _FILES.items()]
    return PageSection("populations", "Populations", [_TEXT], tables, links=links)


def headline(content: Mapping[str, Any]) -> str:
    """The result in one sentence."""
    whole = content["models"]["all"]
    parts = ", ".join(
        f"{name} {100 * one['fraction']:.3g} %" for name, one in whole["populations"].items()
    )
    n_events, n = n_of(int(whole["n_events"]), "event"), len(whole["populations"])
    return f"{n_events} of {n} populations: {parts}."


def _fractions(model: Mapping[str, Any]) -> Table:
    rows = [
        [
            name,
            _value(one["fraction"], one["fraction_err"]),
            number(one["posterior"]["mean"], 4),
            number(one["posterior"]["upper_95"], 4),
            _value(one["events"], one["events_err"]),
            number(one["over_expected"]),
            number(one["ts"]),
        ]
        for name, one in model["populations"].items()
    ]
    heads = ["population", "fraction", "mean", "95 % below", "events", "over expected", "TS"]
    return Table(heads, rows, frozenset(range(1, 7)), "Fractions")


def _parameters(parameters: Mapping[str, Any]) -> Table:
    rows = [
        [
            name,
            _value(one["value"], one["error"]),
            with_error(one["posterior"]["mean"], one["posterior"]["standard_deviation"]),
        ]
        for name, one in parameters.items()
    ]
    return Table(["parameter", "best", "posterior"], rows, frozenset({1, 2}), "Parameters")


def _models(models: Mapping[str, Any]) -> Table:
    rows = [
        [
            name,
            ", ".join(one["populations"]),
            number(one["ln_likelihood"], 8),
            with_error(one["ln_evidence"], one["ln_evidence_err"]),
            number(one["ln_bayes_factor"]),
            f"{one['effective_draws']:.0f} of {one['draws']}",
        ]
        for name, one in models.items()
    ]
    heads = ["model", "populations", "ln L", "ln evidence", "less that of all", "effective draws"]
    return Table(heads, rows, frozenset({2, 3, 4}), "Models compared")


def _value(value: float | None, error: float | None) -> str:
    if value is None or error is None or not error > 0:
        return number(value, 4)
    return with_error(value, error)
