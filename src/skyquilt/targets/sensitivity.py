"""Flux that a band would detect, for the counts that are expected (an Asimov data set)."""

import numpy as np

TS, LEAST_COUNTS = 25.0, 3.0
"""What counts as a detection."""

_STEPS = 30


def detectable_norm(background: np.ndarray, unit_counts: np.ndarray, total: float) -> float:
    """Flux whose TS is 25 for expected counts, or that of 3 expected counts if it is more.

    All else is taken for known. TS of f is 2 sum_i [(b_i + f e_i) ln(1 + f e_i / b_i) - f e_i]
    (Cowan et al. 2011, Eur. Phys. J. C 71, 1554).

    Parameters
    ----------
    background : ndarray of float64, shape (n,)
        Expected counts of all else in the bins, with and without counts.
    unit_counts : ndarray of float64, shape (n,)
        Those of the source for unit flux.
    total : float
        Their sum over all bins.

    Examples
    --------
    >>> norm = detectable_norm(np.array([100.0]), np.array([1.0]), 1.0)
    >>> round(2 * ((100 + norm) * float(np.log1p(norm / 100)) - norm), 6)
    25.0
    """
    seen = (unit_counts > 0) & (background > 0)
    e, b = unit_counts[seen], background[seen]
    least = LEAST_COUNTS / total
    if not e.size:
        return np.nan
    # below the root, as ln(1 + x) < x; steps of a convex function come down to it from above
    norm = np.sqrt(TS / np.sum(e**2 / b))
    for _ in range(_STEPS):
        logs = np.log1p(norm * e / b)
        ts = 2 * np.sum((b + norm * e) * logs - norm * e)
        step = (TS - ts) / (2 * np.sum(e * logs))
        norm += step
        if abs(step) < 1e-12 * norm:
            break
    return max(float(norm), least)
