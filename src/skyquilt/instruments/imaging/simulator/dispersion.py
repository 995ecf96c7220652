"""Energy dispersion of a simulated imaging telescope: measured energies of true ones."""

from typing import NamedTuple

import numpy as np

from skyquilt.config.imager import MOST_DISPERSION, Dispersion, GaussianDispersion
from skyquilt.config.units import to_value
from skyquilt.simulate.draws import draw_between

_NARROWEST = 1e-6  # width
_REACH = 5.0  # standard deviations: 6e-7 lie beyond


class Energies(NamedTuple):
    """Distribution of the ratio of measured and true energy.

    Attributes
    ----------
    settings : Dispersion or None
        Section `dispersion`; None where measured energies are the true ones.
    """

    settings: Dispersion | None

    def true_span(self, edges: np.ndarray) -> tuple[float, float]:
        """Lowest and highest true energy of photons that are measured between edges [keV]."""
        low, high = float(edges[0]), float(edges[-1])
        match self.settings:
            case None:
                return low, high
            case GaussianDispersion(bias=bias) as gaussian:
                # the width changes with energy: that at the end of the span, from that at the edge
                ends = np.array([low, high])
                for _ in range(8):
                    ends = (
                        np.array([low, high])
                        / bias
                        * np.exp(np.array([-1, 1]) * _REACH * _sigma(gaussian, ends))
                    )
                return min(float(ends[0]), low), max(float(ends[1]), high)
            case table:
                return min(low / table.ratio[-1], low), max(high / table.ratio[0], high)

    def draw(self, energy: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Measured energies [keV] of photons of true energies, shape (n,)."""
        match self.settings:
            case None:
                return energy
            case GaussianDispersion(bias=bias) as gaussian:
                steps = rng.standard_normal(energy.size)
                return energy * bias * np.exp(_sigma(gaussian, energy) * steps)
            case table:
                ratio, probability = np.array(table.ratio), np.array(table.probability)
                return energy * draw_between(ratio, probability, energy.size, rng)

    def to_bands(self, energy: np.ndarray, edges: np.ndarray) -> np.ndarray:
        """Probability of each band for true energies, shape (n, n_band)."""
        match self.settings:
            case None:
                below = (energy[:, np.newaxis] < edges).astype(float)
            case GaussianDispersion(bias=bias) as gaussian:
                from scipy.special import ndtr

                distance = np.log(edges / (bias * energy[:, np.newaxis]))
                below = ndtr(distance / _sigma(gaussian, energy)[:, np.newaxis])
            case table:
                upto = np.concatenate([[0.0], np.cumsum(table.probability)])
                below = np.interp(edges / energy[:, np.newaxis], table.ratio, upto)
        return np.diff(below, axis=1)


def _sigma(settings: GaussianDispersion, energy: np.ndarray) -> np.ndarray:
    """Width of the logarithm at energies [keV]."""
    change = settings.index * np.log(energy / to_value(settings.pivot, "keV"))
    logarithm = np.log(settings.sigma) + change
    return np.exp(np.clip(logarithm, np.log(_NARROWEST), np.log(MOST_DISPERSION)))
