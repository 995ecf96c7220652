"""The probabilities in a table of pixels: which column, in which unit, and whether they can be."""

import logging
import re
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from skyquilt.config.units import convert_unit
from skyquilt.localisation.probability.rows import PIXELS, column

if TYPE_CHECKING:
    from astropy.io.fits import BinTableHDU

logger = logging.getLogger(__name__)

EXACT = 1e-3
"""Sums so near to 1 are 1: single precision and interpolation of flat maps stay below."""
LARGEST = 2.0
"""Sums off by a larger factor are those of no probability."""

_KNOWN = ("PROBDENSITY", "PROB", "PROBABILITY")
_PER_PIXEL = re.compile(
    r"(1\s*/\s*)?pix(el)?\s*(\^|\*\*)?\(?(-1)?\)?|dimensionless|1", re.IGNORECASE
)
_MISSING = -1.6e30  # healpy's UNSEEN is -1.6375e30


class Values(NamedTuple):
    """A column that may be the probability.

    Attributes
    ----------
    name : str
        Its name.
    numbers : ndarray of float64, shape (n,)
        Its numbers.
    per_sr : float or None
        Factor to densities [sr-1]; None for probabilities of pixels, NaN where neither name nor
        unit say which of both it is.
    """

    name: str
    numbers: np.ndarray
    per_sr: float | None


def find_values(table: "BinTableHDU", path: str) -> Values | None:
    """Column of probabilities or densities; None for a table of pixels alone.

    Raises
    ------
    ValueError
        If several may be meant, or the unit is of another kind.
    """
    numeric = [
        one.name.upper()
        for one in table.columns
        if one.dtype.base.kind in "fiu" and one.name.upper() not in (*PIXELS, "UNIQ", "RANGE")
    ]
    known = [name for name in _KNOWN if name in numeric]
    if not numeric:
        return None
    if not known and len(numeric) > 1:
        raise ValueError(
            f"which column is the probability? allowed are {', '.join(_KNOWN)}, or one column "
            f"alone; there are {', '.join(numeric[:20])}."
        )
    name = (known or numeric)[0]
    if not known:
        logger.info("%s: column %s is taken as the probability", path, name)
    numbers = np.asarray(column(table, name), dtype=np.float64).ravel()
    return Values(name, numbers, _per_sr(table, name))


def _per_sr(table: "BinTableHDU", name: str) -> float | None:
    units = {one.name.upper(): one.unit for one in table.columns}
    unit = (units[name] or "").strip()
    if unit and not _PER_PIXEL.fullmatch(unit):
        try:
            return convert_unit(unit, "sr-1")
        except ValueError as error:
            raise ValueError(
                f"column {name} is in {unit!r}; allowed are pix-1, and sr-1 or what converts to it."
            ) from error
    if unit.lower().find("pix") >= 0 or name in ("PROB", "PROBABILITY"):
        return None
    return 1.0 if name == "PROBDENSITY" else np.nan


def to_probability(values: Values, order: np.ndarray, path: str) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities of cells that add up to 1, and of which rows they are.

    Parameters
    ----------
    values : Values
        The column.
    order : ndarray of int, shape (n,)
        Order of the cell of each row.
    path : str
        The file, for messages.

    Returns
    -------
    probability : ndarray of float64, shape (m,)
        Of the rows that have one.
    is_known : ndarray of bool, shape (n,)
        Whether a row has one: neither NaN nor healpy's UNSEEN.

    Raises
    ------
    ValueError
        If a value is negative or infinite, or the sum is that of no probability.
    """
    name, numbers, per_sr = values
    if numbers.shape != order.shape:
        raise ValueError(f"column {name} has {numbers.size} values for {order.size} pixels.")
    is_known = ~(np.isnan(numbers) | (numbers < _MISSING))
    numbers = numbers[is_known]
    wrong = numbers[(numbers < 0) | np.isinf(numbers)]
    if wrong.size:
        raise ValueError(
            f"column {name}: {wrong.size} values are negative or infinite, as {wrong[0]:g}; "
            "allowed are probabilities from 0 to 1, or their densities."
        )
    if n_missing := int(np.sum(~is_known)):
        logger.info("%s: %d of %d pixels have no value", path, n_missing, is_known.size)
    area = np.pi / 3 / 4.0 ** order[is_known]
    sums = {None: numbers.sum(), 1.0: (numbers * area).sum()}
    if per_sr is not None and np.isnan(per_sr):
        per_sr = next((kind for kind, total in sums.items() if abs(total - 1) <= EXACT), np.nan)
        if per_sr is not None and np.isnan(per_sr):
            raise ValueError(
                f"column {name} adds up to {sums[None]:.6g}, and over the area to {sums[1.0]:.6g}; "
                f"probabilities add up to 1. Allowed are {', '.join(_KNOWN)}."
            )
    probability = numbers if per_sr is None else numbers * area * per_sr
    return _normalise(probability, name, per_sr is None, path), is_known


def _normalise(probability: np.ndarray, name: str, is_plain: bool, path: str) -> np.ndarray:
    total = float(probability.sum())
    what = "" if is_plain else ", times the area of each pixel,"
    if not 1 / LARGEST <= total <= LARGEST:
        raise ValueError(
            f"column {name}{what} adds up to {total:.6g}, not 1: these are no "
            f"{'probabilities of pixels' if is_plain else 'densities per steradian'}; mend the "
            "column, its name (PROB or PROBDENSITY) or its unit (pix-1 or sr-1)."
        )
    if abs(total - 1) > EXACT:
        logger.warning(
            "%s: column %s%s adds up to %.6g; it is taken as 1: a part of the sky may be missing",
            *(path, name, what, total),
        )
    return probability / total
