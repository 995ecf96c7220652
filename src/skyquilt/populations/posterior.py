"""Posterior of fractions and parameters, by importance sampling around its maximum.

The likelihood of fractions is concave, so that there is one maximum; draws from a Student
distribution in the logarithms of ratios, where the posterior is close to it, are weighted to what
they should be. The mean weight is the evidence.
"""

from math import lgamma, log
from typing import NamedTuple

import numpy as np

from skyquilt.inference.climb import Climb, climb
from skyquilt.inference.covariance import observed_curvature
from skyquilt.populations.mixture import LogRatios, Mixture, to_fractions

_FREEDOM = 6  # degrees of freedom of the proposal: its tails are wider than the posterior's
_WIDER = 1.1  # its width over that of the posterior: two populations near 0 skew it
_FLOOR = 1e-3  # least fraction at the start of the climb, over 1 / K
_TOLERANCE = 1e-6  # of the climb: the proposal need not be better
_TINY, _FLAT = 1e-12, 1e-3  # curvatures below say nothing of a width
_BATCH = 256  # draws at a time


class Posterior(NamedTuple):
    """Draws with weights.

    Attributes
    ----------
    fraction : ndarray of float64, shape (n_draw, K)
        Fractions.
    parameter : ndarray of float64, shape (n_draw, n_parameter)
        Parameters.
    weight : ndarray of float64, shape (n_draw,)
        Weights; their sum is 1.
    ln_likelihood : ndarray of float64, shape (n_draw,)
        Log-likelihood of the fractions; -inf outside the ranges of parameters.
    ln_evidence, ln_evidence_err : float
        Logarithm of the evidence and its standard error.
    """

    fraction: np.ndarray
    parameter: np.ndarray
    weight: np.ndarray
    ln_likelihood: np.ndarray
    ln_evidence: float
    ln_evidence_err: float

    @property
    def effective(self) -> float:
        """Effective number of draws: how many of equal weight would tell as much."""
        return float(1 / np.sum(self.weight**2))

    def mean(self) -> tuple[np.ndarray, np.ndarray]:
        """Means and standard deviations of fractions and parameters, in this order."""
        x = np.concatenate([self.fraction, self.parameter], axis=1)
        mean = self.weight @ x
        return mean, np.sqrt(self.weight @ (x - mean) ** 2)

    def quantiles(self, levels: np.ndarray) -> np.ndarray:
        """Quantiles of fractions and parameters, shape (n_level, K + n_parameter)."""
        x = np.concatenate([self.fraction, self.parameter], axis=1)
        found = np.empty((len(levels), x.shape[1]))
        for column in range(x.shape[1]):
            order = np.argsort(x[:, column])
            middle = np.cumsum(self.weight[order]) - self.weight[order] / 2
            found[:, column] = np.interp(levels, middle, x[order, column])
        return found

    def resample(self, n: int) -> tuple[np.ndarray, np.ndarray]:
        """Fractions and parameters of n draws of equal weight, at even steps of the weights."""
        at = np.searchsorted(np.cumsum(self.weight), (np.arange(n) + 0.5) / n)
        at = np.minimum(at, len(self.weight) - 1)
        return self.fraction[at], self.parameter[at]


