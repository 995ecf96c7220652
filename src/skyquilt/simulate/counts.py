"""Poisson counts of what is expected."""

import numpy as np


def draw_counts(expected: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Poisson counts.

    Parameters
    ----------
    expected : ndarray of float64
        Expected counts.
    rng : numpy.random.Generator
        Random numbers.

    Returns
    -------
    ndarray of int64, shape of `expected`
        Counts.

    Raises
    ------
    ValueError
        If some are expected to be negative or not finite.
    """
    is_possible = np.isfinite(expected) & (np.asarray(expected) >= 0)
    if not np.all(is_possible):
        wrong = np.asarray(expected)[~is_possible]
        raise ValueError(
            f"{wrong.size} of {is_possible.size} expected counts are {wrong[0]:g} or the like: "
            "allowed are finite values of 0 or more."
        )
    return rng.poisson(expected)


def sample_counts(expected: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Poisson counts in sparse form.

    Parameters
    ----------
    expected : ndarray of float64
        Expected counts.
    rng : numpy.random.Generator
        Random numbers.

    Returns
    -------
    coords : ndarray of int64, shape (expected.ndim, n)
        Bins that hold counts.
    counts : ndarray of int64, shape (n,)
        Their counts, above 0.

    Raises
    ------
    ValueError
        If some are expected to be negative or not finite.
    """
    counts = draw_counts(expected, rng)
    coords = np.array(np.nonzero(counts))
    return coords, counts[tuple(coords)]
