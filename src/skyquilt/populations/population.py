"""A population of events: its density at each event, and how many of it are expected.

Density and number are linear in the photons of its spectrum, so that what there is without the
spectrum is kept, and a spectrum may vary without a look at the sky again.
"""

from dataclasses import dataclass

import numpy as np

from skyquilt.errors import InputError
from skyquilt.spectra.formulas import LOG_SHAPES

_STEP = 1e-30  # of a complex step


@dataclass(frozen=True, eq=False)
class Curve:
    """Spectrum of a population of which parameters are fitted.

    Attributes
    ----------
    model : str
        Name of the spectral model.
    parameters : dict of str to float
        All of its parameters but the norm, energies in keV; those that are fitted at their start.
    free : tuple of str
        Those that are fitted.
    lower, upper : ndarray of float64, shape (n_free,)
        Their ranges.
    energy : ndarray of float64, shape (n_event,)
        Energies of the events [keV].
    total_energy, total_weight : ndarray of float64, shape (n_node,)
        Expected events are the sum of these weights [cm2 s keV] times the spectrum at these
        energies [keV].
    """

    model: str
    parameters: dict[str, float]
    free: tuple[str, ...]
    lower: np.ndarray
    upper: np.ndarray
    energy: np.ndarray
    total_energy: np.ndarray
    total_weight: np.ndarray

    @property
    def start(self) -> np.ndarray:
        """Start of the parameters that are fitted."""
        return np.array([self.parameters[name] for name in self.free])

    def log_shape(self, energy: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Logarithm of the spectrum over its norm.

        Parameters
        ----------
        energy : ndarray of float64, shape (n,)
            Energies [keV].
        values : ndarray, shape (m, n_free)
            Parameters.

        Returns
        -------
        ndarray, shape (m, n)
            One row per set of parameters; complex if they are.
        """
        free = dict(zip(self.free, values.T[:, :, np.newaxis], strict=True))
        return LOG_SHAPES[self.model](energy, **(self.parameters | free))

    def log_total(self, values: np.ndarray) -> np.ndarray:
        """Logarithm of the expected events for a norm of 1, shape (m,)."""
        shape = self.log_shape(self.total_energy, values)
        top = np.max(shape.real, axis=1)
        return np.log(np.exp(shape - top[:, np.newaxis]) @ self.total_weight) + top


@dataclass(frozen=True, eq=False)
class Population:
    """A population.

    Attributes
    ----------
    name : str
        Its name.
    response : ndarray of float64, shape (n_event,)
        Density at each event: with a curve over its spectrum [cm2 s sr-1], else expected events
        per solid angle and energy [sr-1 keV-1].
    expected : float
        Events that its spectrum at the start, or its fluxes, predict.
    curve : Curve, optional
        What is fitted of its spectrum.

    Raises
    ------
    InputError
        If a density is negative or not finite, or nothing is expected.
    """

    name: str
    response: np.ndarray
    expected: float
    curve: Curve | None = None

    def __post_init__(self):
        if not (np.all(np.isfinite(self.response)) and np.all(self.response >= 0)):
            raise InputError(f"population {self.name}: densities must be finite and at least 0.")
        if not (np.isfinite(self.expected) and self.expected > 0):
            raise InputError(
                f"population {self.name}: {self.expected:g} events are expected; there must be "
                "some."
            )

    @property
    def n_free(self) -> int:
        """Number of its parameters."""
        return 0 if self.curve is None else len(self.curve.free)

    def density(self, values: np.ndarray, events: slice = slice(None)) -> np.ndarray:
        """Density of its events, of integral 1.

        Parameters
        ----------
        values : ndarray of float64, shape (m, n_free)
            Parameters.
        events : slice
            Events that are asked for.

        Returns
        -------
        ndarray of float64, shape (m, n_event), or (1, n_event) without parameters
            Densities [sr-1 keV-1].
        """
        if self.curve is None:
            return self.response[np.newaxis, events] / self.expected
        shape = self.curve.log_shape(self.curve.energy[events], values)
        return self.response[events] * np.exp(shape - self.curve.log_total(values)[:, np.newaxis])

    def slopes(self, values: np.ndarray) -> np.ndarray:
        """Derivatives of the logarithm of the density by its parameters, shape (n_free, n_event).

        Parameters
        ----------
        values : ndarray of float64, shape (n_free,)
            Parameters.
        """
        if self.curve is None:
            return np.empty((0, self.response.size))
        stepped = values + 1j * _STEP * np.eye(self.n_free)
        shape = self.curve.log_shape(self.curve.energy, stepped)
        return (shape - self.curve.log_total(stepped)[:, np.newaxis]).imag / _STEP

    def factor(self, events: float, values: np.ndarray) -> float:
        """How many times what is expected some events are, at other parameters."""
        if self.curve is None:
            return events / self.expected
        both = self.curve.log_total(np.stack([self.curve.start, values]))
        return float(events / self.expected * np.exp(both[0] - both[1]))
