"""What a fit found, as tables: the parameters, and what there is of each bin."""

from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from skyquilt.inference.arrow import Arrow
from skyquilt.inference.climb import Status
from skyquilt.inference.profile import Range, interval, upper_end
from skyquilt.model.fit import Fit
from skyquilt.model.problem import ModelProblem
from skyquilt.model.problems import CellLikelihood
from skyquilt.model.quantities import Curve, Expression, Fixed, Free, Link, Prior, Quantity

NO_DATA = "no_data"
"""Status of a number whose bins have no livetime."""

_NAMED = 0.1  # part of the largest component of a direction from which on a number is named


class Row(NamedTuple):
    """One number of a model.

    Attributes
    ----------
    name, unit : str
        Name, as "burst.flux[3]", and unit.
    kind : {"fixed", "free", "link", "expr", "light_curve"}
        What it is.
    definition : str
        Link, expression or light curve; "" for others.
    start, value : float
        Where the fit began, and the best value.
    error : float
        Standard error; NaN if there is none.
    error_low, error_high : float
        Distance to both sides at which 2 ln L has fallen by 1; NaN where it was not looked for.
    lower, upper : float
        Range.
    prior : str
        Prior, "" for none.
    status : str
        Of a free number how its fit ended; the kind of others.
    """

    name: str
    unit: str
    kind: str
    definition: str
    start: float
    value: float
    error: float
    error_low: float
    error_high: float
    lower: float
    upper: float
    prior: str
    status: str


class Found(NamedTuple):
    """All that a fit found.

    Attributes
    ----------
    rows : list of Row
        Every number of the model.
    names : list of str
        Free numbers, in the order of the following.
    x, gradient : ndarray of float64, shape (p,)
        Best values, and the slope of ln L there.
    covariance : ndarray of float64, shape (p, p)
        NaN where a number is at a bound or not determined.
    is_free, is_bound : ndarray of bool, shape (p,)
        Numbers that were fitted, and those at an end of their range.
    log_likelihood, log_posterior : float
        Without and with priors.
    n_iter : int
        Passes of the fit.
    status : str
        How it ended.
    weak : list of str
        Numbers that are not determined, one text per combination.
    bins : dict of str to ndarray, shape (n_cell,)
        What there is of each cell.
    """

    rows: list[Row]
    names: list[str]
    x: np.ndarray
    gradient: np.ndarray
    covariance: np.ndarray
    is_free: np.ndarray
    is_bound: np.ndarray
    log_likelihood: float
    log_posterior: float
    n_iter: int
    status: str
    weak: list[str]
    bins: dict[str, np.ndarray]


def describe_prior(prior: Prior | None) -> str:
    """A prior as text.

    Examples
    --------
    >>> describe_prior(Prior("normal", 1.0, 0.05)), describe_prior(None)
    ('normal(1, 0.05)', '')
    """
    if prior is None:
        return ""
    numbers = (one if isinstance(one, str) else f"{one:.6g}" for one in prior[1:])
    return f"{prior.kind}({', '.join(numbers)})"


def describe_weak(fit: Fit) -> list[str]:
    """Combinations of numbers that are not determined, by their names."""
    curvature = fit.climb.derivatives.curvature
    diagonal = curvature.diagonal() if isinstance(curvature, Arrow) else np.diag(curvature[0])
    with np.errstate(divide="ignore"):
        size = np.where(diagonal > 0, 1 / np.sqrt(np.maximum(diagonal, 0)), 1.0)
    names = fit.posterior.layer.names
    found = []
    for direction in np.abs(fit.covariance.weak) / size:
        named = np.flatnonzero(direction > _NAMED * direction.max())
        found.append(" with ".join(names[number] for number in named))
    return found


def find(
    fit: Fit, problem: ModelProblem, *, is_free: np.ndarray, cl: float, profile: bool
) -> Found:
    """All that a fit found.

    Parameters
    ----------
    fit : Fit
        The fit.
    problem : ModelProblem
        Its measurement.
    is_free : ndarray of bool, shape (p,)
        Numbers that were fitted; the bins of the others have no livetime.
    cl : float
        Confidence level of upper limits of the flux.
    profile : bool
        Look for errors to both sides.
    """
    layer, end = fit.posterior.layer, fit.climb
    likelihood = fit.posterior.likelihood
    assert isinstance(likelihood, CellLikelihood)
    sides = _sides(fit, is_free) if profile else np.full((layer.n_free, 2), np.nan)
    return Found(
        rows=_rows(fit, is_free, sides),
        names=layer.names,
        x=fit.x,
        gradient=end.derivatives.gradient[0],
        covariance=fit.covariance.matrix,
        is_free=is_free,
        is_bound=end.is_bound[0],
        log_likelihood=likelihood.value(fit.values),
        log_posterior=fit.log_posterior,
        n_iter=int(end.n_iter[0]),
        status=str(fit.status),
        weak=describe_weak(fit),
        bins=_bins(fit, problem, likelihood, is_free, cl),
    )


def _sides(fit: Fit, is_free: np.ndarray) -> np.ndarray:
    """Errors to both sides of every free number, shape (p, 2)."""
    layer = fit.posterior.layer
    ranges = Range(layer.lower, layer.upper)
    found = np.full((layer.n_free, 2), np.nan)
    for number in np.flatnonzero(is_free):
        ends = interval(fit.posterior, fit.climb, int(number), ranges, is_free=is_free)
        found[number] = fit.x[number] - ends.low, ends.high - fit.x[number]
    return found


