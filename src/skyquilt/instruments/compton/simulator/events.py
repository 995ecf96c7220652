"""Unbinned events: times, energies and directions drawn from the model."""

from dataclasses import dataclass

import numpy as np

from skyquilt.config.light_curve import LightCurve
from skyquilt.config.shape import AnalyticShape
from skyquilt.instruments.compton.orientation import Orientation
from skyquilt.instruments.compton.simulator.background import ALBEDO, intensity, local_weights
from skyquilt.instruments.compton.simulator.cones import solid_angles
from skyquilt.instruments.compton.simulator.exposure import (
    livetime_within,
    record_factors,
    record_weights,
)
from skyquilt.instruments.compton.simulator.instrument import Instrument
from skyquilt.instruments.compton.simulator.orbit import HORIZON_COS, Orbit
from skyquilt.instruments.compton.simulator.telescope import zenith_factor
from skyquilt.light_curves.factors import draw_times
from skyquilt.simulate.draws import turn_away
from skyquilt.simulate.shapes import draw_shape
from skyquilt.sky.healpix import ring_to_vec
from skyquilt.sky.pixels import nside_to_npix

_PROPOSALS = 1 << 18  # background photons tried at a time


@dataclass(frozen=True)
class DrawnEvents:
    """Reconstructed events in the order of time.

    Attributes
    ----------
    time : ndarray of float64, shape (n,)
        Time [UNIX s].
    energy : ndarray of float64, shape (n,)
        Measured energy [keV].
    phi : ndarray of float64, shape (n,)
        Compton angle [rad].
    axes : ndarray of float64, shape (n, 3, 3)
        Axes x, y, z of the spacecraft at these times, galactic.
    scattered : ndarray of float64, shape (n, 3)
        Scattered direction PsiChi, galactic.
    """

    time: np.ndarray
    energy: np.ndarray
    phi: np.ndarray
    axes: np.ndarray
    scattered: np.ndarray


