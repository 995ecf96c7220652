"""Two fits compared: twice the difference of ln L, degrees of freedom, AIC."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from skyquilt.inference.climb import Status
from skyquilt.model.result import Found, Row

_SIMULATE = (
    "a number at the end of its range: 2 delta ln L does not follow chi2; compare it with that of "
    "simulated skies"
)
_NOT_NESTED = "neither fit is the other with less freedom: compare by AIC"
_BAD = "a fit is not good: mend it first"


class Part(NamedTuple):
    """What a quantity is in a fit.

    Attributes
    ----------
    kind : str
        Kind of its rows.
    definition : str
        Link, expression or light curve.
    is_array : bool
        Whether it has a number for each member of an axis.
    """

    kind: str
    definition: str
    is_array: bool


def compare(
    first: Found, second: Found, names: tuple[str, str], nested: str | None = None
) -> dict[str, Any]:
    """Compare two fits of one measurement.

    Parameters
    ----------
    first, second : Found
        The fits.
    names : tuple of str
        Their names.
    nested : str, optional
        The one with less freedom, where it is known; it is found if not given.

    Returns
    -------
    dict
        `fits`; `nested`, the one with less freedom, or None; `ts`, 2 delta ln L (with priors);
        `dof`; `p_value`, None where it has no meaning; `aic`, by name; `note`.
    """
    pairs = {names[0]: first, names[1]: second}
    nested = nested or next(
        (
            inner
            for inner, outer in (names, names[::-1])
            if is_nested(pairs[inner].rows, pairs[outer].rows)
        ),
        None,
    )
    inner = names[0] if nested is None else nested
    outer = names[1] if inner == names[0] else names[0]
    ts = 2 * (pairs[outer].log_posterior - pairs[inner].log_posterior)
    dof = n_free(pairs[outer]) - n_free(pairs[inner])
    note = _note(list(pairs.values()), is_nested=nested is not None and dof > 0)
    return {
        "fits": list(names),
        "nested": nested,
        "ts": float(ts),
        "dof": dof,
        "p_value": p_value(ts, dof) if not note else None,
        "aic": {name: 2 * n_free(one) - 2 * one.log_posterior for name, one in pairs.items()},
        "note": note,
    }


def n_free(found: Found) -> int:
    """Numbers that were fitted."""
    return int(np.count_nonzero(found.is_free))


def p_value(ts: float, dof: int) -> float:
    """Probability of a larger 2 delta ln L where the fit with less freedom is true (Wilks).

    Examples
    --------
    >>> round(p_value(3.841, 1), 3)
    0.05
    """
    from scipy.special import gammaincc

    return float(gammaincc(dof / 2, max(ts, 0.0) / 2))


def is_nested(small: Sequence[Row], large: Sequence[Row]) -> bool:
    """Whether a fit is another one with less freedom.

    It is, if each quantity of the other one is free there, or the same in both: what is free may
    be fixed, linked, a function, or one number for all in the small one.
    """
    inner, outer = _parts(small), _parts(large)
    helpers = _read_by_functions(outer)
    return all(
        name in inner and _is_less(inner[name], part)
        for name, part in outer.items()
        if name not in helpers or name in inner
    ) and _stand_for_less(inner, outer)


def _is_less(small: Part, large: Part) -> bool:
    if small == large:
        return True
    return large.kind == "free" and (large.is_array or not small.is_array)


def _stand_for_less(inner: Mapping[str, Part], outer: Mapping[str, Part]) -> bool:
    """Whether free numbers of the small fit that the large one has not are those of functions."""
    helpers = _read_by_functions(inner)
    return all(
        name in outer or name in helpers for name, part in inner.items() if part.kind == "free"
    )


def _read_by_functions(parts: Mapping[str, Part]) -> set[str]:
    """Numbers of light curves, and those that stand for themselves."""
    curves = tuple(f"{name}." for name, part in parts.items() if part.kind == "light_curve")
    return {name for name in parts if "." not in name or name.startswith(curves or ("\n",))}


def _parts(rows: Sequence[Row]) -> dict[str, Part]:
    parts: dict[str, Part] = {}
    for row in rows:
        name, bracket, _ = row.name.partition("[")
        parts[name] = Part(row.kind, row.definition, bool(bracket))
    return parts


def _note(fits: Sequence[Found], *, is_nested: bool) -> str:
    statuses = {one.status for one in fits}
    if statuses & {str(Status.NOT_CONVERGED), str(Status.DEGENERATE), str(Status.NO_EFFECT)}:
        return _BAD
    if not is_nested:
        return _NOT_NESTED
    return _SIMULATE if any(one.is_bound.any() for one in fits) else ""
