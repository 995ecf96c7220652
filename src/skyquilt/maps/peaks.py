"""Peaks of a TS map: local maxima, far enough from each other."""

import numpy as np

from skyquilt.maps.plateau import middle
from skyquilt.maps.skymap import SkyMap
from skyquilt.sky.healpix import nest_to_vec
from skyquilt.sky.neighbours import neighbours

_BLOCK = 1 << 16  # pixels whose neighbours are looked at together


def find_peaks(skymap: SkyMap, threshold: float) -> np.ndarray:
    """Local maxima of a TS map: pixels above all pixels that touch them.

    Of several with one TS, as a response that is not interpolated gives, the one in their middle is
    the peak, if none of them touches a higher one; pixels without a TS do not count.

    Parameters
    ----------
    skymap : SkyMap
        Map with a column "ts".
    threshold : float
        Least TS of a peak.

    Returns
    -------
    ndarray of int64, shape (n,)
        Indices in the map, highest TS first.

    Examples
    --------
    >>> ts = np.array([3.0, 9.0, 2.0])
    >>> find_peaks(SkyMap(1, "icrs", np.array([0, 4, 10]), {"ts": ts}), 2.0)
    array([1, 2])
    """
    index = np.flatnonzero(skymap.ts >= threshold)
    kept, flat = [], set()
    for block in np.split(index, range(_BLOCK, index.size, _BLOCK)):
        around = neighbours(skymap.nside, skymap.ipix[block])
        ts, ts_around = skymap.ts[block][:, np.newaxis], skymap.sample("ts", around)
        ts_around = np.where(around >= 0, ts_around, np.nan)
        is_flat = np.any(ts_around == ts, axis=1)
        is_highest = ~np.any(ts_around > ts, axis=1)
        kept.append(block[is_highest & ~is_flat])
        flat.update(skymap.ts[block[is_highest & is_flat]].tolist())
    middles = [_middle_of_plateau(skymap, ts) for ts in sorted(flat)]
    index = np.sort([*np.concatenate(kept), *(one for one in middles if one >= 0)])
    index = index.astype(np.int64)
    return index[np.argsort(-skymap.ts[index], kind="stable")]


def _middle_of_plateau(skymap: SkyMap, ts: float) -> int:
    """Index of the middle of all pixels of one TS; -1 if one of them touches a higher one."""
    index = np.flatnonzero(skymap.ts == ts)
    around = neighbours(skymap.nside, skymap.ipix[index])
    is_higher = np.where(around >= 0, skymap.sample("ts", around), np.nan) > ts
    if np.any(is_higher):
        return -1
    return int(index[middle(nest_to_vec(skymap.nside, skymap.ipix[index]))])


def is_at_edge(skymap: SkyMap, ipix: np.ndarray) -> np.ndarray:
    """Whether pixels touch pixels without a TS, where the map may rise further.

    Parameters
    ----------
    skymap : SkyMap
        Map with a column "ts".
    ipix : ndarray of int64, shape (n,)
        Nested pixels.

    Returns
    -------
    ndarray of bool, shape (n,)
        True at the edge of the map, or of a hole in it.
    """
    around = neighbours(skymap.nside, ipix)
    ts = skymap.sample("ts", around)
    return np.any(np.isnan(ts) & (around >= 0), axis=1)


def touches_ts(skymap: SkyMap, ipix: np.ndarray) -> np.ndarray:
    """Whether pixels have a TS, or touch pixels that have one.

    Parameters
    ----------
    skymap : SkyMap
        Map with a column "ts".
    ipix : ndarray of int64, shape (n,)
        Nested pixels.

    Returns
    -------
    ndarray of bool, shape (n,)
        False outside the map, and in holes of it.
    """
    near = np.column_stack([ipix, neighbours(skymap.nside, ipix)])
    return np.any((near >= 0) & np.isfinite(skymap.sample("ts", near)), axis=1)


def keep_apart(vec: np.ndarray, min_separation: float, others: np.ndarray) -> np.ndarray:
    """Of directions in order of importance, those that are not near one before.

    Parameters
    ----------
    vec : ndarray of float64, shape (n, 3)
        Unit vectors, the most important first.
    min_separation : float
        Least angle between two that stay [deg].
    others : ndarray of float64, shape (m, 3)
        Directions that stay in any case.

    Returns
    -------
    ndarray of bool, shape (n,)
        Which stay.

    Examples
    --------
    >>> vec = np.array([[1.0, 0.0, 0.0], [0.8, 0.6, 0.0], [0.0, 1.0, 0.0]])
    >>> keep_apart(vec, 50.0, np.empty((0, 3)))
    array([ True, False,  True])
    """
    # a chord, not a cosine: two directions that are the same have cosines of 1 to within 1e-16 only
    least = 2 * np.sin(np.radians(min(min_separation, 180.0)) / 2)
    stays = np.zeros(len(vec), dtype=bool)
    kept, n_kept = np.concatenate([others, np.empty_like(vec)]), len(others)
    for index, one in enumerate(vec):
        chord2 = np.sum((kept[:n_kept] - one) ** 2, axis=1)
        stays[index] = not np.any(chord2 < least**2)
        if stays[index]:
            kept[n_kept], n_kept = one, n_kept + 1
    return stays
