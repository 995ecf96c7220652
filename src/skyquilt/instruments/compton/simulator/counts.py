"""Poisson counts in time bins."""

import numpy as np

from skyquilt.config.light_curve import LightCurve
from skyquilt.instruments.compton.orientation import Orientation
from skyquilt.instruments.compton.simulator.exposure import (
    record_factors,
    record_weights,
    spacecraft_axes,
    take,
    within,
)
from skyquilt.instruments.compton.simulator.instrument import Instrument


def split_in_time(
    coords: np.ndarray, counts: np.ndarray, livetime: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Spread the counts of one interval over its time bins, in proportion to livetime.

    Parameters
    ----------
    coords : ndarray of int64, shape (n_axis, n)
        Bins that hold counts.
    counts : ndarray of int64, shape (n,)
        Their counts.
    livetime : ndarray of float64, shape (n_time,)
        Livetime of the time bins, not all 0.
    rng : numpy.random.Generator
        Random numbers.

    Returns
    -------
    coords : ndarray of int64, shape (1 + n_axis, m)
        Bins with the time bin as first axis.
    counts : ndarray of int64, shape (m,)
        Their counts, of the same sum as before.
    """
    spread = rng.multinomial(counts, livetime / livetime.sum())
    column, time = np.nonzero(spread)
    return np.vstack([time, coords[:, column]]), spread[column, time]


def burst_expectation(
    instrument: Instrument,
    orientation: Orientation,
    interval: tuple[float, float],
    points: tuple[np.ndarray, np.ndarray],
    photons: np.ndarray,
    curve: LightCurve | None = None,
) -> np.ndarray:
    """Expected counts of a burst in the spacecraft's frame, for each attitude record.

    Parameters
    ----------
    instrument : Instrument
        The telescope.
    orientation : Orientation
        Attitude and livetime; it has records at both ends of the interval.
    interval : tuple of float
        Interval of the burst [UNIX s].
    points : tuple of ndarray of float64, shapes (n, 3) and (n,)
        Directions that make up the burst, galactic, and their weights.
    photons : ndarray of float64, shape (n_ei,)
        Photon flux [ph cm-2 s-1].
    curve : LightCurve, optional
        Factor on the flux.

    Returns
    -------
    ndarray of float64, shape (n_record, n_em, n_phi, n_psichi)
        Expected counts of the records within the interval.
    """
    is_in = within(orientation.time, *interval)
    factors = record_factors(orientation, curve, *interval)[is_in]
    burst = take(orientation, is_in)
    expected = []
    for direction, part in zip(*points, strict=True):
        weights = part * record_weights(burst, burst.livetime * factors, direction[None])[:, 0]
        local = np.stack([axis @ direction for axis in spacecraft_axes(burst)], axis=1)
        images = map(instrument.images.draw, local)
        expected.append(
            [
                instrument.expect(weight * image, photons)
                for weight, image in zip(weights, images, strict=True)
            ]
        )
    return np.sum(expected, axis=0)
