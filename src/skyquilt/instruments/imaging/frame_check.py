"""Frames that are wrong, found by what lies where."""

import logging
from collections.abc import Collection

import numpy as np

from skyquilt.instruments.imaging.healpix_cube import HealpixCube
from skyquilt.instruments.judge import object_to
from skyquilt.problem.sky_grid import HealpixGrid
from skyquilt.sky.frames import rotate, rotation
from skyquilt.sky.healpix import ring_to_vec, vec_to_nest

logger = logging.getLogger(__name__)

_FRAMES = ("galactic", "icrs")
_MUCH_BETTER = 50.0
"""Log-likelihood by which another frame must fit better to be taken for the right one."""
_MOST_OF_IT = 0.75  # of the sky must have a background to tell its frame
_NSIDE = 8
"""Resolution of the patches that count once: 7 deg."""
_MOST = 3.0
"""Log-likelihood that one patch may say."""
_MORE_ALIKE = 0.3
"""Correlation by which another frame must fit better to be worth a warning."""


def check_frame(
    cube: HealpixCube,
    direction: np.ndarray,
    frame: str,
    path: str,
    accepted: Collection[str] = (),
) -> None:
    """Compare the patches of events with the background, as stated and with frames mixed up.

    All events of a source lie in one patch, which may be bright by chance in the other frame. So a
    patch of 7 deg says no more than a factor of 20 in probability, however many events are there.
    What many patches say is an error, and what only all events of few patches say a warning.

    Parameters
    ----------
    cube : HealpixCube
        Expected background.
    direction : ndarray of float64, shape (n, 3)
        Unit vectors of the events.
    frame : {"galactic", "icrs"}
        Their frame.
    path : str
        Their file, for messages.
    accepted : collection of str
        With "frame" the error is a warning.

    Raises
    ------
    InputError
        If the events fit the background far better when its frame is another.
    """
    brightness = np.maximum(cube.values.sum(axis=1), 1e-3 * cube.values.sum(axis=1).mean())
    ipix = None if cube.is_full else cube.ipix
    grid = HealpixGrid(cube.nside, np.log(brightness)[:, np.newaxis], ipix)
    fit = {other: grid.at(rotate(rotation(frame, other), direction))[:, 0] for other in _FRAMES}
    other = next(name for name in _FRAMES if name != cube.frame)
    gain = np.nan_to_num(fit[other] - fit[cube.frame])  # of a part of the sky some are elsewhere
    total, shared = float(gain.sum()), _sum_patches(direction, gain)
    message = (
        f"{cube.path}: its pixels are taken as {cube.frame}, but the events of {path} fit them far "
        f"better as {other} (log-likelihood {total:.0f} higher"
    )
    if shared > _MUCH_BETTER:
        object_to(
            accepted,
            "frame",
            f"{message}, {shared:.0f} with each patch counted once): one of the two frames is "
            "wrong.",
        )
    elif total > _MUCH_BETTER:
        logger.warning("%s); a bright source may do that: are the two frames right?", message)


def _sum_patches(direction: np.ndarray, gain: np.ndarray) -> float:
    """Sum of log-likelihoods of events in which each patch says no more than `_MOST`."""
    patch = vec_to_nest(_NSIDE, direction)
    of_patch = np.bincount(patch, gain, 12 * _NSIDE**2)
    return float(np.clip(of_patch, -_MOST, _MOST).sum())


def warn_of_exposure(background: HealpixCube, exposure: HealpixCube) -> None:
    """Warn if the background follows the exposure far better in another frame than the stated one.

    What is expected is flux times exposure. Where the sky is faint its flux changes little, so the
    two go together there, unless a frame is wrong. A part of the sky is too little to tell.

    Parameters
    ----------
    background : HealpixCube
        Expected background, of the whole sky.
    exposure : HealpixCube
        Exposure.
    """
    if not (background.is_full and exposure.is_full):
        return
    expected = background.values.sum(axis=1)
    if np.mean(expected > 0) < _MOST_OF_IT:
        return
    is_faint = (expected > 0) & (expected <= np.median(expected))
    direction = ring_to_vec(background.nside, background.ipix[is_faint])
    grid = exposure.grid(exposure.values.mean(axis=1, keepdims=True))
    alike = {}
    for frame in _FRAMES:
        seen = grid.at(rotate(rotation(background.frame, frame), direction))[:, 0]
        alike[frame] = _correlation(expected[is_faint], seen)
    other = max(alike, key=alike.__getitem__)
    if alike[other] > alike[exposure.frame] + _MORE_ALIKE:
        logger.warning(
            "%s: taken as %s, but %s follows it far better as %s (correlation %.2f, not %.2f): is "
            "its frame right?",
            *(exposure.path, exposure.frame, background.path, other),
            *(alike[other], alike[exposure.frame]),
        )


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Correlation of two quantities; 0 where one of them is constant."""
    a, b = a - a.mean(), b - b.mean()
    norm = np.sqrt(np.sum(a * a) * np.sum(b * b))
    return float(np.sum(a * b) / norm) if norm > 0 else 0.0
