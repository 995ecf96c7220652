"""True energies of a response against the measured ones."""

import numpy as np

from skyquilt.errors import InputError

_SAME = 1e-3  # relative; edges are often single precision, in another unit


def check_covered(path: str, true: np.ndarray, measured: np.ndarray) -> None:
    """Refuse true energies that do not cover the measured ones.

    Photons of a source beyond them would be left out, so that its spectrum could not be told.

    Parameters
    ----------
    path : str
        File of the response.
    true, measured : ndarray of float64
        Edges, ascending [keV].

    Raises
    ------
    InputError
        If measured energies reach farther.
    """
    if true[0] <= measured[0] * (1 + _SAME) and true[-1] >= measured[-1] * (1 - _SAME):
        return
    raise InputError(
        f"{path}: the response has true energies of {true[0]:.6g} to {true[-1]:.6g} keV, but the "
        f"measured ones are {measured[0]:.6g} to {measured[-1]:.6g} keV, of which photons "
        "would be missing: narrow `energy`, or use a response whose true energies cover the "
        "measured ones."
    )
