"""Which targets are drawn."""

from collections.abc import Sequence

import numpy as np

from skyquilt.errors import InputError
from skyquilt.targets.listing import TargetList


def choose_drawn(castro: int | Sequence[str], targets: TargetList, ts: np.ndarray) -> list[int]:
    """Numbers of the fits to draw.

    Parameters
    ----------
    castro : int or sequence of str
        How many, those of the largest sum of TS first; or names of targets.
    targets : TargetList
        The targets.
    ts : ndarray of float64, shape (n_fit, n_band)
        TS of each band; NaN where there is no fit.

    Raises
    ------
    InputError
        If a name is not on any roster.
    """
    if not isinstance(castro, int):
        return named_fits(castro, targets)
    order = np.argsort(-np.nansum(ts, axis=1), kind="stable")
    return [int(number) for number in order[:castro]]


def named_fits(names: Sequence[str], targets: TargetList) -> list[int]:
    """Numbers of the fits of targets of some names, with all their profiles.

    Raises
    ------
    InputError
        If a name is not on any roster.
    """
    known = {one.name for one in targets.fits}
    for name in names:
        if name not in known:
            raise InputError(
                f"targets.plots.castro: no target {name!r} is on a roster; allowed are "
                f"{', '.join(sorted(known)[:5])}{', ...' if len(known) > 5 else ''}."
            )
    return [number for number, one in enumerate(targets.fits) if one.name in names]