def _rows(fit: Fit, is_free: np.ndarray, sides: np.ndarray) -> list[Row]:
    layer = fit.posterior.layer
    begin, values = layer.values(layer.start), fit.values
    rows = []
    for name, quantity in layer.quantities.items():
        if isinstance(quantity, Free):
            rows += _free_rows(fit, name, quantity, is_free, sides)
            continue
        kind, definition = _kind(quantity)
        value, start = (np.atleast_1d(one[name]) for one in (values, begin))
        moves = name in layer.moving
        error = np.atleast_1d(fit.error_of(name)) if moves else np.full(value.shape, np.nan)
        for member in range(value.size):
            number = f"[{member}]" if value.size > 1 or np.ndim(values[name]) else ""
            of_row = start[member], value[member], error[member], np.nan, np.nan
            ends = -np.inf, np.inf, ""
            rows.append(
                Row(f"{name}{number}", layer.unit_of(name), kind, definition, *of_row, *ends, kind)
            )
    return rows


def _free_rows(
    fit: Fit, name: str, free: Free, is_free: np.ndarray, sides: np.ndarray
) -> list[Row]:
    layer = fit.posterior.layer
    prior = describe_prior(free.prior)
    rows = []
    for number in layer.numbers(name).tolist():
        status = _status(fit, number, bool(is_free[number]))
        value = fit.x[number] if is_free[number] else np.nan
        error = fit.errors[number] if is_free[number] else np.nan
        low, high = sides[number].tolist()
        what = layer.names[number], free.unit, "free", ""
        ends = layer.lower[number], layer.upper[number], prior, status
        rows.append(Row(*what, layer.start[number], value, error, low, high, *ends))
    return rows


def _status(fit: Fit, number: int, is_free: bool) -> str:
    if not is_free:
        return NO_DATA
    if fit.is_lost[number]:
        return str(Status.NOT_CONVERGED)
    if fit.climb.is_bound[0, number]:
        return str(Status.AT_BOUND)
    weak = fit.covariance.weak[:, number] != 0
    if np.isnan(fit.errors[number]) and np.any(weak):
        alone = np.count_nonzero(fit.covariance.weak[weak], axis=1) == 1
        return str(Status.NO_EFFECT if np.any(alone) else Status.DEGENERATE)
    return str(Status.GOOD)


def _kind(quantity: Quantity) -> tuple[str, str]:
    match quantity:
        case Fixed():
            return "fixed", ""
        case Link():
            return "link", quantity.to
        case Expression():
            return "expr", quantity.text
        case Curve():
            return "light_curve", quantity.kind
        case _:
            return "free", ""


def _bins(
    fit: Fit,
    problem: ModelProblem,
    likelihood: CellLikelihood,
    is_free: np.ndarray,
    cl: float,
) -> dict[str, np.ndarray]:
    cells, values = problem.cells, fit.values
    n_cell = cells.n_cell
    names = np.array(problem.datasets)[cells.axes["dataset"]]
    found: dict[str, np.ndarray] = {"dataset": names, "time_bin": cells.axes["time_bin"]}
    for key in ("start", "stop"):
        found[key] = np.concatenate([getattr(one, key) for one in problem.data])
    found |= {"livetime": problem.livetime, "counts": problem.counts}
    npred = likelihood.npred(values)
    found["npred"] = np.sum(list(npred.values()), axis=0) if npred else np.zeros(n_cell)
    found |= {f"npred_{name}": value for name, value in npred.items()}
    by_cell = likelihood.by_cell(values)
    for name in (key.removesuffix(".flux") for key in values if key.endswith(".flux")):
        found |= _of_source(fit, likelihood, by_cell, name, is_free, cl)
    dark = ~problem.is_exposed
    for key, column in found.items():
        if key.startswith(("flux_", "ts_")):
            column[dark] = np.nan
    return found


def _of_source(
    fit: Fit,
    likelihood: CellLikelihood,
    by_cell: np.ndarray,
    source: str,
    is_free: np.ndarray,
    cl: float,
) -> dict[str, np.ndarray]:
    """Flux, error, upper limit and TS of a source in each cell."""
    name, values, layer = f"{source}.flux", fit.values, fit.posterior.layer
    n_cell = by_cell.size
    error = fit.error_of(name) if name in layer.moving else np.zeros(())
    limit = np.full(n_cell, np.nan)
    quantity = layer.quantities[name]
    if isinstance(quantity, Free):
        ranges, fall = Range(layer.lower, layer.upper), NormalDist().inv_cdf(cl) ** 2
        ends = {
            number: upper_end(
                *(fit.posterior, fit.climb, int(number), ranges), fall=fall, is_free=is_free
            )
            for number in layer.numbers(name)
            if is_free[number] and not np.any(fit.covariance.weak[:, number])
        }
        of_number = np.array([ends.get(number, np.nan) for number in layer.numbers(name)])
        limit = of_number[layer.cells.axes[quantity.per]] if quantity.per else of_number
    without = likelihood.by_cell(values | {name: np.zeros_like(values[name])})
    columns = {"flux": values[name], "flux_err": error, "flux_ul": limit}
    found = {f"{key}_{source}": np.array(np.broadcast_to(c, n_cell)) for key, c in columns.items()}
    return found | {f"ts_{source}": 2 * (by_cell - without)}