class EventSampler:
    """Draws events of an observation.

    Parameters
    ----------
    instrument : Instrument
        The telescope.
    orbit : Orbit
        Attitude at any time.
    orientation : Orientation
        Records of attitude and livetime; the effective area of a record is that at its stamp.
    interval : tuple of float
        Time interval [UNIX s].
    rng : numpy.random.Generator
        Random numbers.
    """

    def __init__(
        self,
        instrument: Instrument,
        orbit: Orbit,
        orientation: Orientation,
        interval: tuple[float, float],
        rng: np.random.Generator,
    ):
        self.instrument, self.orbit, self.orientation = instrument, orbit, orientation
        self.interval, self.rng = interval, rng
        self.livetime = livetime_within(orientation, *interval)

    def point_source(
        self, direction: np.ndarray, photons: np.ndarray, curve: LightCurve | None = None
    ) -> DrawnEvents:
        """Events of a point source.

        Parameters
        ----------
        direction : ndarray of float64, shape (3,)
            Direction, galactic.
        photons : ndarray of float64, shape (n_ei,)
            Photon flux [ph cm-2 s-1].
        curve : LightCurve, optional
            Factor on the flux.
        """
        livetime = self._shining(curve)
        weights = record_weights(self.orientation, livetime, direction[None])[:, 0]
        rates = photons * self.instrument.area.sum(axis=1)
        n_events = self.rng.poisson(rates.sum() * weights.sum())
        record = self._choose(weights, n_events)
        time = self._times(record, curve)
        return self._scatter(time, np.tile(direction, (n_events, 1)), rates)

    def extended_source(
        self,
        direction: np.ndarray,
        shape: AnalyticShape,
        photons: np.ndarray,
        curve: LightCurve | None = None,
    ) -> DrawnEvents:
        """Events of an extended source, by rejection on the fall of the effective area.

        Parameters
        ----------
        direction, photons, curve
            As of `point_source`, the direction that of the centre.
        shape : AnalyticShape
            The shape.
        """
        livetime = self._shining(curve)
        rates = photons * self.instrument.area.sum(axis=1)
        n_photons = self.rng.poisson(rates.sum() * livetime.sum())
        record = self._choose(livetime, n_photons)
        position = draw_shape(shape, direction, n_photons, self.rng)
        z, zenith = (axis[record] for axis in (self.orientation.z, self.orientation.zenith))
        is_up = np.sum(zenith * position, axis=1) > HORIZON_COS
        seen = zenith_factor(np.sum(z * position, axis=1)) * is_up
        is_seen = self.rng.random(n_photons) < seen
        return self._scatter(self._times(record[is_seen], curve), position[is_seen], rates)

    def _shining(self, curve: LightCurve | None) -> np.ndarray:
        """Livetime of each record within the interval, times the mean factor in it [s]."""
        return self.livetime * record_factors(self.orientation, curve, *self.interval)

    def background(self, photons: np.ndarray, nside: int) -> DrawnEvents:
        """Events of the background.

        Parameters
        ----------
        photons : ndarray of float64, shape (n_ei,)
            Photon flux from a pixel of brightness 1 [ph cm-2 s-1].
        nside : int
            Resolution of the pixels, whose centres are the directions of the photons.
        """
        rates = photons * self.instrument.area.sum(axis=1)
        weights = local_weights(self.orientation, self.livetime, nside)
        n_events = self.rng.poisson(rates.sum() * weights.sum())
        time, direction = self._background_photons(n_events, nside)
        return self._scatter(time, direction, rates)

    def _background_photons(self, n_events: int, nside: int) -> tuple[np.ndarray, np.ndarray]:
        """Times and galactic directions of photons, by rejection on the brightness."""
        pixels = ring_to_vec(nside, np.arange(nside_to_npix(nside)))
        acceptance = zenith_factor(pixels[:, 2])
        times, directions, missing = [np.empty(0)], [np.empty((0, 3))], n_events
        while missing > 0:
            time = self._times(self._choose(self.livetime, _PROPOSALS))
            local = pixels[self._choose(acceptance, _PROPOSALS)]
            galactic = np.einsum("nij,ni->nj", self.orbit.axes(time), local)
            cos_nadir = -np.sum(galactic * self.orbit.zenith(time), axis=1)
            is_kept = self.rng.random(_PROPOSALS) * ALBEDO < intensity(cos_nadir)
            times.append(time[is_kept][:missing])
            directions.append(galactic[is_kept][:missing])
            missing -= times[-1].size
        return np.concatenate(times), np.concatenate(directions)

    def _times(self, record: np.ndarray, curve: LightCurve | None = None) -> np.ndarray:
        """Times in the parts of the records within the interval, by the light curve."""
        begin = np.maximum(self.orientation.time[record], self.interval[0])
        end = np.minimum(self.orientation.time[record + 1], self.interval[1])
        return draw_times(curve, begin, end, self.rng)

    def _scatter(self, time: np.ndarray, direction: np.ndarray, rates: np.ndarray) -> DrawnEvents:
        """Measured quantities of photons detected at given times from given directions."""
        order = np.argsort(time)
        time, direction = time[order], direction[order]
        ei = self._choose(rates, time.size)
        energy, phi, angle = np.empty((3, time.size))
        for index in range(rates.size):
            mine = np.flatnonzero(ei == index)
            energy[mine] = self._measured_energies(index, mine.size)
            phi[mine], angle[mine] = self._angles(index, mine.size)
        azimuth = 2 * np.pi * self.rng.random(time.size)
        scattered = turn_away(direction, angle, azimuth)
        return DrawnEvents(time, energy, phi, self.orbit.axes(time), scattered)

    def _measured_energies(self, ei: int, n_events: int) -> np.ndarray:
        """Energies, even in the logarithm within a bin."""
        em = self._choose(self.instrument.area[ei], n_events)
        low, high = self.instrument.edges[em], self.instrument.edges[em + 1]
        return low * (high / low) ** self.rng.random(n_events)

    def _angles(self, ei: int, n_events: int) -> tuple[np.ndarray, np.ndarray]:
        """Compton angle, and angle between source and scattered direction [rad]."""
        cones = self.instrument.images.cones
        density = cones.density[ei]
        cell = self._choose((density * solid_angles(cones.angles)).ravel(), n_events)
        phi, node = np.divmod(cell, density.shape[1])
        phi = (phi + self.rng.random(n_events)) * np.pi / density.shape[0]
        # The difference of two even numbers gives the triangle of linear interpolation.
        shift = self.rng.random(n_events) - self.rng.random(n_events)
        return phi, np.abs(cones.angles[node] + shift * cones.angles[1])

    def _choose(self, weights: np.ndarray, n: int) -> np.ndarray:
        """Indices drawn with probabilities in proportion to weights."""
        total = np.cumsum(weights)
        return np.searchsorted(total, self.rng.random(n) * total[-1], side="right")
