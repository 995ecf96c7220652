"""Columns and images of FITS files in the units wanted, from those that their headers state."""

from typing import Any

import numpy as np

from skyquilt.config.units import convert_unit
from skyquilt.instruments.imaging.fits_file import column_values
from skyquilt.instruments.imaging.headers import is_counts

COUNTS = "counts"
"""Wanted unit of counts, which may be written in many ways, or not at all."""


class FaultError(Exception):
    """Something in a file is not as it must be; whoever opened the file adds its name."""


def get_column(hdu: Any, name: str, unit: str | None = None) -> np.ndarray:
    """Values of a column, in `unit` if one is given; its own unit must be in the header.

    Raises
    ------
    FaultError
        If there is no such column, it holds no numbers, or has no unit or one of another kind.
    """
    if name not in hdu.columns.names:
        raise FaultError(f"table {hdu.name} has no column {name}; it has {hdu.columns.names}.")
    try:
        values = column_values(hdu, name)
    except (ValueError, TypeError) as error:
        raise FaultError(f"column {name} of {hdu.name} holds no numbers.") from error
    return values * _factor(hdu.columns[name].unit, unit, f"column {name} of {hdu.name}")


def get_image(hdu: Any, unit: str | None = None) -> np.ndarray:
    """Values of an image, in `unit` if one is given; its own unit must be in the header (BUNIT).

    Raises
    ------
    FaultError
        If it has no unit, or one of another kind.
    """
    factor = _factor(hdu.header.get("BUNIT"), unit, f"image {hdu.name}")
    return np.asarray(hdu.data, np.float64) * factor


def join_bins(low: np.ndarray, high: np.ndarray, what: str) -> np.ndarray:
    """Edges of bins that follow one another, from their lower and upper ends.

    Raises
    ------
    FaultError
        If a bin is empty, or does not begin where the one before ends.

    Examples
    --------
    >>> join_bins(np.array([1.0, 2.0]), np.array([2.0, 4.0]), "bands")
    array([1., 2., 4.])
    """
    if np.any(high <= low) or np.any(np.abs(low[1:] - high[:-1]) > 1e-6 * high[:-1]):
        raise FaultError(
            f"{what}: the bins do not follow one another: they begin at {low} and end at {high}."
        )
    return np.append(low, high[-1])


def _factor(found: str | None, wanted: str | None, what: str) -> float:
    """Factor from a unit to the wanted one."""
    if wanted is None or (wanted == COUNTS and is_counts(found)):
        return 1.0
    try:
        return convert_unit(found or "", wanted)
    except ValueError as error:
        advice = ": multiply a rate or an intensity by time, exposure, solid angle and energy"
        raise FaultError(
            f"{what} has the unit {found or ''!r}; it must be one that converts to {wanted}"
            + (f"{advice}." if wanted == COUNTS else ".")
        ) from error
