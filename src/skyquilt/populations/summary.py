"""Numbers of populations for people and programs: `populations.json`."""

from math import isfinite
from typing import Any

import numpy as np

from skyquilt.inference.climb import Status
from skyquilt.io.schema import Schema
from skyquilt.populations.estimate import Estimate
from skyquilt.populations.mixture import Mixture
from skyquilt.populations.posterior import Posterior

# 1.0  first version
SCHEMA = Schema("skyquilt/populations", "1.0", "skyquilt populations infer")

_QUANTILES = {"median": 0.5, "lower_68": 0.16, "upper_68": 0.84, "upper_95": 0.95}


def summarise(mixture: Mixture, best: Estimate, drawn: Posterior) -> dict[str, Any]:
    """Numbers of a model.

    Parameters
    ----------
    mixture : Mixture
        Its populations.
    best : Estimate
        Their maximum of the likelihood.
    drawn : Posterior
        Draws from their posterior.

    Returns
    -------
    dict
        For JSON: what is not known is null.
    """
    k = len(mixture.populations)
    mean, deviation = drawn.mean()
    quantiles = drawn.quantiles(np.array(list(_QUANTILES.values()))).T
    values = mixture.split(best.parameter)
    errors = np.sqrt(np.diag(best.covariance))
    scale = np.where(errors > 0, errors, np.nan)
    correlation = best.covariance / np.outer(scale, scale)
    populations = {}
    for number, one in enumerate(mixture.populations):
        is_there = not np.any(np.isnan(values[number]))
        populations[one.name] = {
            "fraction": _number(best.fraction[number]),
            "fraction_err": _number(best.fraction_err[number]),
            "events": _number(best.events[number]),
            "events_err": _number(errors[number]),
            "expected_events": _number(one.expected),
            "over_expected": _number(one.factor(best.events[number], values[number]))
            if is_there
            else None,
            "ts": _number(best.ts[number]),
            "posterior": _posterior(mean[number], deviation[number], quantiles[number]),
        }
    parameters = {
        one.name: {
            "value": _number(best.parameter[number]),
            "error": _number(errors[k + number]),
            "range": [one.lower, one.upper],
            "posterior": _posterior(mean[k + number], deviation[k + number], quantiles[k + number]),
        }
        for number, one in enumerate(mixture.parameters)
    }
    return {
        "populations": populations,
        "parameters": parameters,
        "status": str(Status(best.status)),
        "n_events": float(mixture.counts.sum()),
        "ln_likelihood": best.ln_likelihood,
        "ln_evidence": drawn.ln_evidence,
        "ln_evidence_err": drawn.ln_evidence_err,
        "effective_draws": drawn.effective,
        "draws": len(drawn.weight),
        "correlation": {
            "of": [*(f"{name} events" for name in mixture.names), *parameters],
            "matrix": [[_number(one) for one in row] for row in correlation],
        },
    }


def _posterior(mean: float, deviation: float, quantiles: np.ndarray) -> dict[str, float]:
    each = {name: float(one) for name, one in zip(_QUANTILES, quantiles, strict=True)}
    return {"mean": float(mean), "standard_deviation": float(deviation)} | each


def _number(value: float) -> float | None:
    return float(value) if isfinite(value) else None
