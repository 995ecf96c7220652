"""Time bins of a data set, for models: `time_bins`."""

from itertools import pairwise
from typing import Annotated, Self

from pydantic import AfterValidator, Field, FiniteFloat, model_validator

from skyquilt.config.base import Quantity, Section
from skyquilt.config.interval import Interval
from skyquilt.config.units import to_value

MAX_BINS = 100_000
"""Most time bins of a data set; more are a slip in a width."""
_WHOLE = 1e-6  # relative; widths are decimal fractions, which are not exact


def _check_edges(edges: tuple[float, ...]) -> tuple[float, ...]:
    for first, second in pairwise(edges):
        if not first < second:
            raise ValueError(
                f"edges: {second:.9f} s follows {first:.9f} s: they must ascend, bins that overlap "
                "would count twice"
            )
    return edges


class TimeBins(Section):
    """Time bins: of one width, of given edges, or of a least number of counts."""

    start: FiniteFloat | None = None
    """Start of the first bin [UNIX s]; goes with `stop` and `width`."""
    stop: FiniteFloat | None = None
    """End of the last bin [UNIX s]."""
    width: Annotated[str, Quantity("s", is_positive=True)] | None = None
    """Width of each bin; a whole number of them fills the time from start to stop."""
    edges: (
        Annotated[
            tuple[FiniteFloat, ...],
            Field(min_length=2, max_length=MAX_BINS + 1),
            AfterValidator(_check_edges),
        ]
        | None
    ) = None
    """Edges of the bins [UNIX s], ascending."""
    counts: Annotated[int, Field(strict=True, ge=1)] | None = None
    """Least counts of each bin, in the selected energies; the last one has what is left, too."""

    @model_validator(mode="after")
    def _check_kind(self) -> Self:
        steps = [value is not None for value in (self.start, self.stop, self.width)]
        kinds = [any(steps), self.edges is not None, self.counts is not None]
        if sum(kinds) != 1 or any(steps) != all(steps):
            raise ValueError(
                "give one of: start, stop and width, all three; or edges; or counts, the least "
                "counts of each bin"
            )
        if all(steps):
            self._check_steps()
        return self

    def fixed_edges(self) -> tuple[float, ...] | None:
        """Edges of the bins [UNIX s]; None where the counts decide."""
        if self.counts is not None:
            return None
        if self.edges is not None:
            return self.edges
        start, stop, n_bin = self._steps()
        return (*(start + (stop - start) * number / n_bin for number in range(n_bin)), stop)

    def _steps(self) -> tuple[float, float, int]:
        if self.start is None or self.stop is None or self.width is None:
            raise ValueError("time bins of edges or counts have no width")
        ratio = (self.stop - self.start) / to_value(self.width, "s")
        return self.start, self.stop, round(ratio)

    def _check_steps(self) -> None:
        if self.start is None or self.stop is None or self.width is None:
            return
        if not self.start < self.stop:
            raise ValueError(
                f"start {self.start:.9f} s, stop {self.stop:.9f} s: the start must lie before the "
                "stop"
            )
        length = self.stop - self.start
        ratio = length / to_value(self.width, "s")
        if ratio > MAX_BINS * (1 + _WHOLE):
            raise ValueError(
                f"width {self.width!r} makes {ratio:.3g} bins of {length:g} s: allowed are "
                f"{MAX_BINS}"
            )
        if round(ratio) < 1 or abs(ratio - round(ratio)) > _WHOLE * ratio:
            raise ValueError(
                f"width {self.width!r} does not divide the {length:g} s from start to stop into "
                "equal bins: change one of them, or give `edges`"
            )


def check_within(bins: TimeBins | None, interval: Interval | None) -> None:
    """Refuse time bins that are not all in an interval.

    Raises
    ------
    ValueError
        If one is not.
    """
    edges = None if bins is None else bins.fixed_edges()
    if edges is None or interval is None:
        return
    if edges[0] < interval[0] or edges[-1] > interval[1]:
        raise ValueError(
            f"time_bins from {edges[0]:.9f} to {edges[-1]:.9f} s are not all in the interval, "
            f"{interval[0]:.9f} to {interval[1]:.9f} s: change one of them"
        )
