"""What is sampled of a fit: its posterior over the numbers that have data, made fast."""

from typing import NamedTuple

import numpy as np

from skyquilt.inference.profile import Range
from skyquilt.inference.sampler import Cloud, least_walkers, start_walkers
from skyquilt.model.ensembles import make_cloud
from skyquilt.model.expanded import MAX_ERROR, Expanded, largest_error
from skyquilt.model.fit import error_of
from skyquilt.model.likelihood import Posterior
from skyquilt.model.made import MadeFit
from skyquilt.model.problems import CellLikelihood

N_CHECKED = 20
"""Draws at which sources near their best positions are compared with exact ones."""


class Target(NamedTuple):
    """A posterior to sample.

    Attributes
    ----------
    posterior : Posterior
        It.
    base : ndarray of float64, shape (p,)
        All free numbers at the best fit; those without data stay there.
    numbers : ndarray of int64, shape (k,)
        Those that are sampled.
    cloud : Cloud
        Where walkers start.
    ranges : Range
        Ranges of what is sampled.
    error : float
        Largest difference of ln L from the exact one at `N_CHECKED` draws; 0 if it is exact.
    """

    posterior: Posterior
    base: np.ndarray
    numbers: np.ndarray
    cloud: Cloud
    ranges: Range
    error: float

    def log_posterior(self, x: np.ndarray) -> np.ndarray:
        """Log-posteriors, shape (m,), at points of shape (m, k)."""
        return self.posterior.value(self.in_all(x), np.zeros(len(x), dtype=np.int64))

    def in_all(self, x: np.ndarray) -> np.ndarray:
        """All free numbers, shape (m, p), of points of shape (m, k)."""
        full = np.tile(self.base, (len(x), 1))
        full[:, self.numbers] = x
        return full


def make_target(made: MadeFit, seed: int) -> Target:
    """What is sampled of a fit.

    Where positions are free, sources are expanded around the best ones, if that is close enough at
    some draws.

    Parameters
    ----------
    made : MadeFit
        The fit.
    seed : int
        What the draws follow from.

    Raises
    ------
    ValueError
        If nothing is free, or the posterior is not finite around the best fit.
    """
    exact, expanded = make_exact(made), _expand(made)
    if expanded is None:
        return exact
    n_draw = max(N_CHECKED, least_walkers(exact.numbers.size))
    first = start_walkers(exact.log_posterior, exact.cloud, exact.ranges, n_draw, seed, 0)
    draws = exact.in_all(first.x[:N_CHECKED])
    error = largest_error(made.posterior, expanded, draws)
    return exact._replace(posterior=expanded if error <= MAX_ERROR else made.posterior, error=error)


def make_exact(made: MadeFit) -> Target:
    """The posterior of a fit as it is, over the numbers that have data."""
    numbers = np.flatnonzero(made.found.is_free)
    cloud = make_cloud(made.posterior, made.x, made.found.covariance)
    own = Cloud(cloud.x[numbers], cloud.covariance[np.ix_(numbers, numbers)], cloud.size[numbers])
    ranges = Range(*(ends[numbers] for ends in made.ranges))
    return Target(made.posterior, made.x, numbers, own, ranges, 0.0)


def _expand(made: MadeFit) -> Posterior | None:
    """The posterior with sources near their best positions; None if none moves, or shapes do."""
    layer, likelihood = made.layer, made.posterior.likelihood
    assert isinstance(likelihood, CellLikelihood)
    positions = [f"{one.name}.{part}" for one in made.recipe.sources for part in ("lon", "lat")]
    moved = [name for name in positions if name in layer.moving]
    if not moved:
        return None
    values = layer.values(made.x)
    errors = {name: error_of(layer, values, made.found.covariance, name) for name in moved}
    try:
        return Posterior(layer, Expanded(likelihood, values, layer.moving, errors))
    except ValueError:
        return None
