"""Fits of a model: the best free numbers, their errors, and what they say of the quantities."""

from dataclasses import dataclass

import numpy as np

from skyquilt.inference.arrow import Arrow
from skyquilt.inference.climb import MAX_ITER, Climb, Status, climb
from skyquilt.inference.covariance import Covariance, covariance, observed_curvature
from skyquilt.inference.profile import Interval, Range, interval
from skyquilt.inference.steps import sizes
from skyquilt.model.layer import Layer, Values
from skyquilt.model.likelihood import Posterior


@dataclass(frozen=True)
class Fit:
    """A fit.

    Attributes
    ----------
    posterior : Posterior
        What was climbed.
    climb : Climb
        Where it ended.
    covariance : Covariance
        Of the free numbers, and combinations that are not determined.
    is_lost : ndarray of bool, shape (p,)
        Numbers whose climb did not converge.
    """

    posterior: Posterior
    climb: Climb
    covariance: Covariance
    is_lost: np.ndarray

    @property
    def x(self) -> np.ndarray:
        """Best free numbers, shape (p,)."""
        return self.climb.x[0]

    @property
    def log_posterior(self) -> float:
        """Logarithm of likelihood times priors at the best numbers."""
        return float(self.climb.value[0])

    @property
    def errors(self) -> np.ndarray:
        """Standard errors, shape (p,).

        NaN where a number is at a bound or not determined, or its climb did not converge.
        """
        return np.where(self.is_lost, np.nan, self.covariance.errors)

    @property
    def status(self) -> Status:
        """How the climb ended; if well, whether everything is determined."""
        ended = self.climb.status[0]
        if ended is Status.NOT_CONVERGED or self.covariance.status is Status.GOOD:
            return ended
        return self.covariance.status

    @property
    def values(self) -> Values:
        """Best quantities."""
        with np.errstate(all="ignore"):
            return self.posterior.layer.values(self.x)

    def error_of(self, name: str) -> np.ndarray:
        """Standard error of any quantity, by the covariance.

        Parameters
        ----------
        name : str
            Quantity.

        Returns
        -------
        ndarray of float64, shape () or (n_cell,)
            NaN where it depends on what is at a bound, not determined or not converged.
        """
        known = np.where(self.is_lost, np.nan, self.covariance.matrix)
        return error_of(self.posterior.layer, self.values, known, name)

    def interval(self, name: str, fall: float = 1.0) -> Interval:
        """Where 2 ln L has fallen by `fall` along a free number, the others refitted.

        Parameters
        ----------
        name : str
            One of the layer's `names`.
        fall : float
            1 for 68 %, 3.841 for 95 %.
        """
        layer = self.posterior.layer
        ranges = Range(layer.lower, layer.upper)
        number = layer.names.index(name)
        return interval(self.posterior, self.climb, number, ranges, fall=fall)

    def __str__(self) -> str:
        """One line per free number."""
        layer = self.posterior.layer
        width = max(map(len, layer.names), default=0)
        lines = [
            f"{name:{width}}  {value:12.6g} +- {error:<10.3g} {unit}".rstrip()
            for name, value, error, unit in zip(
                layer.names, self.x, self.errors, layer.units, strict=True
            )
        ]
        return "\n".join([f"{self.status}, ln L {self.log_posterior:.3f}", *lines])


def error_of(layer: Layer, values: Values, covariance: np.ndarray, name: str) -> np.ndarray:
    """Standard error of a quantity by the covariance of the free numbers.

    Parameters
    ----------
    layer : Layer
        The model.
    values : dict of str to ndarray
        Its quantities.
    covariance : ndarray of float64, shape (p, p)
        NaN where a number is at a bound or not determined.
    name : str
        The quantity.

    Returns
    -------
    ndarray of float64, shape () or (n_cell,)
        NaN where it depends on what is at a bound or not determined.
    """
    with np.errstate(all="ignore"):
        dense = layer.to_dense(layer.slopes(values)[name])
    used = dense[:, :, np.newaxis] * dense[:, np.newaxis, :] != 0
    variance = np.einsum("ni,nij,nj->n", dense, np.where(used, covariance, 0.0), dense)
    return np.sqrt(variance).reshape(np.shape(values[name]))


def fit(
    posterior: Posterior,
    start: np.ndarray | None = None,
    max_iter: int = MAX_ITER,
    is_free: np.ndarray | None = None,
) -> Fit:
    """Fit the free numbers of a model.

    Parameters
    ----------
    posterior : Posterior
        Likelihood and priors.
    start : ndarray of float64, shape (p,), optional
        Where to begin; the starts of the parameters if not given.
    max_iter : int
        Limit of steps.
    is_free : ndarray of bool, shape (p,), optional
        Numbers that are fitted, the others stay; all if not given.

    Returns
    -------
    Fit
        With a status; nothing is raised where the climb does not end.

    Raises
    ------
    ValueError
        If the start is outside a range, or the likelihood is not finite there.

    Examples
    --------
    >>> from skyquilt.model.cells import one_axis
    >>> from skyquilt.model.layer import Layer
    >>> from skyquilt.model.likelihood import PoissonData, Posterior
    >>> from skyquilt.model.quantities import Free
    >>> cells = one_axis("time_bin", np.arange(2.0))
    >>> counts = PoissonData(np.array([[4.0], [9.0]]), lambda mean: mean, ("mean",))
    >>> layer = Layer({"mean": Free(1.0, lower=0.0, per="time_bin")}, cells)
    >>> best = fit(Posterior(layer, counts))
    >>> best.x.round(3).tolist(), best.errors.round(2).tolist(), str(best.status)
    ([4.0, 9.0], [2.0, 3.0], 'good')
    """
    layer = posterior.layer
    begin = layer.start if start is None else np.asarray(start, dtype=np.float64)
    end = climb(
        *(posterior, begin[np.newaxis]),
        lower=layer.lower,
        upper=layer.upper,
        is_free=is_free,
        max_iter=max_iter,
    )
    size = sizes(end.derivatives, end.x, np.inf)[0]
    ends = {"lower": layer.lower, "upper": layer.upper}
    groups = layer.n_shared, layer.n_own
    curvature = observed_curvature(posterior, end.x[0], size, **ends, groups=groups)
    wanted = np.ones(layer.n_free, dtype=bool) if is_free is None else is_free
    steps = end.derivatives.curvature
    expected = steps.to_dense() if isinstance(steps, Arrow) else steps[0]
    found = covariance(curvature, wanted & ~end.is_bound[0], expected)
    is_lost = np.full(layer.n_free, end.status[0] is Status.NOT_CONVERGED)
    return Fit(posterior, end, found, is_lost)
