"""Event files to bin into histograms: `binning`, one section per name."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, FiniteFloat, model_validator

from skyquilt.config.accept import each_once
from skyquilt.config.base import Energy, Nside, Quantity, Section
from skyquilt.config.interval import Interval
from skyquilt.config.paths import InputPath, OutputPath
from skyquilt.config.units import to_value

# Relative accuracy to which widths must fill their range: decimal fractions are not exact.
_WHOLE = 1e-6


def _check_times(edges: tuple[float, ...]) -> tuple[float, ...]:
    _check_ascending(edges, "s")
    return edges


def _check_energies(edges: tuple[str, ...]) -> tuple[str, ...]:
    values = [to_value(edge, "keV") for edge in edges]
    if values[0] < 0:
        raise ValueError(f"{edges[0]!r} is below zero: energies start at 0 keV or above")
    _check_ascending(values, "keV")
    return edges


def _check_ascending(values: Sequence[float], unit: str) -> None:
    for low, high in pairwise(values):
        if not low < high:
            raise ValueError(f"edges must ascend: {high:.15g} {unit} follows {low:.15g} {unit}")


def _check_width(text: str) -> str:
    width = to_value(text, "deg")
    if not 0 < width <= 180 or not _is_whole(180 / width):
        raise ValueError(f"{text!r} does not divide 180 deg into equal bins: give e.g. '5 deg'")
    return text


def _is_whole(ratio: float) -> bool:
    return abs(ratio - round(ratio)) <= _WHOLE * ratio and round(ratio) >= 1


def _check_time_bin(time_bin: str, interval: Interval) -> None:
    start, stop = interval
    width = to_value(time_bin, "s")
    if width <= 0 or not _is_whole((stop - start) / width):
        raise ValueError(
            f"time_bin {time_bin!r} does not divide the interval of {stop - start:g} s into equal "
            "bins: change one of them, or give `time_edges`"
        )


class Binning(Section):
    """One file of unbinned events, and the histogram to make of it."""

    events: InputPath
    """Unbinned events: FITS or HDF5 of cosipy, or event list of MEGAlib (.tra); FITS and .tra also
    gzipped."""
    orientation: InputPath | None = None
    """Orientation file, text (.ori) or FITS, also gzipped: the galactic frame needs it for event
    lists without pointings (lines GX and GZ), and it takes the place of those that are there."""
    output: OutputPath
    """Histogram to write, HDF5 in the layout of histpy."""
    frame: Literal["local", "galactic"]
    """Frame of the scattered direction PsiChi: local (spacecraft) or galactic."""
    time_edges: (
        Annotated[tuple[FiniteFloat, ...], Field(min_length=2), AfterValidator(_check_times)] | None
    ) = None
    """Edges of the time bins [UNIX s]."""
    time_bin: Annotated[str, Quantity("s")] | None = None
    """Width of the time bins, instead of their edges; a whole number of them fills `interval`."""
    interval: Interval | None = None
    """Time interval that `time_bin` divides [UNIX s]."""
    energy_edges: Annotated[
        tuple[Energy, ...], Field(min_length=2), AfterValidator(_check_energies)
    ]
    """Edges of the bins in measured energy; they must be those of the response."""
    phi_width: Annotated[str, Quantity("deg"), AfterValidator(_check_width)]
    """Width of the bins in the Compton scattering angle; a whole number of them fills 180 deg."""
    nside: Nside
    """Resolution of PsiChi, a power of two; the ordering is RING."""

    accept: Annotated[tuple[Literal["radians"], ...], each_once] = ()
    """Checks whose objections are warnings, for example `[radians]`."""

    @model_validator(mode="after")
    def _check_time(self) -> Self:
        given = [name for name in ("time_edges", "time_bin", "interval") if getattr(self, name)]
        if self.time_bin and self.interval and not self.time_edges:
            _check_time_bin(self.time_bin, self.interval)
        elif given != ["time_edges"]:
            raise ValueError(
                "give either `time_edges`, or `time_bin` and `interval`; given: "
                f"{' and '.join(given) or 'none'}"
            )
        return self

    def paths(self) -> tuple[str, ...]:
        """All files that are read."""
        return (self.events,) if self.orientation is None else (self.events, self.orientation)

    @model_validator(mode="after")
    def _check_orientation(self) -> Self:
        if self.orientation is not None and self.frame == "local":
            raise ValueError("orientation has no effect with frame 'local': remove it")
        return self

    @model_validator(mode="after")
    def _check_output(self) -> Self:
        if self.output == self.events:
            raise ValueError(f"output {self.output!r} is the event file: give another name")
        return self
