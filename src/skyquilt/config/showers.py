"""Raw files of Cherenkov telescopes to reconstruct: `showers`, with a section per set of runs."""

from fnmatch import fnmatchcase
from typing import Annotated, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    FiniteFloat,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveInt,
    model_validator,
)

from skyquilt.config.base import Name, Section
from skyquilt.config.paths import InputPath


def _one_for_all(value: object) -> object:
    """A number stands for one pattern that matches every telescope."""
    return {"*": value} if isinstance(value, int | float) and not isinstance(value, bool) else value


Thresholds = Annotated[
    dict[str, NonNegativeFloat], Field(min_length=1), BeforeValidator(_one_for_all)
]
"""Numbers by pattern of telescope; of those that match, the one with most letters counts."""


class ShowerCharges(Section):
    """How samples become charges and times."""

    extractor: Literal["neighbour_peak", "local_peak", "global_peak", "fixed", "full"] = (
        "neighbour_peak"
    )
    """Where the window of a pixel lies: around the peak of its neighbours, its own peak, the peak
    of all pixels, at sample `peak`; or all samples."""
    width: PositiveInt = 7
    """Samples of the window."""
    shift: NonNegativeInt = 3
    """Samples of the window before the peak."""
    own_weight: NonNegativeInt = 0
    """Weight of the pixel itself among its neighbours."""
    peak: NonNegativeInt = 0
    """Sample of the peak, of the extractor `fixed`."""
    gain_threshold: FiniteFloat = 4000.0
    """The low gain is used where a sample of the high one is above this."""


class ShowerCleaning(Section):
    """Which pixels of an image are kept."""

    picture: Thresholds = Field(default_factory=lambda: {"*": 8.0})
    """Least charge of a pixel of the picture [p.e.]: a number, or numbers by pattern of telescope,
    as {"*": 8, "LST*": 7.5}; of those that match, the one with most letters counts."""
    boundary: Thresholds = Field(default_factory=lambda: {"*": 4.0})
    """Least charge of a pixel beside the picture [p.e.]."""
    neighbours: NonNegativeInt = 2
    """Neighbours in the picture that a pixel of the picture needs."""
    keep_isolated: bool = False
    """Whether pixels of the picture need no neighbour."""


class ShowerParameters(Section):
    """Which images have parameters, and which parameters."""

    min_pixels: Annotated[int, Field(ge=2)] = 2
    """Fewest pixels of such an image."""
    true_images: bool = True
    """Whether the images without noise get parameters, too, where a file has them."""
    time_line_starts: PositiveInt = 40
    """Starts of the line through the times."""


class ShowerStereo(Section):
    """Which images make a shower."""

    min_intensity: NonNegativeFloat = 50.0
    """Images have more charge than this [p.e.]."""
    min_pixels: PositiveInt = 4
    """Fewest pixels of an image."""
    min_telescopes: Annotated[int, Field(ge=2)] = 2
    """Fewest telescopes of a shower."""


class ShowerImages(Section):
    """What is kept beside the tables."""

    images: bool = False
    """Charge, time and mask of every pixel of every image."""


class TelescopeChoice(Section):
    """Which telescopes are used."""

    choose: Annotated[tuple[int | str, ...], Field(min_length=1)] = ("*",)
    """Numbers, ranges of them as "5-19", or patterns of type, camera or optics as "LST*"; upper and
    lower case are the same."""


class ShowerRuns(Section):
    """Runs that are reconstructed in one way."""

    files: Annotated[tuple[InputPath, ...], Field(min_length=1)]
    """Files of runs, or patterns of them as runs/gamma_*.simtel.zst; each is a run."""
    telescopes: TelescopeChoice = TelescopeChoice()
    """Which telescopes are used."""
    focal_length: Literal["effective", "nominal"] = "effective"
    """Which focal length the field of view is seen with."""
    truncated: Literal["refuse", "keep"] = "refuse"
    """What to do with a file that was cut: refuse it, or keep what is whole."""
    calibrate: ShowerCharges = ShowerCharges()
    """How samples become charges and times."""
    clean: ShowerCleaning = ShowerCleaning()
    """Which pixels of an image are kept."""
    parameters: ShowerParameters = ShowerParameters()
    """Which images have parameters, and which."""
    stereo: ShowerStereo = ShowerStereo()
    """Which images make a shower."""
    keep: ShowerImages = ShowerImages()
    """What is kept beside the tables."""

    @model_validator(mode="before")
    @classmethod
    def _list_files(cls, settings: object) -> object:
        if isinstance(settings, dict) and isinstance(settings.get("files"), str):
            return settings | {"files": [settings["files"]]}
        return settings


class Showers(Section):
    """Raw files of Cherenkov telescopes to reconstruct."""

    runs: Annotated[dict[Name, ShowerRuns], Field(min_length=1)]
    """Sets of runs by name, each reconstructed in its own way."""

    @model_validator(mode="after")
    def _no_doubles(self) -> Self:
        for name, runs in self.runs.items():
            if len(set(runs.files)) < len(runs.files):
                raise ValueError(f"runs.{name}.files: a file or pattern is there twice")
        return self


def matches(pattern: str, names: tuple[str, ...]) -> bool:
    """Whether a pattern matches any of some names; upper and lower case are the same.

    Examples
    --------
    >>> matches("lst*", ("LSTCam", "LST")), matches("MST*", ("LSTcam",))
    (True, False)
    """
    return any(fnmatchcase(name.lower(), pattern.lower()) for name in names)
