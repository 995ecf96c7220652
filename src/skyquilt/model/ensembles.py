"""Ensembles of samples: a job makes one, and goes on where it was ended.

What was sampled is kept in a hidden file beside the output, each minute, with the state of the
random generator, so that an ensemble that was interrupted is the same, bit for bit.
"""

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from skyquilt.errors import ProductError
from skyquilt.inference.profile import Range
from skyquilt.inference.sampler import Cloud, LogPosterior, Walkers, start_walkers, walk
from skyquilt.inference.steps import sizes
from skyquilt.io.hdf5 import get, new_hdf5, open_hdf5, put
from skyquilt.io.provenance import Provenance
from skyquilt.io.schema import Schema
from skyquilt.model.likelihood import Posterior

logger = logging.getLogger(__name__)

# 1.0  first version
SCHEMA = Schema("skyquilt/model-ensemble", "1.0", "skyquilt model sample")

EVERY_S = 60.0
"""Time between two savings of an ensemble that is not finished [s]."""
_SHARE = 20  # of the time that a saving takes, at least between two

_DATASETS = {
    "x": ("", "draws: step, walker, free number; the burn-in is not left out"),
    "log_posterior": ("", "log-likelihood plus logarithm of the priors of each draw"),
    "last_x": ("", "walkers after the last step"),
    "last_value": ("", "log-posterior there"),
    "key": ("", "state of the random generator after the last step"),
    "counter": ("", "its position, whether it holds a normal number, and that"),
}


