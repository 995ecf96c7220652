"""Log-likelihoods of known maxima for the tests of the climb."""

import numpy as np

from skyquilt.inference.arrow import Arrow
from skyquilt.inference.surface import Derivatives


class PoissonLines:
    """Counts of expectation exp(design @ x), one set of counts per lane; concave."""

    def __init__(self, counts, design):
        self.counts, self.design = np.atleast_2d(counts), design

    def value(self, x, lanes):
        log_mu = x @ self.design.T
        return np.sum(self.counts[lanes] * log_mu - np.exp(log_mu), axis=1)

    def derivatives(self, x, lanes):
        mu = np.exp(x @ self.design.T)
        gradient = (self.counts[lanes] - mu) @ self.design
        return Derivatives(gradient, np.einsum("mb,bi,bj->mij", mu, self.design, self.design))


class PoissonFluxes:
    """Counts of expectation background + x @ unit_counts."""

    def __init__(self, counts, background, unit_counts):
        self.counts, self.background, self.unit_counts = counts, background, unit_counts

    def _expected(self, x):
        return self.background + x @ self.unit_counts

    def value(self, x, lanes):
        mu = self._expected(x)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.sum(self.counts * np.log(mu) - mu, axis=1)

    def derivatives(self, x, lanes):
        mu = self._expected(x)
        gradient = (self.counts / mu - 1) @ self.unit_counts.T
        rows = self.unit_counts * (np.sqrt(self.counts) / mu)[:, np.newaxis]
        return Derivatives(gradient, rows @ np.swapaxes(rows, 1, 2))


class Rosenbrock:
    """Minus Rosenbrock's banana in two parameters; its ridge is curved, its top at (1, 1)."""

    def value(self, x, lanes):
        return -(100 * (x[:, 1] - x[:, 0] ** 2) ** 2 + (1 - x[:, 0]) ** 2)

    def derivatives(self, x, lanes):
        a, b = x.T
        gap = b - a**2
        gradient = np.stack([400 * a * gap + 2 * (1 - a), -200 * gap], axis=1)
        # of the residuals 10 (b - a^2) and 1 - a
        rows = np.zeros((len(x), 2, 2))
        rows[:, 0, 0], rows[:, 0, 1], rows[:, 1, 0] = -20 * a, 10.0, -1.0
        return Derivatives(gradient, 2 * np.swapaxes(rows, 1, 2) @ rows)


class Scaled:
    """A surface in other units: y = x * unit."""

    def __init__(self, surface, unit):
        self.surface, self.unit = surface, unit

    def value(self, y, lanes):
        return self.surface.value(y / self.unit, lanes)

    def derivatives(self, y, lanes):
        gradient, curvature = self.surface.derivatives(y / self.unit, lanes)
        return Derivatives(gradient / self.unit, curvature / np.outer(self.unit, self.unit))


class LightCurve:
    """One index for all time bins and a flux for each, Gaussian errors; curvature as an arrow.

    ``y[t, e] = x[1 + t] * energy[e] ** x[0]``.
    """

    def __init__(self, y, energy, error, *, is_dense=False):
        self.y, self.energy, self.error, self.is_dense = y, energy, error, is_dense

    def _model(self, x):
        return x[:, 1:, np.newaxis] * self.energy ** x[:, :1, np.newaxis]

    def value(self, x, lanes):
        return -0.5 * np.sum(((self.y - self._model(x)) / self.error) ** 2, axis=(1, 2))

    def derivatives(self, x, lanes):
        parts = [self._at(row) for row in x]
        gradient = np.stack([gradient for gradient, _ in parts])
        if self.is_dense:
            return Derivatives(gradient, np.stack([arrow.to_dense() for _, arrow in parts]))
        return Derivatives(gradient, parts[0][1])

    def _at(self, x):
        model = self._model(x[np.newaxis])[0]
        by_index, by_flux = model * np.log(self.energy), np.ones_like(model) * self.energy ** x[0]
        residual, weight = (self.y - model) / self.error**2, 1 / self.error**2
        gradient = np.append(np.sum(residual * by_index), np.sum(residual * by_flux, axis=1))
        border = np.sum(by_index * by_flux, axis=1) * weight
        own = np.sum(by_flux**2, axis=1) * weight
        shared = np.array([[np.sum(by_index**2) * weight]])
        cell = (slice(None), np.newaxis, np.newaxis)
        return gradient, Arrow(shared, border[cell], own[cell])
