"""Checks of what the likelihood is given."""

import numpy as np


def check_counts(counts: np.ndarray, background: np.ndarray) -> None:
    """Refuse counts and backgrounds of hit bins that are no counts and backgrounds."""
    if counts.shape != background.shape:
        raise ValueError(f"counts {counts.shape} and background {background.shape} differ.")
    for what, values, is_good, allowed in (
        ("counts", counts, counts >= 0, "0 or more"),
        ("background", background, background > 0, "above 0"),
    ):
        wrong = np.flatnonzero(~(is_good & np.isfinite(values)))
        if wrong.size:
            raise ValueError(
                f"{what} {values[wrong[0]]} in hit bin {wrong[0]}: allowed is {allowed}, finite."
            )


def check_background_total(total: float | None, in_hits: float) -> float:
    """Background in all bins; refuses none, and one below the sum over the hit bins."""
    if total is None:
        raise ValueError("a free background needs its total over all bins.")
    if not (np.isfinite(total) and total >= (1 - 1e-12) * in_hits):  # sums in another order
        raise ValueError(
            f"background total {total}: allowed is the sum over the hit bins, {in_hits:g}, or more."
        )
    return total
