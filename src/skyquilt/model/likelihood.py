"""Likelihoods of named quantities, and the posterior of the free numbers behind them."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np

from skyquilt.inference.arrow import Arrow
from skyquilt.inference.surface import Derivatives
from skyquilt.model.layer import Layer, Values
from skyquilt.model.priors import add_priors, check_priors, log_prior

_STEP = 1e-30  # of a complex step


class CellDerivatives(NamedTuple):
    """Derivatives of a log-likelihood by quantities, cell by cell.

    Attributes
    ----------
    gradient : ndarray of float64, shape (n_cell, n_name)
        First derivatives.
    curvature : ndarray of float64, shape (n_cell, n_name, n_name)
        What stands for minus the second derivatives; has no negative eigenvalue.
    """

    gradient: np.ndarray
    curvature: np.ndarray


class Likelihood(Protocol):
    """A log-likelihood that is a sum over cells, each a function of its quantities."""

    names: tuple[str, ...]
    """Quantities that it reads."""

    def value(self, values: Values) -> float:
        """Log-likelihood; NaN or -inf where the quantities are not possible."""

    def derivatives(self, values: Values) -> CellDerivatives:
        """Derivatives by `names`."""


@runtime_checkable
class BatchLikelihood(Likelihood, Protocol):
    """A likelihood that takes the quantities of many points at a time."""

    def batch(self, values: Values) -> np.ndarray:
        """Log-likelihoods, shape (m,), for numbers of shape (m, 1) and arrays (m, n_cell)."""


@runtime_checkable
class NarrowLikelihood(Likelihood, Protocol):
    """A likelihood that saves the derivatives that nobody asks for."""

    def narrow(self, names: Sequence[str]) -> Likelihood:
        """The same with derivatives by some of its quantities only."""


class _OfFunction:
    """Likelihood of a function of quantities that is written in NumPy.

    Parameters
    ----------
    expected : callable
        Takes quantities by keyword, dots in their names as underscores, each a number or an array
        of shape (n_cell, 1); gives what is expected, shape (n_cell, n_datum). It must be analytic:
        derivatives are evaluations with a complex step.
    names : tuple of str
        Quantities that it takes.
    shape : tuple of int
        Shape of the data, (n_cell, n_datum).
    """

    def __init__(
        self,
        expected: Callable[..., np.ndarray],
        names: tuple[str, ...],
        shape: tuple[int, ...],
    ) -> None:
        self._expected, self.names, self._shape = expected, names, shape

    def expected(self, values: Values) -> np.ndarray:
        """What is expected, shape (n_cell, n_datum)."""
        columns = {
            name.replace(".", "_"): np.reshape(values[name], (-1, 1))
            if np.ndim(values[name])
            else values[name]
            for name in self.names
        }
        return np.broadcast_to(self._expected(**columns), self._shape)

    def _slopes(self, values: Values) -> np.ndarray:
        """Derivatives of the expectation, shape (n_name, n_cell, n_datum)."""
        return np.stack(
            [
                np.imag(self.expected(values | {name: values[name] + 1j * _STEP})) / _STEP
                for name in self.names
            ]
        )


class PoissonData(_OfFunction):
    """Counts of a Poisson distribution.

    Parameters
    ----------
    counts : ndarray of float64, shape (n_cell, n_datum)
        The counts.
    expected, names
        Expected counts, as a function of these quantities.
    """

    def __init__(
        self, counts: np.ndarray, expected: Callable[..., np.ndarray], names: tuple[str, ...]
    ) -> None:
        super().__init__(expected, names, counts.shape)
        self._counts = counts

    def value(self, values: Values) -> float:
        """Sum of d ln mu - mu; -inf where there are counts and none are expected."""
        mu = self.expected(values)
        if np.any(mu < 0) or np.any((mu == 0) & (self._counts > 0)):
            return -np.inf
        with np.errstate(divide="ignore", invalid="ignore"):
            logarithm = np.where(self._counts > 0, self._counts * np.log(mu), 0.0)
        return float(np.sum(logarithm - mu))

    def derivatives(self, values: Values) -> CellDerivatives:
        """Gradient, and Gauss and Newton's curvature d / mu^2."""
        mu, slopes = self.expected(values), self._slopes(values)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where(self._counts > 0, self._counts / mu, 0.0)
        gradient = np.einsum("icd,cd->ci", slopes, ratio - 1)
        with np.errstate(divide="ignore", invalid="ignore"):
            weight = np.where(self._counts > 0, ratio / mu, 0.0)
        return CellDerivatives(gradient, np.einsum("icd,cd,jcd->cij", slopes, weight, slopes))


class NormalData(_OfFunction):
    """Values with a standard deviation each.

    Parameters
    ----------
    data, errors : ndarray of float64, shape (n_cell, n_datum)
        The values and their standard deviations.
    expected, names
        Expected values, as a function of these quantities.
    """

    def __init__(
        self,
        data: np.ndarray,
        errors: np.ndarray,
        expected: Callable[..., np.ndarray],
        names: tuple[str, ...],
    ) -> None:
        super().__init__(expected, names, data.shape)
        self._data, self._errors = data, errors

    def value(self, values: Values) -> float:
        """Minus half of chi2."""
        return float(-0.5 * np.sum(((self._data - self.expected(values)) / self._errors) ** 2))

    def derivatives(self, values: Values) -> CellDerivatives:
        """Gradient and curvature."""
        pull = (self._data - self.expected(values)) / self._errors
        slopes = self._slopes(values) / self._errors
        return CellDerivatives(
            np.einsum("icd,cd->ci", slopes, pull), np.einsum("icd,jcd->cij", slopes, slopes)
        )


