"""Fits of every time bin by itself, side by side: one pass over the data serves all of them."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from skyquilt.inference.arrow import Arrow
from skyquilt.inference.climb import MAX_ITER, Climb, Status, climb
from skyquilt.inference.covariance import Covariance, covariance, observed_curvatures
from skyquilt.inference.steps import sizes
from skyquilt.inference.surface import Derivatives
from skyquilt.model.fit import Fit
from skyquilt.model.likelihood import Posterior
from skyquilt.model.priors import log_prior_of_members
from skyquilt.model.problems import CellLikelihood
from skyquilt.model.quantities import Curve, Free, Quantity

AXIS = "time_bin"


def split_quantities(quantities: Mapping[str, Quantity]) -> dict[str, Quantity]:
    """Quantities with a free number for each time bin in the place of one for all.

    Raises
    ------
    ValueError
        If one has a number for each member of another axis.
    """
    return {name: _split(name, quantity) for name, quantity in quantities.items()}


def _split(name: str, quantity: Quantity) -> Quantity:
    if isinstance(quantity, Curve):
        raise ValueError(
            f"{name}: a light curve runs over all bins, and `split: {AXIS}` fits each by itself"
        )
    if not isinstance(quantity, Free) or quantity.per == AXIS:
        return quantity
    if quantity.per is not None:
        raise ValueError(f"{name}: `per: {quantity.per}` cannot stand beside `split: {AXIS}`")
    return replace(quantity, per=AXIS)


class SplitSurface:
    """Posteriors of the bins; a lane is a bin, and has the numbers of one.

    Parameters
    ----------
    posterior : Posterior
        Of a layer in which every free number is of a time bin, over a `CellLikelihood`.
    """

    def __init__(self, posterior: Posterior) -> None:
        layer = posterior.layer
        if layer.n_shared:
            raise ValueError(f"{layer.names[0]}: not of a time bin")
        assert isinstance(posterior.likelihood, CellLikelihood)
        self._posterior, self._layer, self._likelihood = posterior, layer, posterior.likelihood
        self.n_lane = layer.n_free // max(layer.n_own, 1)

    def to_lanes(self, numbers: np.ndarray) -> np.ndarray:
        """Numbers of all bins, shape (p,), as those of each, shape (n_lane, p / n_lane)."""
        return numbers.reshape(self.n_lane, self._layer.n_own)

    def value(self, x: np.ndarray, lanes: np.ndarray) -> np.ndarray:
        """Log-posterior of bins, shape (m,)."""
        found = np.empty(len(x))
        for rows in _passes(lanes):
            found[rows] = self._value(self._all(x[rows], lanes[rows]))[lanes[rows]]
        return found

    def derivatives(self, x: np.ndarray, lanes: np.ndarray) -> Derivatives:
        """Gradients, shape (m, n_own), and curvatures, shape (m, n_own, n_own)."""
        n_own = self._layer.n_own
        gradient, curvature = np.empty((len(x), n_own)), np.empty((len(x), n_own, n_own))
        for rows in _passes(lanes):
            of_all = self._all(x[rows], lanes[rows])
            found = self._posterior.derivatives(of_all[np.newaxis], np.zeros(1, dtype=np.int64))
            gradient[rows] = self.to_lanes(found.gradient[0])[lanes[rows]]
            curvature[rows] = self._blocks(found)[lanes[rows]]
        return Derivatives(gradient, curvature)

    def _all(self, x: np.ndarray, lanes: np.ndarray) -> np.ndarray:
        """Numbers of all bins, the start in those that are not asked for."""
        of_all = self.to_lanes(self._layer.start.copy())
        of_all[lanes] = x
        return of_all.ravel()

    def _value(self, x: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            values = self._layer.values(x)
            total = log_prior_of_members(self._layer, x, values, self.n_lane)
            np.add.at(total, self._layer.group, self._likelihood.by_cell(values))
        return total

    def _blocks(self, found: Derivatives) -> np.ndarray:
        if isinstance(found.curvature, Arrow):
            return found.curvature.blocks
        n_lane, n_own = self.n_lane, self._layer.n_own
        square = found.curvature[0].reshape(n_lane, n_own, n_lane, n_own)
        return square[np.arange(n_lane), :, np.arange(n_lane)]


def fit_split(
    posterior: Posterior,
    start: np.ndarray | None = None,
    is_free: np.ndarray | None = None,
    max_iter: int = MAX_ITER,
) -> Fit:
    """Fit every time bin by itself.

    Parameters
    ----------
    posterior : Posterior
        Of a layer in which every free number is of a time bin (`split_quantities`).
    start : ndarray of float64, shape (p,), optional
        Where to begin; the starts of the parameters if not given.
    is_free : ndarray of bool, shape (p,), optional
        Numbers that are fitted; all if not given.
    max_iter : int
        Limit of steps.

    Returns
    -------
    Fit
        Of all bins together; no covariance goes from bin to bin.
    """
    layer = posterior.layer
    surface = SplitSurface(posterior)
    begin = surface.to_lanes(layer.start if start is None else np.asarray(start, np.float64))
    wanted = surface.to_lanes(np.ones(layer.n_free, bool) if is_free is None else is_free)
    lower, upper = surface.to_lanes(layer.lower)[0], surface.to_lanes(layer.upper)[0]
    end = climb(surface, begin, lower=lower, upper=upper, is_free=wanted, max_iter=max_iter)
    size = sizes(end.derivatives, end.x, np.inf)
    curvatures = observed_curvatures(surface, end.x, size, lower=lower, upper=upper)
    assert not isinstance(end.derivatives.curvature, Arrow)
    parts = zip(curvatures, wanted, end.is_bound, end.derivatives.curvature, strict=True)
    each = [covariance(one, free & ~bound, steps) for one, free, bound, steps in parts]
    is_lost = np.array([status is Status.NOT_CONVERGED for status in end.status])
    found = _join_covariances(each, layer.n_own)
    return Fit(posterior, _join(end), found, np.repeat(is_lost, layer.n_own))


def _join(end: Climb) -> Climb:
    """Climbs of all bins as one."""
    n_lane, n_own = end.x.shape
    assert not isinstance(end.derivatives.curvature, Arrow)
    curvature = Arrow(np.zeros((0, 0)), np.zeros((n_lane, n_own, 0)), end.derivatives.curvature)
    return Climb(
        x=end.x.reshape(1, -1),
        value=np.array([end.value.sum()]),
        derivatives=Derivatives(end.derivatives.gradient.reshape(1, -1), curvature),
        is_bound=end.is_bound.reshape(1, -1),
        promised=np.array([end.promised.sum()]),
        n_iter=np.array([end.n_iter.max()]),
        status=[_worst(end.status)],
    )


def _worst(statuses: list[Status]) -> Status:
    order = (Status.NOT_CONVERGED, Status.DEGENERATE, Status.NO_EFFECT, Status.AT_BOUND)
    return next((status for status in order if status in statuses), Status.GOOD)


def _join_covariances(each: list[Covariance], n_own: int) -> Covariance:
    n_lane = len(each)
    matrix = np.zeros((n_lane * n_own, n_lane * n_own))
    weak = []
    for lane, one in enumerate(each):
        own = slice(lane * n_own, (lane + 1) * n_own)
        matrix[own, own] = one.matrix
        for direction in one.weak:
            weak.append(np.zeros(n_lane * n_own))
            weak[-1][own] = direction
    shape = (len(weak), n_lane * n_own)
    return Covariance(matrix, _worst([one.status for one in each]), np.reshape(weak, shape))


def _passes(lanes: np.ndarray) -> list[np.ndarray]:
    """Rows in groups in which no lane is twice."""
    seen: dict[int, int] = {}
    groups: list[list[int]] = []
    for row, lane in enumerate(lanes.tolist()):
        turn = seen[lane] = seen.get(lane, -1) + 1
        if turn == len(groups):
            groups.append([])
        groups[turn].append(row)
    return [np.array(group) for group in groups]
