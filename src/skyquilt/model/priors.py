"""What is known of parameters before the data, as a function of the free numbers.

A normal whose mean or width is a parameter, too, describes a population: a hierarchical model.
"""

from typing import NamedTuple

import numpy as np

from skyquilt.errors import nearest_to
from skyquilt.model.layer import Layer, Slope, Values
from skyquilt.model.quantities import Prior

KINDS = ("normal", "log_normal", "uniform", "log_uniform")
"""Kinds of priors."""

_LOG_2_PI = np.log(2 * np.pi)


class Term(NamedTuple):
    """Value and derivatives of a log-probability of the free numbers.

    Attributes
    ----------
    value : float
        The logarithm.
    gradient : ndarray of float64, shape (p,)
        First derivatives.
    curvature : ndarray of float64, shape (p, p)
        What stands for minus the second derivatives; has no negative eigenvalue.
    """

    value: float
    gradient: np.ndarray
    curvature: np.ndarray


def check_priors(layer: Layer) -> None:
    """Check that every prior fits its parameter.

    Raises
    ------
    ValueError
        If a kind or a name is not known, a width is not above zero, or a range of a prior leaves
        that of the parameter, or zero is not excluded where its logarithm is meant.
    """
    values = layer.values(layer.start)
    for name, free in layer.free.items():
        if free.prior is not None:
            _check(name, free.prior, free.lower, free.upper, values)


def _check(name: str, prior: Prior, lower: float, upper: float, values: Values) -> None:
    kind, first, second = prior
    if kind not in KINDS:
        raise ValueError(f"{name}: prior {kind!r} is not known; allowed are {', '.join(KINDS)}")
    for number in (first, second):
        if isinstance(number, str) and (kind != "normal" or number not in values):
            if kind == "normal":
                hint = f"is not known; {nearest_to(number, values)}"
            else:
                hint = "may not be a name; give a number"
            raise ValueError(f"{name}: {number!r} of prior {kind} {hint}")
    if kind.startswith("log") and lower < 0:
        raise ValueError(f"{name}: prior {kind} needs a range above 0, and it begins at {lower:g}")
    if kind in ("uniform", "log_uniform"):
        low, high = float(first), float(second)
        if not low < high or (kind == "log_uniform" and low <= 0):
            raise ValueError(f"{name}: prior {kind} from {low:g} to {high:g} is empty or below 0")
        if low < lower or high > upper:
            raise ValueError(
                f"{name}: prior {kind} from {low:g} to {high:g} leaves its range, {lower:g} to "
                f"{upper:g}"
            )
    elif np.any(_number(second, values) <= 0):
        raise ValueError(f"{name}: the width of prior {kind} is not above 0")
    else:
        mean = _number(first, values)
        middle = np.ravel(np.exp(mean) if kind == "log_normal" else mean)
        is_outside = (middle < lower) | (middle > upper)
        if np.any(is_outside):
            raise ValueError(
                f"{name}: prior {kind} around {middle[is_outside][0]:g} is outside its range, "
                f"{lower:g} to {upper:g}: change one of them"
            )


def log_prior(layer: Layer, x: np.ndarray, values: Values) -> np.ndarray:
    """Logarithm of the probability density of all priors.

    Parameters
    ----------
    layer : Layer
        Parameters.
    x : ndarray of float64, shape (p,) or (m, p)
        Free numbers, of one point or of several.
    values : dict of str to ndarray
        What `layer.values` gives for them.

    Returns
    -------
    ndarray of float64, shape () or (m,)
        -inf outside a uniform prior.
    """
    total = np.zeros(x.shape[:-1])
    for name, free in layer.free.items():
        if free.prior is not None:
            total = total + _log_density(
                free.prior, x[..., layer.numbers(name)], values, layer, name
            )
    return total


def log_prior_of_members(layer: Layer, x: np.ndarray, values: Values, n_member: int) -> np.ndarray:
    """The same for each member of the axis that all free numbers are of, shape (n_member,).

    Parameters
    ----------
    layer : Layer
        Parameters, none of which is shared.
    x : ndarray of float64, shape (p,)
        Free numbers.
    values : dict of str to ndarray
        What `layer.values` gives for them.
    n_member : int
        Members of the axis.
    """
    total = np.zeros(n_member)
    for name, free in layer.free.items():
        if free.prior is not None:
            kind, *of_prior = free.prior
            first, second = (
                np.broadcast_to(_of_members(number, values, layer, name), n_member).tolist()
                for number in of_prior
            )
            for member, number in enumerate(layer.numbers(name)):
                own = Prior(kind, first[member], second[member])
                total[member] += _log_density(own, x[[number]], values, layer, name)
    return total


