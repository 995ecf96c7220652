"""Samples of a model: ensembles joined, and what they say of every number."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from skyquilt.errors import ProductError
from skyquilt.inference.convergence import effective_size, split_r_hat
from skyquilt.model.ensembles import Ensemble, check_ensemble, read_ensemble
from skyquilt.model.layer import Layer

MAX_R_HAT = 1.05
"""Largest split R-hat of samples that have converged."""
LEVELS = (0.025, 0.16, 0.5, 0.84, 0.975)
"""Levels of the quantiles."""


class Summary(NamedTuple):
    """What samples say of each free number; arrays of shape (p,).

    Attributes
    ----------
    mean, deviation : ndarray of float64
        Mean and standard deviation.
    quantiles : ndarray of float64, shape (5, p)
        Quantiles of `LEVELS`.
    r_hat : ndarray of float64
        Split R-hat.
    n_effective : ndarray of float64
        Effective sizes.
    """

    mean: np.ndarray
    deviation: np.ndarray
    quantiles: np.ndarray
    r_hat: np.ndarray
    n_effective: np.ndarray


@dataclass(frozen=True, eq=False)
class Samples:
    """Draws of all ensembles, without their burn-in.

    Attributes
    ----------
    names, units : tuple of str
        Free numbers, and their units.
    x : ndarray of float64, shape (n_ensemble, n_draw, n_walker, p)
        Draws.
    log_posterior : ndarray of float64, shape (n_ensemble, n_draw, n_walker)
        Log-posterior of each.
    """

    names: tuple[str, ...]
    units: tuple[str, ...]
    x: np.ndarray
    log_posterior: np.ndarray

    @property
    def flat(self) -> np.ndarray:
        """All draws, shape (n, p)."""
        return self.x.reshape(-1, self.x.shape[-1])

    def in_all(self, layer: Layer) -> np.ndarray:
        """All free numbers of a model in the place of those sampled; NaN for the others.

        Returns
        -------
        ndarray of float64, shape (n_ensemble, n_draw, n_walker, p)
            The others have no data.
        """
        if self.names == tuple(layer.names):
            return self.x
        full = np.full((*self.x.shape[:-1], layer.n_free), np.nan)
        full[..., [layer.names.index(name) for name in self.names]] = self.x
        return full

    def summarise(self) -> Summary:
        """Means, quantiles and convergence of each free number."""
        return Summary(
            self.flat.mean(axis=0),
            self.flat.std(axis=0),
            np.quantile(self.flat, LEVELS, axis=0),
            split_r_hat(self.x),
            effective_size(self.x),
        )


def join_ensembles(
    paths: Iterable[str | Path],
    identity: str,
    names: Sequence[str],
    n_burn: int,
    max_r_hat: float | None = MAX_R_HAT,
) -> Samples:
    """Join the ensembles of a fit.

    Parameters
    ----------
    paths : iterable of str or Path
        Their files.
    identity : str
        Identity of the fit.
    names : sequence of str
        Its free numbers.
    n_burn : int
        First steps that are left out.
    max_r_hat : float, optional
        Largest split R-hat; None to take what has not converged.

    Raises
    ------
    ProductError
        If a file is damaged, of another fit or cut short, one is missing, or the ensembles have
        not converged; the message says what to do.
    """
    found: dict[int, Ensemble] = {}
    for path in paths:
        ensemble = read_ensemble(path)
        check_ensemble(path, ensemble, identity, tuple(names))
        found[ensemble.task.number] = ensemble
    if not found:
        raise ProductError("no ensemble is given: make them with `skyquilt model sample`.")
    task = next(iter(found.values())).task
    if missing := sorted(set(range(1, task.of + 1)) - set(found)):
        raise ProductError(
            f"ensemble {missing[0]} of {task.of} is missing: make it with `skyquilt model sample "
            f"--ensemble {missing[0]}`."
        )
    for ensemble in found.values():
        if ensemble.task._replace(number=task.number) != task:
            raise ProductError(
                f"ensembles {task.number} and {ensemble.task.number} have other settings: make "
                "them again with `skyquilt model sample`."
            )
    kept = [found[number] for number in sorted(found)]
    samples = Samples(
        task.names,
        task.units,
        np.stack([one.x[n_burn:] for one in kept]),
        np.stack([one.log_posterior[n_burn:] for one in kept]),
    )
    if max_r_hat is not None:
        _check_convergence(samples, max_r_hat)
    return samples


def _check_convergence(samples: Samples, limit: float) -> None:
    r_hat = split_r_hat(samples.x)
    if not samples.x.shape[1]:
        raise ProductError("all steps are burn-in: give `sample` more steps than `burn`.")
    is_bad = ~(r_hat <= limit)
    if np.any(is_bad):
        worst = int(np.argmax(np.where(np.isnan(r_hat), np.inf, r_hat)))
        raise ProductError(
            f"samples have not converged: split R-hat of {samples.names[worst]} is "
            f"{r_hat[worst]:.3f}, above {limit:g} ({np.count_nonzero(is_bad)} of {r_hat.size} "
            "numbers are): give `sample` more steps or burn, or a larger `max_r_hat` to take them "
            "as they are."
        )
