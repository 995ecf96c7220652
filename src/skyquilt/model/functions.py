"""Spectra and light curves by name: those of skyquilt, and those of other packages.

Another package gives its own by an entry point of the group `skyquilt.models`, which names a
`SpectrumModel` or a `skyquilt.light_curves.functions.TimeFunction`; no configuration names a path.
"""

from collections.abc import Callable, Mapping
from functools import cache
from importlib.metadata import entry_points
from typing import Any, NamedTuple

import numpy as np

from skyquilt.light_curves.functions import LIGHT_CURVES, TimeFunction

GROUP = "skyquilt.models"
"""Group of entry points."""


class SpectrumModel(NamedTuple):
    """A spectrum of another package.

    Attributes
    ----------
    function : callable
        Takes energies [keV] and the parameters by keyword; gives dN/dE [ph cm-2 s-1 keV-1].
        Analytic in its parameters.
    units : dict of str to str
        Unit of each parameter, "" for a pure number.
    """

    function: Callable[..., np.ndarray]
    units: Mapping[str, str]


@cache
def other_models() -> dict[str, SpectrumModel | TimeFunction]:
    """Spectra and light curves of other packages, by name.

    Raises
    ------
    ValueError
        If an entry point names something else.
    """
    found: dict[str, Any] = {}
    for entry in entry_points(group=GROUP):
        found[entry.name] = entry.load()
        if not isinstance(found[entry.name], SpectrumModel | TimeFunction):
            raise ValueError(
                f"entry point {entry.name} of {GROUP} is a {type(found[entry.name]).__name__}: "
                "allowed are SpectrumModel and TimeFunction"
            )
    return found


def spectrum_function(name: str) -> Callable[..., np.ndarray]:
    """Function of a spectral model.

    Raises
    ------
    ValueError
        If there is none of this name.
    """
    from skyquilt.spectra.formulas import LOG_SHAPES

    if name in LOG_SHAPES:
        return _with_norm(LOG_SHAPES[name])
    other = other_models().get(name)
    if not isinstance(other, SpectrumModel):
        raise ValueError(f"{name!r} is no spectrum; there are: {', '.join(LOG_SHAPES)}")
    return other.function


def light_curve(name: str) -> TimeFunction:
    """A light curve.

    Raises
    ------
    ValueError
        If there is none of this name.
    """
    if name in LIGHT_CURVES:
        return LIGHT_CURVES[name]
    other = other_models().get(name)
    if not isinstance(other, TimeFunction):
        raise ValueError(f"{name!r} is no light curve: {', '.join(sorted(LIGHT_CURVES))}")
    return other


def _with_norm(log_shape: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
    def density(energy: np.ndarray, norm: np.ndarray, **parameters: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            return norm * np.exp(log_shape(energy, **parameters))

    return density
