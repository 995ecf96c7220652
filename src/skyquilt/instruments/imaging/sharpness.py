"""How sharp an imaging instrument sees: its positions can be trusted to a fraction of that."""

import numpy as np

_CONTAINED = 0.68


def sharpness(
    theta: np.ndarray, profile: np.ndarray, weight: np.ndarray, pixel_area: float = 0.0
) -> float:
    """Radius of 68 % of the mean point spread function, or the side of a pixel if that is larger.

    Parameters
    ----------
    theta : ndarray of float64, shape (n_theta,)
        Angles [rad], from 0, ascending.
    profile : ndarray of float64, shape (n, n_theta)
        Point spread functions [sr-1].
    weight : ndarray of float64, shape (n,)
        Photons that have each of them.
    pixel_area : float
        Solid angle of a pixel [sr]; 0 for photons one by one.

    Returns
    -------
    float
        Angle [deg].

    Examples
    --------
    >>> theta = np.linspace(0, 0.05, 500)
    >>> one = np.exp(-0.5 * (theta / 0.01) ** 2)[np.newaxis]
    >>> width = sharpness(theta, one, np.ones(1)) / np.degrees(0.01)
    >>> round(float(width), 2)  # sqrt(-2 ln 0.32)
    1.51
    """
    density = weight @ profile * np.sin(theta)
    within = np.cumsum((density[1:] + density[:-1]) / 2 * np.diff(theta))
    radius = np.interp(_CONTAINED * within[-1], np.append(0, within), theta)
    return float(np.degrees(max(radius, np.sqrt(pixel_area))))
