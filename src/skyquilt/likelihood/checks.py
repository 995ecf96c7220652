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


def check_entries(
    n: int, stop: np.ndarray, name: str, numbers: np.ndarray, n_numbers: int, n_values: int
) -> int:
    """Number of entries of the pixel that has most; refuses those that do not fit.

    Entries of pixel i end at ``stop[i]``; `numbers` are below `n_numbers`, called `name`, and one
    for each of the `n_values` values.
    """
    sizes = np.diff(stop, prepend=0)
    if stop.shape != (n,) or np.any(sizes < 0) or (stop[-1] if n else 0) != numbers.size:
        raise ValueError(
            f"stop: allowed are {n} numbers that ascend to the number of entries, {numbers.size}."
        )
    if numbers.shape != (n_values,) or np.any((numbers < 0) | (numbers >= n_numbers)):
        raise ValueError(
            f"{name}: allowed are numbers from 0 to {n_numbers - 1}, one for each of the "
            f"{n_values} values."
        )
    return int(sizes.max(initial=0))


def check_background_total(total: float, in_hits: float, allow_negative: bool) -> None:
    """Refuse a total below the sum over the hit bins, and what a free background cannot have."""
    if not (np.isfinite(total) and total >= (1 - 1e-12) * in_hits):  # sums in another order
        raise ValueError(
            f"background total {total}: allowed is the sum over the hit bins, {in_hits:g}, or more."
        )
    if allow_negative:
        raise ValueError("fluxes below zero need a fixed background.")
