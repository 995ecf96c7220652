"""Point spread functions folded with the shape of a source: the image of an extended source.

A folded function takes the place of the point spread function, so that extended sources cost as
much as points. For a uniform disk of radius R and solid angle A, the brightness at an angle r from
its centre is an integral along its border. With b(psi) on it, at the angle rho from r,

    (psf * disk)(r) = 1 / (2 pi A) integral of D(rho) s(psi) 2 pi / (1 + cos rho) d psi,

where D is the mean density of the point spread function within rho and s(psi) / sin^2 rho the
angle that the border sweeps, as seen from r, per psi. D is smooth, so that even steps converge
fast. For a Gaussian (von Mises and Fisher's) the mean over a ring around r is a Bessel function,
and one integral over rho is left. Both are sums over the point spread function at known angles,
one matrix for all energies.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from skyquilt.problem.profiles import contained_in, linear_integral, root_angles, tabulate

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_FINE = 2049  # angles between which the mean density is a straight line
_PER_CORE = 8  # steps along the border of a disk per core of the point spread function
_STEPS = (64, 16384)  # least and most of them, half around
_N_INSIDE = 8  # radii in a disk that is smaller than the core, and half the angles at each
_REACH = 9.0  # standard deviations of a Gaussian; 3e-18 lie beyond
_PER_SIGMA = 2  # intervals of the integral over rho per standard deviation
_ORDER = 3  # Gauss-Legendre in each
_CLOSEST = 0.02  # of the core: angles of the result that are nearer to each other are one


def fold_disks(
    theta: np.ndarray, profile: np.ndarray, radius: np.ndarray, weight: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Fold profiles with a sum of uniform disks.

    Parameters
    ----------
    theta : ndarray of float64, shape (n_theta,)
        Angles [rad], from 0, ascending.
    profile : ndarray of float64, shape (n, n_theta)
        Densities [sr-1], linear between the angles and 0 beyond the last.
    radius, weight : ndarray of float64, shape (n_disk,)
        Radii [rad], and weights of sum 1 of disks of integral 1.

    Returns
    -------
    theta : ndarray of float64, shape (n_angle,)
        Angles [rad].
    profile : ndarray of float64, shape (n, n_angle)
        Densities [sr-1], of the same integrals.
    """
    core = tabulate(theta, profile, 1e-3).core
    around = [np.abs(one + side * theta) for one in radius for side in (-1, 1)]
    angles = _distinct([theta, np.linspace(0, radius.max(), 65), *around], core)
    fine = root_angles(theta[-1], _FINE)
    inner = contained_in(fine, theta, profile)
    mean = np.column_stack([profile[:, 0], inner[:, 1:] / _cap(fine[1:])])
    folded = np.zeros((len(profile), angles.size))
    for one, part in zip(radius, weight, strict=True):
        if one < core:
            folded += part * _over_area(angles, one, theta, profile)
            continue
        for some, n_step in _steps(angles, one, core):
            border = _over_border(angles[some], one, n_step, fine, mean, inner[:, -1])
            folded[:, some] += part * border
    return angles, _with_integral(theta, profile, angles, folded)


def fold_gaussian(
    theta: np.ndarray, profile: np.ndarray, sigma: float
) -> tuple[np.ndarray, np.ndarray]:
    """Fold profiles with a Gaussian.

    Parameters
    ----------
    theta, profile
        As in `fold_disks`.
    sigma : float
        Standard deviation along a line through the centre [rad].

    Returns
    -------
    theta, profile
        As of `fold_disks`.
    """
    core = tabulate(theta, profile, 1e-3).core
    reach = min(theta[-1] + _REACH * sigma, np.pi)
    inside = np.linspace(0, _REACH, 129) * sigma
    angles = _distinct([theta, np.linspace(0, reach, 65), inside], core)
    angles = angles[angles <= reach]
    rho, width = _nodes(angles, sigma, core, theta[-1])
    kernel = _ring_mean(angles[:, np.newaxis], rho, sigma) * 2 * np.pi * np.sin(rho) * width
    folded = (_interpolation(rho, kernel, theta) @ profile.T).T
    return angles, _with_integral(theta, profile, angles, folded)


def _distinct(angles: list[np.ndarray], core: float) -> np.ndarray:
    """Ascending angles from 0 to pi, those nearer to each other than matters once."""
    every = np.unique(np.clip(np.concatenate(angles), 0, np.pi))
    return every[np.diff(np.floor(every / (_CLOSEST * core)), prepend=-1) > 0]


def _steps(angles: np.ndarray, radius: float, core: float) -> Iterator[tuple[np.ndarray, int]]:
    """Angles by the steps along a border that they need: fewer the farther from it they are."""
    scale = np.maximum(core, np.abs(angles - radius) / 2)
    n_step = np.clip(_PER_CORE * np.pi * radius / scale, *_STEPS)
    order = np.ceil(np.log2(n_step)).astype(int)
    for one in np.unique(order):
        yield np.flatnonzero(order == one), 2 ** int(one)


def _cap(angle: np.ndarray | float) -> np.ndarray:
    """Solid angle within an angle of a direction [sr]."""
    return 4 * np.pi * np.sin(angle / 2) ** 2


