"""Whether samples have converged: split R-hat, effective sizes, quantiles."""

import numpy as np

_WINDOW = 5.0  # correlation times over which autocorrelations are summed (Sokal 1997)


def split_r_hat(samples: np.ndarray) -> np.ndarray:
    """Potential scale reduction of ensembles, each cut into halves.

    Parameters
    ----------
    samples : ndarray of float64, shape (n_ensemble, n_draw, n_walker, p)
        Draws; the walkers of an ensemble are no chains of their own, for they move by each other.

    Returns
    -------
    ndarray of float64, shape (p,)
        1 where halves agree; NaN where there are fewer than 4 draws or nothing varies.

    References
    ----------
    Gelman et al. 2013, Bayesian Data Analysis, 3rd ed., equations (11.3) and (11.4).

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> split_r_hat(rng.normal(size=(4, 500, 8, 1))).round(2).tolist()
    [1.0]
    """
    n_ensemble, n_draw, n_walker, p = samples.shape
    half = n_draw // 2
    if half < 2:
        return np.full(p, np.nan)
    parts = np.concatenate([samples[:, :half], samples[:, n_draw - half :]])
    parts = parts.reshape(2 * n_ensemble, half * n_walker, p)
    between = np.var(parts.mean(axis=1), axis=0, ddof=1)
    within = np.mean(np.var(parts, axis=1, ddof=1), axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(within > 0, np.sqrt(1 + between / within), np.nan)


def effective_size(samples: np.ndarray) -> np.ndarray:
    """Number of independent samples that say as much.

    Parameters
    ----------
    samples : ndarray of float64, shape (n_ensemble, n_draw, n_walker, p)
        Draws.

    Returns
    -------
    ndarray of float64, shape (p,)
        Draws of all walkers over the integrated correlation time, in a window of five of them
        (Sokal 1997); NaN where nothing varies.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> size = effective_size(rng.normal(size=(2, 500, 8, 1)))
    >>> bool(7000 < size[0] < 9000)
    True
    """
    n_ensemble, n_draw, n_walker, p = samples.shape
    moved = samples - samples.mean(axis=(0, 1, 2))
    power = np.abs(np.fft.rfft(moved, n=2 * n_draw, axis=1)) ** 2
    covariance = np.fft.irfft(power, axis=1)[:, :n_draw].mean(axis=(0, 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        times = 2 * np.cumsum(covariance / covariance[0], axis=0) - 1
    number = np.arange(n_draw)[:, np.newaxis]
    is_wide = number >= _WINDOW * times
    end = np.where(is_wide.any(axis=0), is_wide.argmax(axis=0), n_draw - 1)
    time = np.maximum(times[end, np.arange(p)], 1.0)
    return np.where(covariance[0] > 0, n_ensemble * n_draw * n_walker / time, np.nan)
