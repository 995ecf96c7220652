"""Fits of a model compared: pairs of them, and questions that ask for a second fit."""

from collections.abc import Mapping
from typing import Any

from skyquilt.config.analysis import Analysis
from skyquilt.config.model import ModelOptions
from skyquilt.config.model_fits import ModelFit, Question
from skyquilt.config.model_functions import FreeLogParabola, FreePowerLaw
from skyquilt.config.model_parameter import FreeParameter
from skyquilt.errors import ConfigError, nearest_to
from skyquilt.model.comparison import compare
from skyquilt.model.problem import ModelProblem
from skyquilt.model.result import Found, find
from skyquilt.steps.model.build import build, model_of
from skyquilt.steps.model.fit import make_fit, start_from

OTHER = "other"
"""Name of the second fit of a question."""


def answer_questions(
    analysis: Analysis, problem: ModelProblem, fits: Mapping[str, Found], summary: str
) -> list[dict[str, Any]]:
    """Comparisons of an analysis, in the order of the configuration.

    Raises
    ------
    ConfigError
        If a question does not fit its fit.
    """
    found = []
    for pair in model_of(analysis).compare:
        if isinstance(pair, Question):
            found.append(_answer(analysis, pair, problem, fits[pair.fit], summary))
        else:
            found.append(compare(fits[pair[0]], fits[pair[1]], pair))
    return found


def _answer(
    analysis: Analysis, question: Question, problem: ModelProblem, asked: Found, summary: str
) -> dict[str, Any]:
    options = model_of(analysis)
    try:
        other, about = other_options(options, question)
    except ValueError as error:
        raise ConfigError(f"model.compare: {error}.") from error
    changed = analysis.model_copy(update={"model": other})
    built = build(changed, OTHER, problem, summary)
    start = start_from(built.posterior.layer, asked)
    made, is_free = make_fit(built, problem, start)
    level = analysis.fit.confidence_level
    second = find(made, problem, is_free=is_free, cl=level, profile=False)
    names = f"{question.fit}, {about}", question.fit
    nested = question.fit if question.curved else None
    return {"question": _text(question), **compare(second, asked, names, nested)}


def _text(question: Question) -> str:
    kinds = ("constant", "common", "curved")
    return next(f"{kind}: {asked}" for kind in kinds if (asked := getattr(question, kind)))


def other_options(options: ModelOptions, question: Question) -> tuple[ModelOptions, str]:
    """The model with the second fit of a question, `OTHER`, and what is other there.

    Raises
    ------
    ValueError
        If the question does not fit its fit.
    """
    fit = options.fits[question.fit]
    if question.constant is not None:
        free = _free(options, fit, question.constant)
        one = free.model_copy(update={"per": None})
        changed = fit.model_copy(update={"set": {**fit.set, question.constant: one}})
        return _with(options, changed), f"{question.constant} constant"
    if question.common is not None:
        source = _source(options, question.common)
        position = source.position
        if position.range is None or position.per is not None:
            raise ValueError(
                f"the position of {question.common} is not one that is fitted for all data sets: "
                "give a `range`, and no `per`"
            )
        moved = position.model_copy(update={"per": "dataset"})
        return (
            _with(options, fit, question.common, source.model_copy(update={"position": moved})),
            f"{question.common} at one position per data set",
        )
    name = question.curved or ""
    source = _source(options, name)
    if not isinstance(source.spectrum, FreePowerLaw):
        raise ValueError(
            f"the spectrum of {name} is {source.spectrum.name}: allowed is power_law, which is bent"
        )
    bent = FreeLogParabola(
        model="log_parabola",
        norm=source.spectrum.norm,
        pivot=source.spectrum.pivot,
        index=source.spectrum.index,
        curvature=FreeParameter(start=0.0),
    )
    curved = source.model_copy(update={"spectrum": bent})
    return _with(options, fit, name, curved), f"{name} curved"


def _with(
    options: ModelOptions, fit: ModelFit, source: str = "", changed: Any = None
) -> ModelOptions:
    sources = options.sources | ({source: changed} if source else {})
    return options.model_copy(update={"sources": sources, "fits": {OTHER: fit}})


def _source(options: ModelOptions, name: str) -> Any:
    if name not in options.sources:
        raise ValueError(f"no source {name!r}; {nearest_to(name, options.sources)}")
    return options.sources[name]


def _free(options: ModelOptions, fit: ModelFit, name: str) -> FreeParameter:
    """A parameter that has a free number per time bin."""
    source, _, part = name.rpartition(".")
    parameter = fit.set.get(name)
    if parameter is None and source in options.sources:
        one = options.sources[source]
        known = {"flux": one.flux}
        for function in (one.spectrum, one.shape):
            known |= {key: value for key, (value, _) in function.parameters().items()}
        parameter = known.get(part)
    if not isinstance(parameter, FreeParameter) or parameter.per != "time_bin":
        raise ValueError(
            f"{name} has no free number per time bin: give `per: time_bin`, or ask another question"
        )
    return parameter