class Posterior:
    """Likelihood times priors as a function of the free numbers: what a fit climbs.

    Parameters
    ----------
    layer : Layer
        Parameters.
    likelihood : Likelihood
        What the data say of the quantities.

    Raises
    ------
    ValueError
        If the likelihood reads a quantity that there is not, or a prior does not fit.
    """

    def __init__(self, layer: Layer, likelihood: Likelihood) -> None:
        self.layer, self.likelihood = layer, likelihood
        known = layer.values(layer.start)
        if missing := sorted(set(likelihood.names) - set(known)):
            raise ValueError(f"the likelihood needs {missing[0]}; known: {', '.join(known)}")
        if isinstance(likelihood, NarrowLikelihood):
            moving = [name for name in likelihood.names if name in layer.moving]
            self.likelihood = likelihood.narrow(moving)
        check_priors(layer)
        self._has_priors = any(free.prior is not None for free in layer.free.values())

    def at(self, x: np.ndarray) -> float:
        """Log-likelihood plus logarithm of the priors at one point, shape (p,)."""
        with np.errstate(all="ignore"):
            values = self.layer.values(x)
            prior = float(log_prior(self.layer, x, values)) if self._has_priors else 0.0
            return prior + self.likelihood.value(values) if prior > -np.inf else -np.inf

    def value(self, x: np.ndarray, lanes: np.ndarray) -> np.ndarray:
        """The same at several points, shape (m, p)."""
        if len(x) == 1 or not isinstance(self.likelihood, BatchLikelihood):
            return np.array([self.at(row) for row in x])
        with np.errstate(all="ignore"):
            values = self.layer.values(x)
            prior = log_prior(self.layer, x, values) if self._has_priors else np.zeros(len(x))
            is_possible = prior > -np.inf
            if not np.all(is_possible):
                values = {name: value[is_possible] for name, value in values.items()}
            total = np.full(len(x), -np.inf)
            if np.any(is_possible):
                total[is_possible] = prior[is_possible] + self.likelihood.batch(values)
            return total

    def derivatives(self, x: np.ndarray, lanes: np.ndarray) -> Derivatives:
        """Gradients and curvatures at several points; of one, the curvature is an arrow."""
        with np.errstate(all="ignore"):  # as for values: a climb leaves what is not finite
            found = [self._derivatives(row) for row in x]
        gradient = np.stack([gradient for gradient, _ in found])
        curvatures = [curvature for _, curvature in found]
        if len(curvatures) == 1 and isinstance(curvatures[0], Arrow):
            return Derivatives(gradient, curvatures[0])
        dense = [c.to_dense() if isinstance(c, Arrow) else c for c in curvatures]
        return Derivatives(gradient, np.stack(dense))

    def _derivatives(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray | Arrow]:
        layer = self.layer
        values = layer.values(x)
        slopes = layer.slopes(values)
        gradient, curvature = self._pull(self.likelihood.derivatives(values), slopes)
        if not self._has_priors:
            return gradient, curvature
        prior = add_priors(layer, x, values, slopes)
        dense = curvature.to_dense() if isinstance(curvature, Arrow) else curvature
        return gradient + prior.gradient, dense + prior.curvature

    def _pull(
        self, by_quantity: CellDerivatives, slopes: dict
    ) -> tuple[np.ndarray, np.ndarray | Arrow]:
        """Derivatives by quantities pulled through to the free numbers."""
        layer, n_shared = self.layer, self.layer.n_shared
        n_cell, n_name = by_quantity.gradient.shape
        by_number = np.zeros((n_cell, n_name, n_shared + layer.n_own))
        for column, name in enumerate(self.likelihood.names):
            by_number[:, column, :n_shared] = slopes[name].shared
            if slopes[name].own is not None:
                by_number[:, column, n_shared:] = slopes[name].own
        # einsum, for matrices of a few rows: a product by BLAS costs more than it adds up
        slope = np.einsum("ci,cip->cp", by_quantity.gradient, by_number)
        bent = np.einsum("cij,cjp->cip", by_quantity.curvature, by_number)
        bent = np.einsum("cip,ciq->cpq", by_number, bent)
        gradient = slope[:, :n_shared].sum(axis=0)
        corner = bent[:, :n_shared, :n_shared].sum(axis=0)
        if not layer.n_own:
            return gradient, corner
        n_group = (layer.n_free - n_shared) // layer.n_own
        parts = slope[:, n_shared:], bent[:, n_shared:, :n_shared], bent[:, n_shared:, n_shared:]
        by_group, border, blocks = (_sum_groups(part, layer.group, n_group) for part in parts)
        return np.concatenate([gradient, by_group.ravel()]), Arrow(corner, border, blocks)


def _sum_groups(values: np.ndarray, group: np.ndarray, n_group: int) -> np.ndarray:
    """Sums over the cells of each group."""
    if len(values) == n_group and np.array_equal(group, np.arange(n_group)):
        return values
    total = np.zeros((n_group, *values.shape[1:]))
    np.add.at(total, group, values)
    return total
