"""Sources, backgrounds and pointing offsets of a model, by the quantities that they read."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from skyquilt.model.shapes import SourceShape

_STEP = 1e-30  # of a complex step


class Source(NamedTuple):
    """A source of a model.

    Its quantities are ``{name}.lon`` and ``{name}.lat`` [deg] in the frame of the problem,
    ``{name}.flux``, the factor on its spectrum, and ``{name}.{parameter}`` of spectrum and shape.

    Attributes
    ----------
    name : str
        Name.
    spectrum : callable
        Takes energies [keV] and the parameters by keyword; gives dN/dE [ph cm-2 s-1 keV-1].
        Analytic in its parameters, which are numbers, or of shape (n_cell, 1).
    parameters : tuple of str
        Names of the parameters.
    shape : SourceShape, optional
        Its shape on the sky; a point when left out.
    """

    name: str
    spectrum: Callable[..., np.ndarray]
    parameters: tuple[str, ...]
    shape: SourceShape | None = None

    @property
    def shape_parameters(self) -> tuple[str, ...]:
        """Names of the parameters of its shape."""
        return () if self.shape is None else self.shape.parameters

    @property
    def quantities(self) -> tuple[str, ...]:
        """Names of all its quantities: position, flux, parameters."""
        parts = ("lon", "lat", "flux", *self.parameters, *self.shape_parameters)
        return tuple(f"{self.name}.{part}" for part in parts)

    def flux_density(self, energy: np.ndarray, here: dict[str, Any]) -> np.ndarray:
        """Photon flux density, shape (n_energy,) or (n_cell, n_energy)."""
        return np.asarray(self.spectrum(energy, **self._spectral(here)))

    def density_slope(self, energy: np.ndarray, here: dict[str, Any], part: str) -> np.ndarray:
        """Its derivative by a parameter."""
        parameters = self._spectral(here)
        parameters[part] = parameters[part] + 1j * _STEP
        return np.imag(self.spectrum(energy, **parameters)) / _STEP

    def _spectral(self, here: dict[str, Any]) -> dict[str, Any]:
        values = {part: here[f"{self.name}.{part}"] for part in self.parameters}
        return {part: v[:, np.newaxis] if np.ndim(v) else v for part, v in values.items()}


class Background(NamedTuple):
    """A factor on a component of the background.

    Attributes
    ----------
    quantity : str
        Name of the quantity that is the factor.
    dataset : str
        Data set; "" if there is only one.
    component : str
        Component; "" of a background without named ones.
    """

    quantity: str
    dataset: str = ""
    component: str = ""


class Offset(NamedTuple):
    """A pointing offset: all sources are seen moved by it in one data set.

    Attributes
    ----------
    dataset : str
        Data set.
    east, north : str
        Names of the quantities [deg].
    """

    dataset: str
    east: str
    north: str