def _over_border(
    angles: np.ndarray,
    radius: float,
    n_step: int,
    fine: np.ndarray,
    mean: np.ndarray,
    total: np.ndarray,
) -> np.ndarray:
    """Integral along the border of a disk, shape (n, n_angle)."""
    psi = np.pi * (np.arange(n_step) + 0.5) / n_step
    r = angles[:, np.newaxis]
    cos_rho = np.cos(radius) * np.cos(r) + np.sin(radius) * np.sin(r) * np.cos(psi)
    half = np.sin((r - radius) / 2) ** 2 + np.sin(r) * np.sin(radius) * np.sin(psi / 2) ** 2
    rho = 2 * np.arcsin(np.sqrt(np.clip(half, 0, 1)))
    sweep = np.sin(radius) * (np.sin(radius) * np.cos(r) - np.cos(radius) * np.sin(r) * np.cos(psi))
    factor = sweep * 2 * np.pi / (1 + cos_rho) / n_step
    is_inside = rho < fine[-1]
    beyond = np.sum(np.where(is_inside, 0.0, factor / np.maximum(_cap(rho), 1e-300)), axis=1)
    within = _interpolation(np.minimum(rho, fine[-1]), np.where(is_inside, factor, 0.0), fine)
    return ((within @ mean.T).T + np.outer(total, beyond)) / _cap(radius)


def _over_area(
    angles: np.ndarray, radius: float, theta: np.ndarray, profile: np.ndarray
) -> np.ndarray:
    """Mean over a disk that is smaller than the core, shape (n, n_angle).

    There the far side of the border nearly cancels the near one.
    """
    node, weight = np.polynomial.legendre.leggauss(_N_INSIDE)
    inside = 2 * np.arcsin(np.sqrt((1 + node) / 2) * np.sin(radius / 2))[:, np.newaxis]
    turn = np.pi * (np.arange(2 * _N_INSIDE) + 0.5) / (2 * _N_INSIDE)
    r = angles[:, np.newaxis, np.newaxis]
    half = np.sin((r - inside) / 2) ** 2 + np.sin(r) * np.sin(inside) * np.sin(turn / 2) ** 2
    rho = 2 * np.arcsin(np.sqrt(np.clip(half, 0, 1))).reshape(angles.size, -1)
    fraction = np.repeat(weight / 2, turn.size) / turn.size
    factor = np.where(rho <= theta[-1], fraction, 0.0)
    return (_interpolation(np.minimum(rho, theta[-1]), factor, theta) @ profile.T).T


def _nodes(
    angles: np.ndarray, sigma: float, core: float, last: float
) -> tuple[np.ndarray, np.ndarray]:
    """Angles rho and widths of the integral for each angle of the result, shape (n_angle, m)."""
    node, weight = np.polynomial.legendre.leggauss(_ORDER)
    if sigma < core:
        n_interval = int(2 * _REACH * _PER_SIGMA)
        first = np.clip(angles - _REACH * sigma, 0, last)
        borders = np.linspace(first, np.clip(angles + _REACH * sigma, 0, last), n_interval + 1)
        borders = borders.T
    else:
        n_interval = int(np.clip(2 * _PER_SIGMA * last / sigma, 256, 4096))
        borders = root_angles(last, n_interval + 1)[np.newaxis]
    half = np.diff(borders, axis=1)[:, :, np.newaxis] / 2
    middle = (borders[:, 1:] + borders[:, :-1])[:, :, np.newaxis] / 2
    rho, width = (middle + half * node).reshape(len(borders), -1), half * weight
    shape = (angles.size, rho.shape[1])
    return np.broadcast_to(rho, shape), np.broadcast_to(width.reshape(len(borders), -1), shape)


def _ring_mean(r: np.ndarray, rho: np.ndarray, sigma: float) -> np.ndarray:
    """Mean of the Gaussian over the ring of radius rho around a position at r from its centre."""
    from scipy.special import i0e

    kappa = sigma**-2
    # exp(kappa (cos r cos rho - 1)) I0(kappa sin r sin rho)
    exponent = -2 * kappa * np.sin((r - rho) / 2) ** 2
    norm = kappa / (2 * np.pi * -np.expm1(-2 * kappa))
    return norm * np.exp(exponent) * i0e(kappa * np.sin(r) * np.sin(rho))


def _interpolation(rho: np.ndarray, factor: np.ndarray, at: np.ndarray) -> "csr_array":
    """Matrix that sums `factor` times a function at `rho`, of its values at angles `at`."""
    from scipy.sparse import csr_array

    n, m = rho.shape
    index = np.clip(np.searchsorted(at, rho, side="right") - 1, 0, at.size - 2)
    fraction = (rho - at[index]) / (at[index + 1] - at[index])
    row = np.repeat(np.arange(n), m)
    entries = np.concatenate([(factor * (1 - fraction)).ravel(), (factor * fraction).ravel()])
    column = np.concatenate([index.ravel(), index.ravel() + 1])
    return csr_array((entries, (np.tile(row, 2), column)), shape=(n, at.size))


def _with_integral(
    theta: np.ndarray, profile: np.ndarray, angles: np.ndarray, folded: np.ndarray
) -> np.ndarray:
    """Folded profiles of exactly the integrals of the profiles: a source keeps its photons."""
    folded = np.maximum(folded, 0.0)
    scale = linear_integral(theta, profile) / linear_integral(angles, folded)
    return folded * scale[:, np.newaxis]
