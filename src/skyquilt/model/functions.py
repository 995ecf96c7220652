"""Spectra, light curves and shapes by name: those of skyquilt, and those of other packages.

Another package gives its own by an entry point of the group `skyquilt.models`, which names a
`SpectrumModel`, a `LightCurveModel` or a `ShapeModel`; no configuration names a path.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from skyquilt.light_curves.functions import LIGHT_CURVES, TimeFunction
from skyquilt.model.shapes import SHAPES, SourceShape, shape_of


class SpectrumModel(NamedTuple):
    """A spectrum of another package.

    Attributes
    ----------
    function : callable
        Takes energies [keV] and the parameters by keyword; gives dN/dE [ph cm-2 s-1 keV-1].
        Analytic in its parameters.
    options : type
        Its parameters: a class that derives from
        `skyquilt.config.model_functions.SpectrumFunction`.
    """

    function: Callable[..., np.ndarray]
    options: type


def _no_corners(*parameters: np.ndarray) -> Sequence[np.ndarray]:
    return []


class LightCurveModel(NamedTuple):
    """A function of time of another package.

    Attributes
    ----------
    function : callable
        Takes times [s] since the epoch, and the parameters in the order of the options. Analytic in
        its parameters.
    options : type
        Its parameters: a class that derives from `skyquilt.config.model_functions.CurveFunction`.
    corners : callable
        Takes the parameters; times in rising order between which the function is smooth. None for
        one that is smooth over each bin.
    """

    function: Callable[..., np.ndarray]
    options: type
    corners: Callable[..., Sequence[np.ndarray]] = _no_corners


class ShapeModel(NamedTuple):
    """A shape of another package.

    Attributes
    ----------
    function : callable
        Takes angles to the east and to the north of the centre [deg], and the parameters by
        keyword; gives a brightness of any scale, for the flux is that of the whole.
    options : type
        Its parameters: a class that derives from `skyquilt.config.model_functions.ShapeFunction`.
    size : str
        Parameter that tells how large it is, an angle.
    extent : float
        Angle beyond which there is nothing, in sizes.
    """

    function: Callable[..., np.ndarray]
    options: type
    size: str
    extent: float = 1.0


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
    return _other(name, SpectrumModel, "spectrum", LOG_SHAPES).function


def light_curve(name: str) -> TimeFunction:
    """A light curve.

    Raises
    ------
    ValueError
        If there is none of this name.
    """
    if name in LIGHT_CURVES:
        return LIGHT_CURVES[name]
    other = _other(name, LightCurveModel, "light curve", LIGHT_CURVES)
    parameters = tuple(key for key in other.options.model_fields if key != "light_curve")
    times = tuple(key for key, unit in other.options.units().items() if unit == "s")
    return TimeFunction(other.function, other.corners, parameters, times)


def source_shape(name: str, sharpness: float, largest: float) -> SourceShape:
    """A shape.

    Parameters
    ----------
    name : str
        Its name.
    sharpness, largest : float
        Standard deviation of the sharpest point spread function, and largest size [deg].

    Raises
    ------
    ValueError
        If there is none of this name.
    """
    if name in SHAPES:
        return SHAPES[name](sharpness, largest)
    other = _other(name, ShapeModel, "shape", SHAPES)
    parameters = tuple(key for key in other.options.model_fields if key != "model")
    return shape_of(other.function, parameters, other.size, other.extent, sharpness, largest)


def size_parameter(name: str) -> str:
    """Parameter of a shape that tells how large it is."""
    if name in SHAPES:
        return "radius" if name == "disk" else "sigma"
    return _other(name, ShapeModel, "shape", SHAPES).size


def _other(name: str, kind: type, what: str, known: Any) -> Any:
    from skyquilt.config.other_models import GROUP, other_model  # with pydantic: half a second

    found = other_model(name)
    if found is None:
        raise ValueError(f"{name!r} is no {what}: {', '.join(sorted(known))}")
    if not isinstance(found, kind):
        raise ValueError(
            f"{name!r}: its entry point of {GROUP} is a {type(found).__name__}, where a {what} is "
            f"asked for: a {kind.__name__}"
        )
    return found


def _with_norm(log_shape: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
    def density(energy: np.ndarray, norm: np.ndarray, **parameters: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            return norm * np.exp(log_shape(energy, **parameters))

    return density