def _log_density(
    prior: Prior, x: np.ndarray, values: Values, layer: Layer, name: str
) -> np.ndarray:
    kind, first, second = prior
    if kind in ("uniform", "log_uniform"):
        low, high = float(first), float(second)
        is_inside = np.all((x >= low) & (x <= high), axis=-1)
        if kind == "uniform":
            return np.where(is_inside, -x.shape[-1] * np.log(high - low), -np.inf)
        constant = x.shape[-1] * np.log(np.log(high / low))
        with np.errstate(all="ignore"):
            return np.where(is_inside, -np.sum(np.log(x), axis=-1) - constant, -np.inf)
    mean, width = (_of_members(number, values, layer, name) for number in (first, second))
    is_possible = np.all(width > 0, axis=-1)
    if kind == "log_normal":
        is_possible &= np.all(x > 0, axis=-1)
    with np.errstate(all="ignore"):
        moved = np.log(x) if kind == "log_normal" else x
        density = -0.5 * ((moved - mean) / width) ** 2 - np.log(width) - 0.5 * _LOG_2_PI
        total = np.sum(density + 0 * x, axis=-1)
        total = total - (np.sum(moved, axis=-1) if kind == "log_normal" else 0.0)
    return np.where(is_possible, total, -np.inf)


def add_priors(layer: Layer, x: np.ndarray, values: Values, slopes: dict[str, Slope]) -> Term:
    """Value and derivatives of all priors.

    Parameters
    ----------
    layer, x, values
        As in `log_prior`.
    slopes : dict of str to Slope
        Derivatives of the quantities that widths and means name.
    """
    gradient, curvature = np.zeros(x.size), np.zeros((x.size, x.size))
    for name, free in layer.free.items():
        if free.prior is None or free.prior.kind == "uniform":
            continue
        for member, number in enumerate(layer.numbers(name)):
            residual = _residual(free.prior, x[number], member, number, layer, name, values, slopes)
            gradient += residual.gradient
            curvature += residual.curvature
    return Term(float(log_prior(layer, x, values)), gradient, curvature)


def _residual(
    prior: Prior,
    x: float,
    member: int,
    number: int,
    layer: Layer,
    name: str,
    values: Values,
    slopes: dict[str, Slope],
) -> Term:
    """Derivatives of the density of one free number; of a width, the expected curvature."""
    kind, first, second = prior
    one = np.zeros(layer.n_free)
    one[number] = 1.0
    if kind == "log_uniform":
        return Term(0.0, -one / x, np.zeros((one.size, one.size)))
    at = [_of_members(part, values, layer, name) for part in (first, second)]
    mean, width = (float(np.broadcast_to(part, member + 1)[member]) for part in at)
    by_mean, by_width = (
        _slope_of_member(part, member, layer, name, slopes) for part in (first, second)
    )
    moved, by_x = (np.log(x), one / x) if kind == "log_normal" else (x, one)
    pull, by_pull = (moved - mean) / width, (by_x - by_mean) / width
    gradient = -pull * by_pull + (pull**2 - 1) / width * by_width
    if kind == "log_normal":
        gradient = gradient - by_x
    curvature = np.outer(by_pull, by_pull) + 2 / width**2 * np.outer(by_width, by_width)
    return Term(0.0, gradient, curvature)


def _number(number: float | str, values: Values) -> np.ndarray:
    return np.asarray(values[number] if isinstance(number, str) else number)


def _of_members(number: float | str, values: Values, layer: Layer, name: str) -> np.ndarray:
    """Value for each member of a parameter's axis, from that of its first cell."""
    value = _number(number, values)
    is_per_cell = value.ndim and value.shape[-1] == layer.cells.n_cell
    return value[..., _first_cells(layer, name)] if is_per_cell else np.atleast_1d(value)


def _slope_of_member(
    number: float | str, member: int, layer: Layer, name: str, slopes: dict[str, Slope]
) -> np.ndarray:
    if not isinstance(number, str):
        return np.zeros(layer.n_free)
    dense = layer.to_dense(slopes[number])
    return dense[0] if len(dense) == 1 else dense[_first_cells(layer, name)[member]]


def _first_cells(layer: Layer, name: str) -> np.ndarray:
    per = layer.free[name].per
    if per is None:
        return np.zeros(1, dtype=np.int64)
    members, first = np.unique(layer.cells.axes[per], return_index=True)
    return first[members >= 0]
