"""The measurement: counts, background, response, orientation."""

from os.path import normpath
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, PositiveFloat, model_validator

from skyquilt.config.accept import CommonCheck, each_once
from skyquilt.config.background import NAMED, ONE, by_name, components_once, names_no, one_or_named
from skyquilt.config.base import Name, Section, is_disjoint
from skyquilt.config.interval import Interval
from skyquilt.config.paths import InputPath
from skyquilt.config.time_bins import TimeBins, check_within

MODEL_LABEL = "background model"
RESERVED_LABELS = ("data", MODEL_LABEL)


def _check_label(label: str) -> str:
    if not label.strip() or not label.isprintable():
        raise ValueError(f"{label!r}: allowed are printable letters in one line, at least one")
    if label in RESERVED_LABELS or label.startswith(f"{MODEL_LABEL}: "):
        raise ValueError(f"{label!r} names the sum or the model in plots: choose another label")
    return label


class CountsTerm(Section):
    """One histogram of counts; the terms of an analysis are added."""

    path: InputPath
    """Histogram in HDF5, in the layout of histpy."""
    label: Annotated[str, Field(max_length=64), AfterValidator(_check_label)] = "counts"
    """Name in plots and messages; terms of one label are shown as one."""
    scale: PositiveFloat = 1.0
    """Factor on the counts, for example 0.02 for a burst fifty times fainter."""


def _check_once(terms: tuple[CountsTerm, ...]) -> tuple[CountsTerm, ...]:
    paths = [normpath(term.path) for term in terms]
    for path in paths:
        if paths.count(path) > 1:
            raise ValueError(f"{path!r} is there twice: its counts would be added twice")
    return terms


class BackgroundModel(Section):
    """Expected background: a histogram and its scale."""

    path: InputPath
    """Histogram in HDF5, in the layout of histpy."""
    scale: PositiveFloat | Literal["auto"] = "auto"
    """Factor on the histogram; auto: ratio of the livetimes (with an orientation file) or
    durations (with time axes) of the counts and of the background."""
    interval: Interval | None = None
    """Time span of the histogram [UNIX s]: it is cut to it if it has a time axis (the whole axis
    is used otherwise); if it has none, `scale: auto` needs it."""


class ComptonData(Section):
    """Data of a Compton telescope."""

    frame: Literal["local", "galactic"]
    """Frame of the scattered direction PsiChi: local (spacecraft) or galactic."""
    counts: Annotated[tuple[CountsTerm, ...], Field(min_length=1), AfterValidator(_check_once)]
    """Histograms of counts; their sum is the data."""
    background: Annotated[
        Annotated[BackgroundModel, ONE]
        | Annotated[dict[Name, BackgroundModel], names_no(BackgroundModel), components_once, NAMED],
        one_or_named,
    ]
    """Expected background: one histogram, or several components by name, which are added."""
    response: InputPath
    """Detector response (frame: local) or precomputed galactic point source response."""
    response_interval: Interval | None = None
    """Galactic frame: time of which the response holds the exposure [UNIX s], where its file does
    not say; it must be that of the counts."""
    response_scale: PositiveFloat | None = None
    """Galactic frame: factor on the response, from the exposure of its time to that of the
    counts."""
    orientation: InputPath | None = None
    """Orientation file, text (.ori) or FITS, also gzipped; needed in the local frame, and gives
    livetimes in both."""
    interval: Interval | None = None
    """Time interval of the analysis [UNIX s]; histograms with a time axis are cut to it."""
    time_bins: TimeBins | None = None
    """Time bins of a model, edges of the histograms' time axis; a map takes all of the time."""
    zero_background: Literal["refuse", "mask"] = "refuse"
    """What to do with bins that have counts but no background: refuse, or mask every bin
    without background (its counts and its expected counts leave the likelihood)."""
    time_weights: Literal["livetime", "elapsed"] = "livetime"
    """Weight of an attitude sample in the local frame; elapsed is needed in both frames for an
    orientation file whose records have no livetimes."""
    earth_occultation: bool = False
    """Local frame: leave out the times at which a direction is below the Earth's horizon."""
    interpolation: Literal["bilinear", "nearest"] = "bilinear"
    """Galactic frame: how the response is read between its pixels."""
    accept: Annotated[tuple[CommonCheck, ...], each_once] = ()
    """Checks of the data whose objections are warnings."""

    @model_validator(mode="after")
    def _check_frame(self):
        if self.frame == "local" and self.orientation is None:
            raise ValueError("frame 'local' needs `orientation`, the spacecraft's .ori file")
        fields = {
            "local": ("interpolation", "response_interval", "response_scale"),
            "galactic": ("earth_occultation",),
        }
        no_effect = fields[self.frame]
        if self.orientation is None:
            no_effect += ("time_weights",)
        for name in no_effect:
            if getattr(self, name) != type(self).model_fields[name].default:
                raise ValueError(f"{name} has no effect with frame {self.frame!r}: remove it")
        check_within(self.time_bins, self.interval)
        return self

    def paths(self) -> tuple[str, ...]:
        """All files the data are read from, each once."""
        counts = [term.path for term in self.counts]
        backgrounds = [model.path for model in self.backgrounds().values()]
        named = [*counts, *backgrounds, self.response, self.orientation]
        return tuple(dict.fromkeys(path for path in named if path is not None))

    def backgrounds(self) -> dict[str, BackgroundModel]:
        """Components of the background by name; one without a name has the name ""."""
        return by_name(self.background)

    def counts_paths(self) -> tuple[str, ...]:
        """Files of counts."""
        return tuple(term.path for term in self.counts)

    @property
    def disjoint_by(self) -> str:
        """What can keep two data sets of one file apart, for messages."""
        return "intervals or energies"

    def is_disjoint(self, other: object) -> bool:
        """Whether the intervals of two data sets are known to have nothing in common."""
        if not isinstance(other, ComptonData) or self.interval is None or other.interval is None:
            return False
        return is_disjoint(self.interval, other.interval)
