"""Time that the expected counts of a direction take, and how many bins see it.

The constants are those of `benchmarks/time_plan.py` (EPYC and Xeon with AVX-512, one thread, 2026),
which compares estimates with measured times.
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from skyquilt.blocks import RowBlock

# a multiply-add of rows, in the cache [s]; what weights cost per attitude sample
_ADD, _SAMPLE = 0.2e-9, 30e-9
# a direction, and a bucket of directions
_SPARSE, _BUCKET = 1e-6, 40e-6


class Cost(NamedTuple):
    """Cost of the expected counts of a direction.

    Attributes
    ----------
    seconds : float
        Time to find them [s].
    n_bins : float
        Bins that see it.
    n_fits : int
        Fits of it, one for each of several spectra.
    """

    seconds: float
    n_bins: float
    n_fits: int = 1

    def beside(self, other: "Cost") -> "Cost":
        """Both, side by side in one fit."""
        return self._replace(
            seconds=self.seconds + other.seconds, n_bins=self.n_bins + other.n_bins
        )

    def after(self, other: "Cost") -> "Cost":
        """Both, one after the other, each with fits of its own."""
        return self.beside(other)._replace(n_fits=self.n_fits + other.n_fits)


def rows_cost(block: "RowBlock", n_hit: int, n_sample: int = 1) -> Cost:
    """Cost of a direction that is a sum of rows, from a block of some.

    Parameters
    ----------
    block : RowBlock
        Rows of some directions.
    n_hit : int
        Hit bins.
    n_sample : int
        Attitude samples that weights are made of.
    """
    n_rows = block.weights.row.size / max(len(block.total), 1)
    return Cost(n_rows * n_hit * _ADD + n_sample * _SAMPLE, float(n_hit))


def lists_cost(n_bins: float, seconds: float, bucket_nside: int, nside: int) -> Cost:
    """Cost of a direction that looks in buckets for what is near it.

    Parameters
    ----------
    n_bins : float
        Bins that see it.
    seconds : float
        Time for what is found there [s].
    bucket_nside, nside : int
        Resolution of the buckets, and of the map: pixels of one bucket share what is looked for.
    """
    buckets = _SPARSE + _BUCKET * min(1.0, (bucket_nside / nside) ** 2)
    return Cost(buckets + seconds, n_bins)


def mean_bins(indptr: np.ndarray) -> float:
    """Mean length of the lists of bins of some directions."""
    return float(indptr[-1]) / max(len(indptr) - 1, 1)
