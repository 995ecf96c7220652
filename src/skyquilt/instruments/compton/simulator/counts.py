"""Poisson counts in time bins."""

import numpy as np

from skyquilt.instruments.compton.orientation import Orientation
from skyquilt.instruments.compton.simulator.exposure import (
    record_weights,
    spacecraft_axes,
    take,
    within,
)
from skyquilt.instruments.compton.simulator.instrument import Instrument


def sample_poisson(
    expectation: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Poisson counts of an array of expectations, in sparse form.

    Parameters
    ----------
    expectation : ndarray of float64
        Expected counts.
    rng : numpy.random.Generator
        Random numbers.

    Returns
    -------
    coords : ndarray of int64, shape (expectation.ndim, n)
        Bins that hold counts.
    counts : ndarray of int64, shape (n,)
        Their counts, above 0.
    """
    counts = rng.poisson(expectation)
    coords = np.array(np.nonzero(counts))
    return coords, counts[tuple(coords)]


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
    place, time = np.nonzero(spread)
    return np.vstack([time, coords[:, place]]), spread[place, time]


def burst_expectation(
    instrument: Instrument,
    orientation: Orientation,
    interval: tuple[float, float],
    direction: np.ndarray,
    photons: np.ndarray,
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
    direction : ndarray of float64, shape (3,)
        Direction of the burst, galactic.
    photons : ndarray of float64, shape (n_ei,)
        Photon flux [ph cm-2 s-1].

    Returns
    -------
    ndarray of float64, shape (n_record, n_em, n_phi, n_psichi)
        Expected counts of the records within the interval.
    """
    burst = take(orientation, within(orientation.time, *interval))
    weights = record_weights(burst, burst.livetime, direction[None])[:, 0]
    local = np.stack([axis @ direction for axis in spacecraft_axes(burst)], axis=1)
    images = (instrument.images.draw(vector) for vector in local)
    expected = [
        instrument.expect(weight * image, photons)
        for weight, image in zip(weights, images, strict=True)
    ]
    return np.array(expected)
