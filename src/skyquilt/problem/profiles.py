"""Point spread functions as tables for the kernels."""

from typing import NamedTuple

import numpy as np

N_COLUMN = 2049
"""Angles of a table. Linear in between they are good to 1e-5 of the values in the core."""

_CORE_FRACTION = 0.39  # within one sigma of a Gaussian
_BEYOND = 3  # the tables end at so many times the longest reach: there is 1e-4 or less beyond
_FINE = 16  # steps of the integral per angle of the table


class Profiles(NamedTuple):
    """Profiles at equal steps of the root of the chord (the distance through the unit sphere).

    Attributes
    ----------
    step : float
        Step of the root of the chord.
    density : ndarray of float64, shape (n_profile, N_COLUMN)
        Density [sr-1].
    contained : ndarray of float64, shape (n_profile, N_COLUMN)
        Integral from the source to this angle.
    total : ndarray of float64, shape (n_profile,)
        Integral over all angles.
    reach : ndarray of float64, shape (n_profile,)
        Angle beyond which the lost fraction lies [rad].
    core : float
        Scale of the narrowest profile [rad].
    """

    step: float
    density: np.ndarray
    contained: np.ndarray
    total: np.ndarray
    reach: np.ndarray
    core: float


def tabulate(theta: np.ndarray, profile: np.ndarray, lost_fraction: float) -> Profiles:
    """Tables of profiles.

    Parameters
    ----------
    theta : ndarray of float64, shape (n_theta,)
        Angles [rad], from 0, ascending, at most pi.
    profile : ndarray of float64, shape (n_profile, n_theta)
        Densities [sr-1], linear between the angles and 0 beyond the last.
    lost_fraction : float
        Fraction of the integral that may lie beyond the reach.

    Raises
    ------
    ValueError
        If shapes do not fit, angles do not ascend from 0, or a profile is negative, not finite,
        or 0 everywhere.
    """
    _check(theta, profile)
    fine = _between(root_angles(theta[-1], N_COLUMN))
    contained = contained_in(fine, theta, profile)
    total = contained[:, -1]
    reach = np.array(
        [
            fine[np.searchsorted(row, (1 - lost_fraction) * all_of_it)]
            for row, all_of_it in zip(contained, total, strict=True)
        ]
    )
    core = min(
        np.interp(_CORE_FRACTION, row / all_of_it, fine)
        for row, all_of_it in zip(contained, total, strict=True)
    )
    last = min(_BEYOND * reach.max(), theta[-1])
    angles = root_angles(last, N_COLUMN)
    inside = contained_in(_between(angles), theta, profile)[:, ::_FINE]
    return Profiles(
        step=float(np.sqrt(2 * np.sin(last / 2)) / (N_COLUMN - 1)),
        density=_read(angles, theta, profile),
        contained=inside,
        total=total,
        reach=reach,
        core=float(core),
    )


def blur(theta: np.ndarray, profile: np.ndarray, psf: Profiles, area: float) -> np.ndarray:
    """Mean densities over a square around each angle of the tables, turned any way.

    So a square pixel that is not too near has its integral from one angle: what is left out is the
    way it is turned, which matters by (side / distance)^4.

    Parameters
    ----------
    theta, profile, psf
        As given to `tabulate`, and what it returned.
    area : float
        Of the square [sr], far below a radian wide.

    Returns
    -------
    ndarray of float64, shape (n_profile, N_COLUMN)
        Densities [sr-1].
    """
    at, fraction = np.polynomial.legendre.leggauss(4)
    x, y = (np.sqrt(area) / 2 * values for values in np.meshgrid(at, at))
    weight = np.outer(fraction, fraction) / 8  # two squares
    turned = (x + y) / np.sqrt(2), (x - y) / np.sqrt(2)
    angles = root_angles(2 * np.arcsin(np.square(psf.step * (N_COLUMN - 1)) / 2), N_COLUMN)
    blurred = np.zeros_like(psf.density)
    for along, across in ((x, y), turned):
        for dx, dy, w in zip(along.flat, across.flat, weight.flat, strict=True):
            blurred += w * _read(np.hypot(angles + dx, dy), theta, profile)
    return blurred


def linear_integral(theta: np.ndarray, profile: np.ndarray) -> np.ndarray:
    """Integral over the sphere of profiles that are linear between angles.

    Parameters
    ----------
    theta : ndarray of float64, shape (n_theta,)
        Angles [rad], ascending.
    profile : ndarray of float64, shape (n, n_theta)
        Densities [sr-1].

    Returns
    -------
    ndarray of float64, shape (n,)
        Integral of 2 pi sin(theta) profile, in closed form.
    """
    # integral of (a + k theta) sin(theta) is -(a + k theta) cos(theta) + k sin(theta)
    slope = np.diff(profile, axis=1) / np.diff(theta)
    ends = -np.diff(profile * np.cos(theta), axis=1) + slope * np.diff(np.sin(theta))
    return 2 * np.pi * ends.sum(axis=1)


def _check(theta: np.ndarray, profile: np.ndarray) -> None:
    if profile.ndim != 2 or theta.shape != profile.shape[1:]:
        raise ValueError(f"profile: shape {profile.shape} for {theta.shape} angles.")
    if theta[0] != 0 or np.any(np.diff(theta) <= 0) or theta[-1] > np.pi:
        raise ValueError("theta: allowed are angles that ascend from 0 to pi at most.")
    if not np.all(np.isfinite(profile)) or np.any(profile < 0) or not np.all(profile.any(axis=1)):
        raise ValueError("profile: allowed are finite values of 0 or more, not all 0.")


def root_angles(last: float, n: int) -> np.ndarray:
    """`n` angles [rad] from 0 to `last` at equal steps of the root of the chord."""
    root = np.linspace(0, np.sqrt(2 * np.sin(last / 2)), n)
    return 2 * np.arcsin(np.minimum(root**2 / 2, 1))


def _between(angles: np.ndarray) -> np.ndarray:
    """The angles and `_FINE` - 1 more after each of them."""
    fraction = np.arange(_FINE) / _FINE
    first = angles[:-1, np.newaxis] + np.diff(angles)[:, np.newaxis] * fraction
    return np.append(first.ravel(), angles[-1])


def contained_in(angles: np.ndarray, theta: np.ndarray, profile: np.ndarray) -> np.ndarray:
    """Integral of profiles from 0 to each of ascending angles, by Simpson's rule between them.

    Parameters
    ----------
    angles : ndarray of float64, shape (n,)
        Angles [rad], the first one 0, so near to each other that a profile is a parabola between.
    theta, profile
        As given to `tabulate`.

    Returns
    -------
    ndarray of float64, shape (n_profile, n)
        Integrals.
    """
    half = (angles[1:] + angles[:-1]) / 2
    ends, middle = (2 * np.pi * np.sin(at) * _read(at, theta, profile) for at in (angles, half))
    part = (ends[:, :-1] + 4 * middle + ends[:, 1:]) * np.diff(angles) / 6
    return np.concatenate([np.zeros((len(profile), 1)), np.cumsum(part, axis=1)], axis=1)


def _read(angles: np.ndarray, theta: np.ndarray, profile: np.ndarray) -> np.ndarray:
    return np.array([np.interp(angles, theta, row, right=0.0) for row in profile])
