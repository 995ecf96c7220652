"""How probable a TS is somewhere in a map without a source.

The number of excursions of a smooth random field above a level follows from its expected Euler
characteristic (Adler and Taylor 2007, Random Fields and Geometry; Vitells and Gross 2011,
Astropart. Phys. 35, 230). For TS = Z^2 of a Gaussian field Z >= 0 on the sky,

    N(u) = n0 P(Z > sqrt(u)) + n1 exp(-u / 2) + n2 sqrt(u) exp(-u / 2),
    P(max TS > u) = 1 - exp(-N(u)),

with terms for isolated pixels and the sphere's own characteristic, for the edge of the region, and
for its area. The three numbers are fitted to simulated maxima.
"""

from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq, minimize
from scipy.stats import norm

from skyquilt.errors import RunError

_N_BINS = 200
_LOWEST = 0.5  # quantile from which on maxima are fitted: below it excursions overlap
_N_BOOTSTRAP = 100


class TailModel(NamedTuple):
    """Probability of large maxima.

    Attributes
    ----------
    numbers : ndarray of float64, shape (3,)
        n0, n1, n2 of the module's formula.
    """

    numbers: np.ndarray

    def probability(self, ts: np.ndarray | float) -> np.ndarray:
        """P(max TS > ts)."""
        return -np.expm1(-_terms(ts) @ self.numbers) + 0.0  # not -0

    def threshold(self, probability: float) -> float:
        """TS that the maximum passes with a small probability."""
        # TS = 1000 is beyond any probability that a double can hold
        return float(brentq(lambda u: np.log(self.probability(u) / probability), 1e-3, 1000.0))


class TailFit(NamedTuple):
    """Fit of the tail, and fits of as many resampled maxima, which tell its error.

    Attributes
    ----------
    model : TailModel
        Best model.
    resampled : list of TailModel
        Models of bootstrap samples.
    """

    model: TailModel
    resampled: list[TailModel]

    def interval(self, ts: np.ndarray | float) -> np.ndarray:
        """Range of P(max TS > ts) that holds 68 % of the resampled fits, shape (2, ...)."""
        probabilities = [model.probability(ts) for model in self.resampled]
        return np.quantile(probabilities, [0.16, 0.84], axis=0)


def has_tail(ts_max: np.ndarray) -> bool:
    """Whether more than half of some skies have a pixel with TS above 0, as `fit_tail` needs."""
    return bool(np.quantile(ts_max, _LOWEST) > 0)


def fit_tail(ts_max: np.ndarray, seed: int, highest: float = 1.0) -> TailFit:
    """Fit the tail to simulated maxima by maximum likelihood.

    Parameters
    ----------
    ts_max : ndarray of float64, shape (n,)
        Largest TS of each sky, at least 100.
    seed : int
        Seed of the resampling.
    highest : float
        Quantile above which only the number of maxima is used, not their values; below 1 to
        test the extrapolation against the maxima beyond.

    Returns
    -------
    TailFit
        The model and its resampled fits.

    Raises
    ------
    RunError
        If half of the skies or more have no TS above 0 at all.
    """
    if not has_tail(ts_max):
        raise RunError(
            "half of the simulated skies have no pixel with TS above 0: there are too few pixels "
            "or counts for a p-value."
        )
    quantiles = np.linspace(_LOWEST, highest, _N_BINS)
    edges = np.unique(np.quantile(ts_max, quantiles[:-1] if highest == 1 else quantiles))
    counts = np.bincount(np.searchsorted(edges, ts_max, side="right"), minlength=edges.size + 1)
    model = _fit(edges, counts)
    rng = np.random.default_rng(seed)
    fraction = counts / counts.sum()
    resampled = [_fit(edges, rng.multinomial(ts_max.size, fraction)) for _ in range(_N_BOOTSTRAP)]
    return TailFit(model, resampled)


def _terms(ts: np.ndarray | float) -> np.ndarray:
    """Excursions per unit of n0, n1, n2, shape (..., 3)."""
    ts = np.asarray(ts, dtype=np.float64)
    edge = np.exp(-ts / 2)
    return np.stack([norm.sf(np.sqrt(ts)), edge, np.sqrt(ts) * edge], axis=-1)


def _fit(edges: np.ndarray, counts: np.ndarray) -> TailModel:
    """Maximum likelihood of counts below, between and above the edges."""
    terms = _terms(edges)
    scale = terms[0]  # so that the numbers are of the order of 1
    shape = terms / scale

    def minus_log_likelihood(numbers: np.ndarray) -> tuple[float, np.ndarray]:
        """Value, and derivatives by the numbers."""
        below = np.exp(-shape @ numbers)
        fractions = np.maximum(np.diff(below, prepend=0.0, append=1.0), 1e-300)
        slopes = np.diff(counts / fractions)
        return -float(counts @ np.log(fractions)), -(slopes * below) @ shape

    start = np.full(3, -np.log(_LOWEST) / 3)
    bounds = [(0.0, None)] * 3
    options = {"ftol": 1e-12}
    best = minimize(
        minus_log_likelihood, start, method="L-BFGS-B", jac=True, bounds=bounds, options=options
    )
    return TailModel(best.x / scale)
