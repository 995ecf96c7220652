"""Components of a response, as ranges of true energy: those that are known, and probabilities."""

import logging

import numpy as np

from skyquilt.instruments.imaging.quantities import FaultError

logger = logging.getLogger(__name__)

_FEW = 0.01  # of the photons of a source, whose response need not be known
_MOST = 1.1  # of the photons of an energy in all bands; more are a mistake


def choose_known(
    is_known: np.ndarray, photons: np.ndarray, energy: np.ndarray, path: str
) -> np.ndarray:
    """Components whose response is known, if next to no photons are expected in the others.

    Where nothing is exposed, programs write a point spread function and an energy dispersion of
    NaN or 0.

    Parameters
    ----------
    is_known : ndarray of bool, shape (n,)
        Components whose response has values.
    photons : ndarray of float64, shape (n,)
        Photons expected of a source, in any unit.
    energy : ndarray of float64, shape (n,)
        Energy of each [keV], for messages.
    path : str
        File, for the warning.

    Raises
    ------
    FaultError
        If no photons are expected at all, or too many in components that are not known.
    """
    if not photons.sum() > 0:
        raise FaultError("no photons are expected: exposure or energy dispersion is 0 everywhere.")
    unknown = photons * ~is_known
    if not unknown.any():
        return is_known
    fraction, energies = unknown.sum() / photons.sum(), energy[unknown > 0]
    text = ", ".join(f"{one:.4g}" for one in energies)
    if fraction > _FEW:
        raise FaultError(
            f"PSF or EDISP is not known (NaN, or 0 everywhere) at {text} keV, where "
            f"{100 * fraction:.2g} % of the photons of a source are expected: mend the file, or "
            "set the exposure to 0 there."
        )
    logger.warning(
        "%s: PSF or EDISP is not known (NaN, or 0 everywhere) at %s keV; the %.2g %% of the "
        "photons of a source that are expected there are left out",
        *(path, text, 100 * fraction),
    )
    return is_known


def has_density(density: np.ndarray) -> np.ndarray:
    """Components whose point spread function has values, of all shape (n, n_angle).

    Raises
    ------
    FaultError
        If a value is negative or infinite.
    """
    if np.any(density < 0) or np.isinf(density).any():
        raise FaultError("PSF: some values are negative or infinite.")
    return np.isfinite(density).all(axis=1) & density.any(axis=1)


def check_probabilities(values: np.ndarray) -> None:
    """Refuse an energy dispersion of shape (n_true, n_band, ...) that cannot be one.

    Raises
    ------
    FaultError
        If a value is negative, or those of an energy add up to more than 1.
    """
    total = values.sum(axis=1)
    if np.any(values < 0) or np.any(total > _MOST):
        raise FaultError(
            "EDISP must hold probabilities of 0 or more, whose sum over the bands is 1 at most; "
            f"found are values of {np.nanmin(values):g} and sums of up to {np.nanmax(total):g}."
        )
