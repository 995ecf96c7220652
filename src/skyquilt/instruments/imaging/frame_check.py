"""Frames that are wrong, found by what lies where."""

import logging

import numpy as np

from skyquilt.errors import InputError
from skyquilt.instruments.imaging.healpix_cube import HealpixCube
from skyquilt.problem.sky_grid import HealpixGrid
from skyquilt.sky.frames import rotate, rotation
from skyquilt.sky.healpix import ring_to_vec

logger = logging.getLogger(__name__)

_FRAMES = ("galactic", "icrs")
_MUCH_BETTER = 50.0
"""Log-likelihood by which another frame must fit better to be taken for the right one."""
_MOST_OF_IT = 0.75  # of the sky must have a background to tell its frame
_MORE_ALIKE = 0.3
"""Correlation by which another frame must fit better to be worth a warning."""


def check_frame(cube: HealpixCube, direction: np.ndarray, frame: str, path: str) -> None:
    """Compare the places of events with the background, as stated and with frames mixed up.

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

    Raises
    ------
    InputError
        If the events fit the background far better when its frame is another.
    """
    brightness = np.maximum(cube.values.sum(axis=1), 1e-3 * cube.values.sum(axis=1).mean())
    ipix = None if cube.is_full else cube.ipix
    grid = HealpixGrid(cube.nside, np.log(brightness)[:, np.newaxis], ipix)
    fit = {
        other: float(grid.at(rotate(rotation(frame, other), direction)).sum()) for other in _FRAMES
    }
    other = max(fit, key=fit.get)
    if fit[other] > fit[cube.frame] + _MUCH_BETTER:
        raise InputError(
            f"{cube.path}: its pixels are taken as {cube.frame}, but the events of {path} fit them "
            f"far better as {other} (log-likelihood {fit[other] - fit[cube.frame]:.0f} higher): "
            "one of the two frames is wrong."
        )


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
    other = max(alike, key=alike.get)
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