class Task(NamedTuple):
    """What an ensemble is of.

    Attributes
    ----------
    fit_identity : str
        Identity of the fit whose posterior is sampled.
    names, units : tuple of str
        Free numbers, and their units.
    number, of : int
        Number of the ensemble, from 1, and how many there are.
    n_walker, n_step, seed : int
        Walkers, steps, and the seed of all ensembles.
    """

    fit_identity: str
    names: tuple[str, ...]
    units: tuple[str, ...]
    number: int
    of: int
    n_walker: int
    n_step: int
    seed: int


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Draws of an ensemble.

    Attributes
    ----------
    task : Task
        What it is of.
    x : ndarray of float64, shape (n, n_walker, p)
        Draws of the steps so far.
    log_posterior : ndarray of float64, shape (n, n_walker)
        Log-posterior of each.
    last : Walkers
        The walkers after the last step.
    """

    task: Task
    x: np.ndarray
    log_posterior: np.ndarray
    last: Walkers

    @property
    def is_whole(self) -> bool:
        """Whether all steps are made."""
        return len(self.x) == self.task.n_step


def make_cloud(posterior: Posterior, x: np.ndarray, covariance: np.ndarray) -> Cloud:
    """Where walkers start: around the best fit.

    Parameters
    ----------
    posterior : Posterior
        What is sampled.
    x : ndarray of float64, shape (p,)
        Best free numbers.
    covariance : ndarray of float64, shape (p, p)
        Their covariance; rows of numbers at a bound or not determined are NaN, and these start as
        far apart as the slope and the curvature there say.
    """
    there = posterior.derivatives(x[np.newaxis], np.zeros(1, dtype=np.int64))
    wide = posterior.layer.upper - posterior.layer.lower
    size = sizes(there, x[np.newaxis], np.where(np.isfinite(wide), wide / 10, np.inf))[0]
    with np.errstate(divide="ignore"):
        return Cloud(x, covariance, np.minimum(size, 1 / np.abs(there.gradient[0])))


def sample_ensemble(
    log_posterior: LogPosterior,
    cloud: Cloud,
    ranges: Range,
    task: Task,
    output: str | Path,
    provenance: Provenance,
    every_s: float = EVERY_S,
) -> Ensemble:
    """Sample an ensemble and write it; one that was interrupted goes on.

    Parameters
    ----------
    log_posterior : callable
        Takes points of shape (m, p), gives log-posteriors of shape (m,).
    cloud : Cloud
        Where the walkers start.
    ranges : Range
        Ranges of the free numbers.
    task : Task
        What the ensemble is of.
    output : str or Path
        File to write.
    provenance : Provenance
        Where it comes from.
    every_s : float
        Time between two savings [s].

    Raises
    ------
    ValueError
        If there are too few walkers, or the posterior is not finite around the best fit.
    OutputError
        If a file cannot be written.
    """
    hidden = checkpoint_of(output)
    ensemble = _go_on(hidden, task)
    if ensemble is None:
        numbers = task.n_walker, task.seed, task.number
        first = start_walkers(log_posterior, cloud, ranges, *numbers)
        shape = 0, *first.x.shape
        ensemble = Ensemble(task, np.empty(shape), np.empty(shape[:2]), first)
    x, value = _grown(ensemble)
    saved, pause = time.monotonic(), every_s
    n_done, last = len(ensemble.x), ensemble.last
    for last in walk(log_posterior, ensemble.last, ranges, task.n_step - n_done):
        x[n_done], value[n_done] = last.x, last.value
        n_done += 1
        if time.monotonic() - saved >= pause and n_done < task.n_step:
            begun = time.monotonic()
            write_ensemble(hidden, Ensemble(task, x[:n_done], value[:n_done], last), provenance)
            saved = time.monotonic()
            pause = max(every_s, _SHARE * (saved - begun))
            logger.info("ensemble %d: %d/%d steps", task.number, n_done, task.n_step)
    whole = Ensemble(task, x, value, last)
    write_ensemble(output, whole, provenance)
    hidden.unlink(missing_ok=True)
    return whole


def checkpoint_of(output: str | Path) -> Path:
    """Hidden file beside the output of an ensemble that is not finished."""
    output = Path(output)
    return output.with_name(f".{output.stem}.unfinished.h5")


def write_ensemble(path: str | Path, ensemble: Ensemble, provenance: Provenance) -> None:
    """Write the draws so far, and how to go on."""
    last = ensemble.last
    values = (ensemble.x, ensemble.log_posterior, *last)
    with new_hdf5(path, SCHEMA, provenance) as file:
        for name, value in ensemble.task._asdict().items():
            file.attrs[name] = list(value) if isinstance(value, tuple) else value
        for (name, about), value in zip(_DATASETS.items(), values, strict=True):
            put(file, name, value, *about)


def read_ensemble(path: str | Path) -> Ensemble:
    """Read an ensemble, whole or not.

    Raises
    ------
    ProductError
        If the file is missing, damaged, or no ensemble.
    """
    with open_hdf5(path, SCHEMA) as file:
        x, value, *last = (get(file, name) for name in _DATASETS)
        return Ensemble(_read_task(file.attrs), x, value, Walkers(*last))


def check_ensemble(path: str | Path, ensemble: Ensemble, identity: str, names: tuple) -> None:
    """Refuse an ensemble that is of another fit, or not finished.

    Raises
    ------
    ProductError
        If it is; the message names the file.
    """
    task = ensemble.task
    again = f"make it again with `{SCHEMA.made_by} --ensemble {task.number}`"
    if task.names != tuple(names):
        raise ProductError(
            f"{path}: chains of {', '.join(task.names)}; the fit has {', '.join(names)}; {again}."
        )
    if task.fit_identity != identity:
        raise ProductError(
            f"{path}: chains of another problem or fit, {task.fit_identity[:12]}, not "
            f"{identity[:12]}; {again}."
        )
    if not ensemble.is_whole:
        raise ProductError(f"{path}: cut short: {len(ensemble.x)} of {task.n_step} steps; {again}.")


def _go_on(path: Path, task: Task) -> Ensemble | None:
    """What there is of an ensemble; None if nothing is, or it is of something else."""
    if not path.is_file():
        return None
    try:
        found = read_ensemble(path)
    except ProductError as error:
        logger.warning("%s; the ensemble begins anew", str(error).rstrip("."))
        return None
    # more steps change nothing of those that were made
    wanted = task._replace(n_step=found.task.n_step)
    if found.task != wanted or len(found.x) > task.n_step:
        logger.warning("%s: of another fit or other settings; the ensemble begins anew", path)
        return None
    logger.info("ensemble %d goes on after %d/%d steps", task.number, len(found.x), task.n_step)
    return replace(found, task=task)


def _grown(ensemble: Ensemble) -> tuple[np.ndarray, np.ndarray]:
    """Arrays for all steps, with those that are made."""
    n_done, *shape = ensemble.x.shape
    x, value = (np.empty((ensemble.task.n_step, *own)) for own in (shape, shape[:1]))
    x[:n_done], value[:n_done] = ensemble.x, ensemble.log_posterior
    return x, value


def _read_task(attributes: Mapping[str, Any]) -> Task:
    found: dict[str, Any] = {"fit_identity": str(attributes["fit_identity"])}
    found |= {name: tuple(map(str, attributes[name])) for name in ("names", "units")}
    numbers = ("number", "of", "n_walker", "n_step", "seed")
    found |= {name: int(attributes[name]) for name in numbers}
    return Task(**found)
