"""Functions of time and of energy that a fit found, each with its 68 % band."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from skyquilt.inference.sampler import draw_around
from skyquilt.model.expression import compile_expression
from skyquilt.model.functions import light_curve
from skyquilt.model.layer import Layer, Values
from skyquilt.model.made import MadeFit
from skyquilt.model.quantities import Curve, Expression, Link
from skyquilt.model.samples import Samples
from skyquilt.model.sampling import make_exact
from skyquilt.model.sources import Source

N_DRAW = 400
"""Draws behind a band: its ends are known to a twentieth of its width."""

_LEVELS = (0.16, 0.84)
_SEED = 1


class Band(NamedTuple):
    """A function that was found; arrays of shape (n,).

    Attributes
    ----------
    at : ndarray of float64
        Times since the epoch [s], or energies [keV].
    best, low, high : ndarray of float64
        Best values, and the band.
    """

    at: np.ndarray
    best: np.ndarray
    low: np.ndarray
    high: np.ndarray


def draw_numbers(made: MadeFit, samples: Samples | None) -> np.ndarray:
    """Free numbers as the data leave them, shape (m, p).

    Samples, some of them evenly taken, where there are any; else draws from the covariance, within
    the ranges. Numbers without data stay where they began.
    """
    if samples is not None:
        full = samples.in_all(made.layer).reshape(-1, made.layer.n_free)
        rows = np.linspace(0, len(full) - 1, min(N_DRAW, len(full))).astype(np.int64)
        return np.where(np.isnan(full[rows]), made.x, full[rows])
    target = make_exact(made)
    random = np.random.RandomState(np.random.MT19937(_SEED))
    drawn = target.in_all(draw_around(target.cloud, target.ranges, N_DRAW, random))
    is_possible = np.isfinite(made.posterior.value(drawn, np.zeros(N_DRAW, dtype=np.int64)))
    return drawn[is_possible] if np.any(is_possible) else made.x[np.newaxis]


def time_band(made: MadeFit, draws: np.ndarray, name: str, time: np.ndarray) -> Band | None:
    """A quantity as a function of time; None if it is none, but has numbers of its own per bin.

    Parameters
    ----------
    made : MadeFit
        The fit.
    draws : ndarray of float64, shape (m, p)
        What `draw_numbers` gave.
    name : str
        The quantity, as "burst.flux".
    time : ndarray of float64, shape (n,)
        Times since the epoch [s].
    """
    found = _of_time(made.layer, name)
    if found is None:
        return None
    function, inputs = found
    values = made.layer.values(np.concatenate([made.x[np.newaxis], draws]))
    if any(values[one].shape[1] > 1 for one in inputs):
        return None
    with np.errstate(all="ignore"):
        curves = function(time, *(values[one] for one in inputs))
    return _band(time, np.broadcast_to(curves, (1 + len(draws), time.size)))


def spectrum_band(made: MadeFit, draws: np.ndarray, source: Source, energy: np.ndarray) -> Band:
    """Photon flux density of a source, the mean over the livetime [ph cm-2 s-1 keV-1].

    Parameters
    ----------
    made, draws
        As of `time_band`.
    source : Source
        The source.
    energy : ndarray of float64, shape (n,)
        Energies [keV].
    """
    livetime = np.where(np.isnan(made.problem.livetime), 1.0, made.problem.livetime)
    weight = livetime / livetime.sum()
    points = np.concatenate([made.x[np.newaxis], draws])
    with np.errstate(all="ignore"):
        density = [_density(source, made.layer.values(x), energy, weight) for x in points]
    return _band(energy, np.array(density))


def _density(source: Source, here: Values, energy: np.ndarray, weight: np.ndarray) -> np.ndarray:
    density = np.atleast_2d(source.flux_density(energy, here))
    flux = np.broadcast_to(here[f"{source.name}.flux"], weight.shape)
    return (weight * flux) @ np.broadcast_to(density, (weight.size, energy.size))


def _of_time(layer: Layer, name: str) -> tuple[Callable[..., np.ndarray], tuple[str, ...]] | None:
    """Function of time behind a quantity, and what else it takes."""
    quantity = layer.quantities[name]
    while isinstance(quantity, Link):
        name = quantity.to
        quantity = layer.quantities[name]
    if isinstance(quantity, Curve):
        curve = light_curve(quantity.kind)
        return curve.function, tuple(f"{name}.{part}" for part in curve.parameters)
    if not isinstance(quantity, Expression):
        return None
    compiled = compile_expression(quantity.text)
    if "t" not in compiled.names:
        return None
    at = compiled.names.index("t")

    def function(time: np.ndarray, *others: np.ndarray) -> np.ndarray:
        return compiled.function(*others[:at], time, *others[at:])

    return function, tuple(one for one in compiled.names if one != "t")


def _band(at: np.ndarray, curves: np.ndarray) -> Band:
    """Best curve and band; the first row is the best, the others are draws."""
    low, high = np.nanquantile(curves[1:], _LEVELS, axis=0)
    return Band(at, curves[0], low, high)
