"""Point spread functions in the layout of gtpsf: tables PSF and THETA."""

import logging
from collections.abc import Collection
from typing import NamedTuple

import numpy as np

from skyquilt.config.imaging import PointSpreadTable
from skyquilt.errors import InputError
from skyquilt.instruments.imaging.energies import check_ascending, read_energies
from skyquilt.instruments.imaging.fits_file import column_unit, find_table, open_fits, read_column
from skyquilt.instruments.imaging.headers import unit_factor
from skyquilt.instruments.judge import object_to
from skyquilt.problem.profiles import tabulate

logger = logging.getLogger(__name__)

_SECTION = "data.psf"  # of the analysis, for messages

_NORMAL = 0.01  # integrals farther from 1 are worth a warning
_POSSIBLE = (0.5, 2.0)  # integrals beyond are no cut at an angle, but a wrong unit


class PointSpreadFunction(NamedTuple):
    """Profiles at energies.

    Attributes
    ----------
    path : str
        The file.
    energies : ndarray of float64, shape (n_energy,)
        Energies [keV], ascending.
    theta : ndarray of float64, shape (n_theta,)
        Angles [rad], from 0, ascending.
    profile : ndarray of float64, shape (n_energy, n_theta)
        Density [sr-1].
    """

    path: str
    energies: np.ndarray
    theta: np.ndarray
    profile: np.ndarray


def read_point_spread(
    section: PointSpreadTable, accepted: Collection[str] = ()
) -> PointSpreadFunction:
    """Read a point spread function.

    A function whose integral is not 1 is warned of, with its integral, and divided by it only if
    the section says so. Without that, an integral far from 1 is an error, or a warning where
    `accepted` has "point_spread".

    Raises
    ------
    InputError
        If the file is damaged, has no such tables, or values are negative or not finite.
    ConfigError
        If a unit is not known.
    """
    path = section.path
    with open_fits(path) as file:
        table, angles = find_table(file, path, "PSF"), find_table(file, path, "THETA")
        energies = read_energies(table, section, _SECTION, "Energy")
        theta = read_column(angles, path, "Theta") * unit_factor(
            path,
            "the angles",
            column_unit(angles, "Theta"),
            f"{_SECTION}.angle_unit",
            section.angle_unit,
            "rad",
        )
        profile = read_column(table, path, "Psf")
    if profile.ndim != 2 or profile.shape != (len(energies), len(theta)) or not profile.size:
        raise InputError(
            f"{path}: Psf has the shape {profile.shape}; {len(energies)} energies and {len(theta)} "
            "angles (THETA) are needed."
        )
    psf = PointSpreadFunction(path, check_ascending(path, energies), theta, profile)
    psf = _cut_unknown(psf)
    _check_values(path, theta, psf.profile)
    return _normalise(psf, section.normalise, accepted)


def _cut_unknown(psf: PointSpreadFunction) -> PointSpreadFunction:
    """The same without first and last energies at which it has no values: NaN or 0 at all angles.

    Programs write them where there is no exposure. Of other energies they are refused.
    """
    is_known = ~np.all(np.isnan(psf.profile) | (psf.profile == 0), axis=1)
    if is_known.all() or not is_known.any():
        return psf
    first, last = np.flatnonzero(is_known)[[0, -1]]
    kept = slice(first, last + 1)
    if not is_known[kept].all():
        gap = psf.energies[kept][~is_known[kept]]
        raise InputError(
            f"{psf.path}: Psf is NaN or 0 at all angles at {', '.join(f'{e:.6g}' for e in gap)} "
            "keV, between energies where it is known."
        )
    logger.info(
        "%s: Psf is NaN or 0 at all angles at %d of %d energies, which are left out; it is known "
        "from %.6g to %.6g keV",
        *(psf.path, np.sum(~is_known), len(is_known), *psf.energies[[first, last]]),
    )
    return psf._replace(energies=psf.energies[kept], profile=psf.profile[kept])


def _check_values(path: str, theta: np.ndarray, profile: np.ndarray) -> None:
    if theta[-1] > np.pi:
        raise InputError(
            f"{path}: the angles reach {theta[-1]:g} rad, more than half a turn: is the unit of "
            f"the angles right (`angle_unit` under {_SECTION})?"
        )
    wrong = np.argwhere(~(np.isfinite(profile) & (profile >= 0)))
    if len(wrong):
        row, column = wrong[0]
        raise InputError(
            f"{path}: {len(wrong)} values of Psf are negative or not finite, as "
            f"{profile[row, column]:g} at angle {column} of row {row} (counted from 0)."
        )


def _normalise(
    psf: PointSpreadFunction, is_wanted: bool, accepted: Collection[str]
) -> PointSpreadFunction:
    try:
        total = tabulate(psf.theta, psf.profile, 1e-3).total
    except ValueError as error:
        raise InputError(f"{psf.path}: {error}") from error
    low, high = total.min(), total.max()
    if is_wanted:
        logger.info("%s: divided by its integrals, %.4f to %.4f", psf.path, low, high)
        return psf._replace(profile=psf.profile / total[:, np.newaxis])
    if low < _POSSIBLE[0] or high > _POSSIBLE[1]:
        object_to(
            accepted,
            "point_spread",
            f"{psf.path}: the integral of the point spread function is {low:.4g} to {high:.4g}, "
            f"far from 1: are the angles in the unit that `angle_unit` under {_SECTION} says, and "
            "the values per sr? `normalise: true` there divides by the integral.",
        )
    elif max(abs(low - 1), abs(high - 1)) > _NORMAL:
        logger.warning(
            "%s: the integral of the point spread function is %.4g to %.4g, not 1; fluxes are "
            "wrong by that factor, unless `normalise: true` under %s divides by it.",
            *(psf.path, low, high, _SECTION),
        )
    return psf