def sample(
    mixture: Mixture,
    alpha: np.ndarray,
    fraction: np.ndarray,
    parameter: np.ndarray,
    *,
    draws: int,
    seed: int,
) -> Posterior:
    """Draw from the posterior.

    Parameters
    ----------
    mixture : Mixture
        The populations.
    alpha : ndarray of float64, shape (K,)
        Exponents of the Dirichlet prior; priors of parameters are flat in their ranges.
    fraction, parameter : ndarray of float64
        Where its maximum is looked for first.
    draws, seed : int
        Number of draws, and seed.

    Returns
    -------
    Posterior
        The same for one seed, whatever else is drawn.
    """
    k, rng = len(mixture.populations), np.random.default_rng(seed)
    low = np.array([one.lower for one in mixture.parameters])
    high = np.array([one.upper for one in mixture.parameters])
    start = np.array([one.start for one in mixture.parameters])
    parameter = np.where(np.isfinite(parameter), parameter, start)
    fraction = np.maximum(fraction, _FLOOR / k)
    x = np.concatenate([np.log(fraction[:-1] / fraction[-1]), np.clip(parameter, low, high)])
    surface, free = LogRatios(mixture, alpha), np.full(k - 1, np.inf)
    lower, upper = np.concatenate([-free, low]), np.concatenate([free, high])
    top = climb(surface, x[np.newaxis], lower=lower, upper=upper, tolerance=_TOLERANCE)
    root = _root(surface, top, lower, upper)
    normal = rng.standard_normal((draws, x.size))
    stretch = np.sqrt(_FREEDOM / rng.chisquare(_FREEDOM, draws))
    drawn = top.x[0] + stretch[:, np.newaxis] * normal @ root.T
    fractions, parameters = to_fractions(drawn[:, : k - 1]), drawn[:, k - 1 :]
    likelihood = np.full(draws, -np.inf)
    inside = np.flatnonzero(np.all((parameters >= low) & (parameters <= high), axis=1))
    for first in range(0, inside.size, _BATCH):
        some = inside[first : first + _BATCH]
        likelihood[some] = mixture.log_likelihoods(fractions[some], parameters[some])
    distance2 = stretch**2 * np.sum(normal**2, axis=1)
    proposal = _log_student(distance2, x.size) - np.sum(np.log(np.abs(np.diag(root))))
    with np.errstate(divide="ignore"):
        prior = np.log(fractions) @ alpha
    prior += lgamma(alpha.sum()) - sum(map(lgamma, alpha)) - np.sum(np.log(high - low))
    logs = np.where(np.isfinite(likelihood), likelihood + prior - proposal, -np.inf)
    weight = np.exp(logs - logs.max())
    mean = weight.mean()
    error = float(np.std(weight) / np.sqrt(draws) / mean)
    return Posterior(
        *(fractions, parameters, weight / weight.sum(), likelihood),
        *(float(logs.max() + np.log(mean)), error),
    )


def _root(surface: LogRatios, top: Climb, lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
    """Root of the proposal's covariance: from the observed curvature, where that is one."""
    expected = np.asarray(top.derivatives.curvature)[0]
    size = 1 / np.sqrt(np.diag(expected) + _TINY)
    curvature = observed_curvature(surface, top.x[0], size, lower=lower, upper=upper)
    scaled, axes = np.linalg.eigh(size[:, np.newaxis] * curvature * size)
    widths = np.where(scaled > _FLAT, scaled, 1.0) ** -0.5
    triangle: np.ndarray = np.linalg.qr((size[:, np.newaxis] * axes * widths).T)[1]
    return _WIDER * triangle.T


def _log_student(distance2: np.ndarray, n: int) -> np.ndarray:
    """Logarithm of the density of a Student distribution of unit width in n dimensions."""
    norm = lgamma((_FREEDOM + n) / 2) - lgamma(_FREEDOM / 2) - n / 2 * log(_FREEDOM * np.pi)
    return norm - (_FREEDOM + n) / 2 * np.log1p(distance2 / _FREEDOM)


def classify(mixture: Mixture, posterior: Posterior, n: int) -> np.ndarray:
    """Probability of each event to belong to each population, the mean over the posterior.

    Parameters
    ----------
    mixture : Mixture
        The populations.
    posterior : Posterior
        Draws.
    n : int
        Draws of equal weight that the mean is taken over.

    Returns
    -------
    ndarray of float64, shape (n_event, K)
        Rows add up to 1.
    """
    found = np.zeros((mixture.counts.size, len(mixture.populations)))
    for fraction, parameter in zip(*posterior.resample(n), strict=True):
        share = fraction[:, np.newaxis] * mixture.densities(parameter)
        found += (share / share.sum(axis=0)).T
    return found / n
