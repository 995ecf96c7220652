"""What a list of targets is asked: `targets`, spectra of each in bands of energy."""

from collections.abc import Iterable
from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, PositiveFloat, PositiveInt, Tag, model_validator

from skyquilt.config.base import Name, Section
from skyquilt.config.energy import EnergyEdges
from skyquilt.config.paths import InputPath
from skyquilt.config.shape import Point, Shape
from skyquilt.config.sources import Catalogue
from skyquilt.config.target import Target, TargetName, text_or_keys

_Radius = Annotated[PositiveFloat, Field(le=180)]


class Factor(Section):
    """Factor on a background, in each band of each target."""

    factor: Literal["free", "fixed"] = "free"
    """Whether it is fitted, or 1."""
    error: PositiveFloat | None = None
    """Relative error to which the background is known beforehand, as of a Gaussian; null: not
    known at all. 0.2 when left out."""

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, settings: Any) -> Any:
        if isinstance(settings, dict):
            if settings.get("factor") == "fixed" and settings.get("error") is not None:
                raise ValueError("`error` has no effect with `factor: fixed`: remove it")
            if settings.get("factor", "free") == "free" and "error" not in settings:
                return settings | {"error": 0.2}
        return settings


def _kind(settings: Any) -> str:
    is_named = isinstance(settings, dict) and not {"factor", "error"} & settings.keys()
    return "named" if is_named and settings else "one"


Factors = Annotated[
    Annotated[Factor, Tag("one")] | Annotated[dict[Name, Factor], Tag("named")],
    Discriminator(_kind),
]
"""One factor on all of the background, or one for each of its components by name."""


class Scan(Section):
    """Points of the profile likelihood that are kept of each band."""

    points: Annotated[int, Field(ge=11, le=1001)] = 31
    """Their number."""
    depth: Annotated[float, Field(ge=5, le=100)] = 8.0
    """How far ln L falls to both ends, where zero flux does not come first."""


class TargetSpectrum(Section):
    """Model of the spectrum of targets; its norm is free."""

    model: Literal["power_law", "log_parabola"]
    """(E / pivot)^index, or (E / pivot)^(index - curvature ln(E / pivot)); the pivot is the
    geometric mean of the lowest and highest energy of all bands."""
    index: Annotated[float, Field(ge=-8, le=3)] = -2.0
    """Index, or where it begins if it is free."""
    curvature: Annotated[float, Field(ge=-3, le=3)] = 0.0
    """Curvature, or where it begins; of a log_parabola."""
    free: tuple[Literal["index", "curvature"], ...] = ()
    """What is fitted with the norm."""

    @model_validator(mode="after")
    def _check_free(self) -> Self:
        if len(set(self.free)) < len(self.free):
            raise ValueError(f"free: {', '.join(self.free)}: name each once")
        if self.model == "power_law" and ("curvature" in self.free or self.curvature != 0):
            raise ValueError("a power_law has no curvature: take `model: log_parabola`")
        return self


class TargetPlots(Section):
    """Figures of targets."""

    castro: Annotated[int, Field(ge=0, le=1000)] | tuple[TargetName, ...] = 20
    """Whose spectra are drawn, with the likelihood as colour: so many of the largest TS, or those
    of these names."""


Roster = Annotated[dict[TargetName, Target], Field(min_length=1)]
"""Targets by name."""

_RosterOrFile = Annotated[
    Annotated[InputPath, Tag("text")] | Annotated[Roster, Tag("keys")], Discriminator(text_or_keys)
]
_DataOrEdges = Annotated[
    Annotated[Literal["data"], Tag("text")] | Annotated[EnergyEdges, Tag("keys")],
    Discriminator(text_or_keys),
]
_Neighbours = Annotated[
    Annotated[Literal["sources", "none"], Tag("text")] | Annotated[Catalogue, Tag("keys")],
    Discriminator(text_or_keys),
]


def _only_points() -> dict[str, Shape]:
    return {"point": Point(model="point")}


class TargetOptions(Section):
    """Spectra of targets in bands of energy."""

    bands: _DataOrEdges = "data"
    """Edges of the bands, ascending; data: those of the data."""
    region: _Radius | None = None
    """Radius around each target in which bins enter its fit [deg]; when left out 3 times that of
    95 % of the widest point spread, 1 deg at least. An instrument without images takes all bins."""
    background: Factors = Factor.model_validate({})
    """Factor on the background, one for each band of each target."""
    neighbours: _Neighbours | None = None
    """Other sources in the model: those of `sources`, none, or a table of known ones. `sources` if
    the section exists, else none."""
    free_above: Annotated[float, Field(gt=0, le=1)] = 0.05
    """Correlation with the target from which the flux of a neighbour is fitted with it."""
    own_radius: _Radius | None = None
    """A listed source nearer than this is the target itself, and leaves the model [deg]; the
    radius of 68 % of the narrowest point spread when left out."""
    limits: Annotated[float, Field(gt=0.5, lt=1)] | None = None
    """Confidence level of upper limits; that of `fit` when left out."""
    scan: Scan = Scan()
    """Profile of each band."""
    rosters: Annotated[dict[TargetName, _RosterOrFile], Field(min_length=1)]
    """Lists of targets by name: a mapping of targets, or a file with them, YAML or any table."""
    profiles: Annotated[dict[TargetName, Shape], Field(min_length=1)] = Field(
        default_factory=_only_points
    )
    """Shapes by name; targets that name none are fitted with each of them."""
    aliases: dict[TargetName, TargetName] = Field(default_factory=dict)
    """Shorter names of versions."""
    spectra: dict[TargetName, TargetSpectrum] = Field(default_factory=dict)
    """Models of spectra by name; each is fitted to all bands of each target."""
    plots: TargetPlots = TargetPlots()
    """Figures."""
    targets_per_job: PositiveInt | Literal["auto"] = "auto"
    """Targets that one job fits; auto follows the estimated work. It changes no number."""

    @model_validator(mode="after")
    def _check_profiles(self) -> Self:
        for roster, targets in self.rosters.items():
            if isinstance(targets, str):
                continue
            for name, target in targets.items():
                check_profile(f"rosters.{roster}.{name}", target, self.profiles)
        return self

    def factor_of(self, component: str) -> Factor:
        """Factor on a component of the background, by its name."""
        if isinstance(self.background, Factor):
            return self.background
        return self.background.get(component, Factor(factor="fixed"))

    def paths(self) -> tuple[str, ...]:
        """Files of rosters and neighbours."""
        files = [one for one in self.rosters.values() if isinstance(one, str)]
        if isinstance(self.neighbours, Catalogue):
            files.append(self.neighbours.path)
        return tuple(files)


def check_profile(where: str, target: Target, known: Iterable[str]) -> None:
    """Refuse a target whose profile has no shape.

    Raises
    ------
    ValueError
        If it names one that is not among those of the section.
    """
    if isinstance(target.profile, str) and target.profile not in known:
        raise ValueError(
            f"{where}.profile: no profile {target.profile!r}; `profiles` has {', '.join(known)}"
        )
