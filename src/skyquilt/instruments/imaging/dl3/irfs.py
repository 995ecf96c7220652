"""Responses of Cherenkov telescopes by energy and angle from where they point.

Between the middles of bins all are linear: in the logarithm of energy, in the angle, in measured
over true energy; of the background the logarithm is. Beyond the outer middles they are continued
to the edges of the bins.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from skyquilt.instruments.imaging.dl3.tables import IrfAxis
from skyquilt.instruments.imaging.profiles import ring_profiles
from skyquilt.instruments.imaging.quantities import FaultError
from skyquilt.problem.profiles import root_angles

_FAR_OF_GAUSS, _N_GAUSS = 6.0, 400  # sigma; angles of a profile
_TINY, _NEXT_TO_NONE = 1e-300, 1e-60  # stands for 0; what is taken for 0


def _blend(
    values: np.ndarray, energy: IrfAxis, offset: IrfAxis, at: tuple[np.ndarray, np.ndarray]
) -> np.ndarray:
    """Values of shape (n_energy, n_offset, ...) at energies and offsets, 0 or more."""
    by_energy = np.tensordot(energy.weights(at[0]), values, axes=(1, 0))
    both = np.tensordot(offset.weights(at[1]), by_energy, axes=(1, 1))
    return np.maximum(both, 0.0)


@dataclass(frozen=True, eq=False)
class EffectiveArea:
    """Effective area (AEFF_2D).

    Attributes
    ----------
    energy, offset : IrfAxis
        True energy [keV], angle from the pointing [rad].
    values : ndarray of float64, shape (n_energy, n_offset)
        Effective area [cm2].
    """

    energy: IrfAxis
    offset: IrfAxis
    values: np.ndarray

    def at(self, energy: np.ndarray, offset: np.ndarray) -> np.ndarray:
        """Effective area [cm2] at energies [keV] and angles [rad], shape (n_offset, n_energy)."""
        return _blend(self.values, self.energy, self.offset, (energy, offset))


@dataclass(frozen=True, eq=False)
class EnergyDispersion:
    """Energy dispersion (EDISP_2D).

    Attributes
    ----------
    energy, offset, migra : IrfAxis
        True energy [keV], angle from the pointing [rad], measured over true energy.
    values : ndarray of float64, shape (n_energy, n_offset, n_migra)
        Density of measured over true energy, of any norm; 0 everywhere where it is not known.
    """

    energy: IrfAxis
    offset: IrfAxis
    migra: IrfAxis
    values: np.ndarray

    def rows(self, energy: np.ndarray, offset: np.ndarray) -> np.ndarray:
        """Densities at energies [keV] and angles [rad], shape (n_offset, n_energy, n_migra).

        Linear between the middles of the bins and 0 beyond the outer edges, of integral 1; 0
        everywhere where the dispersion is not known.
        """
        rows = _blend(self.values, self.energy, self.offset, (energy, offset))
        total = self._upto(rows, self.migra.edges[-1:])[..., 0]
        return np.divide(rows, total[..., np.newaxis], out=rows, where=total[..., np.newaxis] > 0)

    def density(self, rows: np.ndarray, energy: np.ndarray, measured: np.ndarray) -> np.ndarray:
        """Density of measured energies [keV-1], shape (n_offset, n_measured, n_energy).

        Parameters
        ----------
        rows : ndarray of float64, shape (n_offset, n_energy, n_migra)
            What `rows` gave.
        energy, measured : ndarray of float64
            True and measured energies [keV].
        """
        found = np.empty((len(rows), len(measured), len(energy)))
        nodes, (low, high) = self.migra.nodes, self.migra.span
        for k, true in enumerate(energy):
            migra = measured / true
            inside = (migra >= low) & (migra <= high)
            for o, one in enumerate(rows[:, k]):
                found[o, :, k] = np.where(inside, np.interp(migra, nodes, one), 0) / true
        return found

    def fractions(self, rows: np.ndarray, energy: np.ndarray, edges: np.ndarray) -> np.ndarray:
        """Probability of being measured in bands, shape (n_band, n_offset, n_energy)."""
        found = np.empty((len(edges) - 1, *rows.shape[:2]))
        for k, true in enumerate(energy):
            at = np.clip(edges / true, *self.migra.span)
            found[:, :, k] = np.diff(self._upto(rows[:, k], at), axis=-1).T
        return found

    def _upto(self, rows: np.ndarray, at: np.ndarray) -> np.ndarray:
        """Integral of rows from the lowest edge to each of some positions, shape (..., n)."""
        nodes, (low, high) = self.migra.nodes, self.migra.span
        grid = np.concatenate([[low], nodes, [high]])
        values = np.concatenate([rows[..., :1], rows, rows[..., -1:]], axis=-1)
        steps = (values[..., 1:] + values[..., :-1]) / 2 * np.diff(grid)
        before = np.concatenate([np.zeros((*rows.shape[:-1], 1)), np.cumsum(steps, -1)], axis=-1)
        left = np.clip(np.searchsorted(grid, at, side="right") - 1, 0, len(grid) - 2)
        part = at - grid[left]
        width = grid[left + 1] - grid[left]
        slope = (values[..., left + 1] - values[..., left]) / np.where(width > 0, width, 1)
        return before[..., left] + part * (values[..., left] + slope * part / 2)

    @cached_property
    def norm(self) -> tuple[float, float]:
        """Smallest and largest integral of the densities as they are stored, where not 0."""
        width = self.migra.high - self.migra.low
        integral = np.sum(self.values * width, axis=-1)
        known = integral[integral > 0]
        return (float(known.min()), float(known.max())) if known.size else (0.0, 0.0)


@dataclass(frozen=True, eq=False)
class PointSpreadRings:
    """Point spread function in rings (PSF_TABLE).

    Attributes
    ----------
    energy, offset, ring : IrfAxis
        True energy [keV], angle from the pointing [rad], angle from the source [rad].
    values : ndarray of float64, shape (n_energy, n_offset, n_ring)
        Density [sr-1]; 0 everywhere where it is not known.
    """

    energy: IrfAxis
    offset: IrfAxis
    ring: IrfAxis
    values: np.ndarray

    def profiles(
        self, energy: np.ndarray, offset: np.ndarray, path: str, *, normalise: bool
    ) -> tuple[np.ndarray, np.ndarray]:
        """Angles [rad], and densities there [sr-1], shape (n_offset, n_energy, n_theta)."""
        if self.ring.low[0] > 1e-6:
            raise FaultError(f"PSF: its first ring begins at {self.ring.low[0]:.3g} rad, not at 0.")
        rows = _blend(self.values, self.energy, self.offset, (energy, offset))
        solid = -np.diff(np.cos(self.ring.edges))
        wanted = _blend(self.values @ solid, self.energy, self.offset, (energy, offset))
        found = rows @ solid  # more than wanted where values below 0, beyond outer bins, are not
        scale = np.divide(wanted, found, out=np.zeros_like(found), where=found > 0)
        rows *= scale[..., np.newaxis]
        flat = rows.reshape(-1, rows.shape[-1])
        theta, profile = ring_profiles(self.ring.edges, flat, path, normalise=normalise)
        return theta, profile.reshape(*rows.shape[:2], -1)


@dataclass(frozen=True, eq=False)
class PointSpreadGauss:
    """Sum of three normal distributions (PSF_3GAUSS).

    Attributes
    ----------
    energy, offset : IrfAxis
        True energy [keV], angle from the pointing [rad].
    sigma : ndarray of float64, shape (n_energy, n_offset, 3)
        Widths [rad]; the first is 0 where the function is not known.
    amplitude : ndarray of float64, shape (n_energy, n_offset, 3)
        Heights, relative to the first.
    """

    energy: IrfAxis
    offset: IrfAxis
    sigma: np.ndarray
    amplitude: np.ndarray

    def profiles(
        self, energy: np.ndarray, offset: np.ndarray, path: str, *, normalise: bool
    ) -> tuple[np.ndarray, np.ndarray]:
        """Angles [rad], and densities there [sr-1], shape (n_offset, n_energy, n_theta).

        Their integral is 1, whatever `path` says of it, and whether `normalise` is asked for.
        """
        sigma = _blend(self.sigma, self.energy, self.offset, (energy, offset))
        height = _blend(self.amplitude, self.energy, self.offset, (energy, offset))
        used = (height > 0) & (sigma > 0)
        if not used.any():
            raise FaultError("PSF: no width is above 0 at the energies that are needed.")
        far = min(_FAR_OF_GAUSS * float(sigma[used].max()), np.pi)
        theta = root_angles(far, _N_GAUSS)
        square = np.where(used, sigma, 1.0)[..., np.newaxis] ** 2
        each = np.where(used, height, 0.0)[..., np.newaxis] * np.exp(-(theta**2) / (2 * square))
        norm = 2 * np.pi * np.sum(np.where(used, height * sigma**2, 0.0), axis=-1)
        profile = each.sum(axis=-2)
        known = (norm > 0)[..., np.newaxis]
        return theta, np.divide(profile, norm[..., np.newaxis], out=0 * profile, where=known)


PointSpreadOfField = PointSpreadRings | PointSpreadGauss


@dataclass(frozen=True, eq=False)
class FieldBackground:
    """Rate of background in the field of view (BKG_2D, BKG_3D).

    Attributes
    ----------
    energy : IrfAxis
        Measured energy [keV].
    field : tuple of IrfAxis
        Angle from the pointing, or longitude and latitude around it [rad].
    values : ndarray of float64, shape (n_energy, n_position, ...)
        Rate [s-1 sr-1 keV-1].
    """

    energy: IrfAxis
    field: tuple[IrfAxis, ...]
    values: np.ndarray

    @property
    def is_radial(self) -> bool:
        """Whether the rate depends on the angle from the pointing alone."""
        return len(self.field) == 1

    def radius(self) -> float:
        """Angle from the pointing up to which it is known [rad]."""
        if self.is_radial:
            return self.field[0].span[1]
        return min(min(-axis.span[0], axis.span[1]) for axis in self.field)

    def at(self, energy: np.ndarray, lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
        """Rate at energies [keV], of positions in the field of view [rad].

        Parameters
        ----------
        energy, lon, lat : ndarray of float64, shape (n,)
            One energy and position for each.

        Returns
        -------
        ndarray of float64, shape (n,)
            Rate [s-1 sr-1 keV-1]; 0 outside the field of view, and beside bins of 0.
        """
        where, inside = self._inside(lon, lat)
        rate = np.zeros(len(energy))
        rate[inside] = _to_rate(self._between([energy[inside], *where], self._logarithm))
        return rate

    def everywhere(self, energy: np.ndarray, lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
        """The same at all energies, shape (m,), in each position, shape (n,); shape (m, n)."""
        where, inside = self._inside(lon, lat)
        maps = np.array([self._between(where, one, self.field) for one in self._logarithm])
        rate = np.zeros((len(energy), len(lon)))
        rate[:, inside] = _to_rate(self.energy.weights(energy) @ maps)
        return rate

    def _inside(self, lon: np.ndarray, lat: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
        """Places along the axes that lie in the field of view, and which do."""
        where = [lon, lat]
        if self.is_radial:
            where = [np.arccos(np.clip(np.cos(lon) * np.cos(lat), -1, 1))]
        inside = np.ones(len(lon), dtype=bool)
        for axis, angle in zip(self.field, where, strict=True):
            inside &= (angle >= axis.span[0]) & (angle <= axis.span[1])
        return [angle[inside] for angle in where], inside

    def _between(
        self, at: list[np.ndarray], values: np.ndarray, axes: tuple[IrfAxis, ...] | None = None
    ) -> np.ndarray:
        """Values on axes, those of the rate when left out, linear in between."""
        every = (self.energy, *self.field) if axes is None else axes
        corners = [_corners(axis, one) for axis, one in zip(every, at, strict=True)]
        total = np.zeros(len(at[0]))
        for choice in np.ndindex(*(2,) * len(corners)):
            weight = np.ones(len(total))
            index = []
            for (left, part), upper, size in zip(corners, choice, values.shape, strict=True):
                weight = weight * (part if upper else 1 - part)
                index.append(np.minimum(left + upper, size - 1))
            total += weight * values[tuple(index)]
        return total

    @cached_property
    def _logarithm(self) -> np.ndarray:
        return np.log(np.maximum(self.values, _TINY))


def _to_rate(logarithm: np.ndarray) -> np.ndarray:
    """Rates of their logarithms; 0 where bins without any have a part in them."""
    rate = np.exp(np.minimum(logarithm, 700))
    return np.where(rate > _NEXT_TO_NONE, rate, 0.0)


def _corners(axis: IrfAxis, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Nodes before some positions, and the way to the next."""
    nodes = axis.nodes
    if len(nodes) == 1:
        return np.zeros(len(at), np.int64), np.zeros(len(at))
    if axis.is_log:
        nodes, at = np.log(nodes), np.log(at)
    left = np.clip(np.searchsorted(nodes, at, side="right") - 1, 0, len(nodes) - 2)
    return left, (at - nodes[left]) / (nodes[left + 1] - nodes[left])
