"""What the sources do: `model`, linked parameters over time bins, data sets and sources."""

from collections.abc import Collection, Mapping
from typing import Annotated, Any, NamedTuple, Self

from pydantic import AfterValidator, Discriminator, Field, FiniteFloat, Tag, model_validator

from skyquilt.config.base import Name, Quantity, Section
from skyquilt.config.model_fits import ModelFit, Question
from skyquilt.config.model_functions import AnyParameter, InUnitOrCurve
from skyquilt.config.model_parameter import Parameter, PlainName, QuantityName, Value
from skyquilt.config.model_source import ModelSource
from skyquilt.config.units import to_value
from skyquilt.errors import nearest_to

FitName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$", max_length=64)]
"""Name of a fit: part of the name of a file."""

RESERVED_FITS = ("problem", "comparison", "plots")
"""Names of other files beside those of the fits."""

RESERVED_ENDS = ("-bins", "-samples")
"""Ends of names of files that belong to a fit."""

RESERVED_NAMES = ("t", "exp", "log", "sqrt", "sin", "cos", "tan", "background")
"""Names that mean something else in expressions."""

_KEYS = {"start", "range", "prior", "per", "link", "expr", "light_curve"}


def _kind(settings: Any) -> str:
    is_named = isinstance(settings, dict) and not _KEYS.intersection(settings)
    return "named" if is_named else "one"


_one_or_named = Discriminator(_kind)
_One = Annotated[AnyParameter, InUnitOrCurve(""), Tag("one")]
_Components = Annotated[dict[Name, Annotated[AnyParameter, InUnitOrCurve("")]], Tag("named")]
_Datasets = dict[Name, Annotated[_One | _Components, _one_or_named]]
Factors = Annotated[_One | Annotated[_Datasets, Tag("named")], _one_or_named]
"""Factors on backgrounds: one; or by data set or component; or by data set and component."""


def _check_radius(text: str) -> str:
    if to_value(text, "deg") > 180:
        raise ValueError(f"{text!r} is above 180 deg")
    return text


class Offset(Section):
    """Error of the pointing of a data set, fitted with a normal prior."""

    sigma: Annotated[str, Quantity("deg", is_positive=True)]
    """Its standard deviation in each direction."""


class BackgroundFactors(NamedTuple):
    """Factors on the background.

    Attributes
    ----------
    names : dict of tuple to str
        Name of the factor on each component of each data set, by both names.
    parameters : dict of str to Parameter
        The factors.
    """

    names: dict[tuple[str, str], str]
    parameters: dict[str, Any]


class ModelOptions(Section):
    """Sources with linked parameters, and the fits of them."""

    radius: (
        Annotated[str, Quantity("deg", is_positive=True), AfterValidator(_check_radius)] | None
    ) = None
    """Keep only what the problem has for directions within this angle of a source's start; all
    when left out."""
    epoch: FiniteFloat | None = None
    """Time that `t` and the times of light curves count from [UNIX s]; the start of the first time
    bin when left out."""
    sources: Annotated[dict[PlainName, ModelSource], Field(min_length=1)]
    """Sources by name."""
    background: Factors = 1.0
    """Factor on the background; or one for each data set, or for each component of it, by name.
    Those that are left out are 1."""
    offsets: dict[Name, Offset] = Field(default_factory=dict)
    """Pointing errors of data sets, by name."""
    parameters: dict[PlainName, Parameter] = Field(default_factory=dict)
    """Numbers that stand for themselves, for links, expressions and priors."""
    fits: Annotated[dict[FitName, ModelFit], Field(min_length=1)]
    """Fits by name."""
    truths: dict[QuantityName, Value] = Field(default_factory=dict)
    """True values of what was simulated, by name; figures mark them."""
    compare: tuple[tuple[str, str] | Question, ...] = ()
    """Pairs of fits to compare; or questions, as {constant: burst.flux, fit: joint}."""

    @model_validator(mode="after")
    def _check_names(self) -> Self:
        for name in (*self.sources, *self.parameters, *self._fit_parameters()):
            if name in RESERVED_NAMES:
                raise ValueError(
                    f"{name!r} means something else in expressions: choose another name than "
                    f"{', '.join(RESERVED_NAMES)}"
                )
        for name in self.fits:
            if name in RESERVED_FITS or name.endswith(RESERVED_ENDS):
                raise ValueError(f"fits.{name}: a file has this name: choose another")
        for name, source in self.sources.items():
            if source.position.link is not None:
                _check_known(
                    f"sources.{name}.position.link", source.position.link, self.sources, "source"
                )
        return self

    @model_validator(mode="after")
    def _check_fits(self) -> Self:
        for name, one in self.fits.items():
            if one.start_from is not None:
                _check_known(f"fits.{name}.start_from", one.start_from, self.fits, "fit")
        for name in self.fits:
            self.order(name)
        for number, pair in enumerate(self.compare):
            for name in (pair.fit,) if isinstance(pair, Question) else pair:
                _check_known(f"compare.{number}", name, self.fits, "fit")
                if self.fits[name].split is not None:
                    raise ValueError(
                        f"compare.{number}: fit {name} is split, each bin has a maximum of its own"
                    )
        return self

    @property
    def starts_at_best(self) -> bool:
        """Whether a source starts at the best position of the map."""
        return any(one.position.start == "best" for one in self.sources.values())

    def order(self, name: str) -> tuple[str, ...]:
        """A fit and those that it starts from, in the order of making.

        Raises
        ------
        ValueError
            If they go in a circle.
        """
        way = [name]
        while (earlier := self.fits[way[-1]].start_from) is not None:
            if earlier in way:
                circle = " -> ".join([*way[way.index(earlier) :], earlier])
                raise ValueError(f"fits start from each other in a circle: {circle}")
            way.append(earlier)
        return tuple(reversed(way))

    def all_orders(self) -> tuple[str, ...]:
        """All fits, each after the one that it starts from."""
        return tuple(dict.fromkeys(fit for name in self.fits for fit in self.order(name)))

    def backgrounds(self, components: Mapping[str, tuple[str, ...]]) -> BackgroundFactors:
        """Factors on the components of all data sets; those that are left out are 1.

        Parameters
        ----------
        components : dict of str to tuple of str
            Components of the background of each data set; the name of a single one is "".

        Raises
        ------
        ValueError
            If the model names a data set or component that there is not.
        """
        pairs = [(dataset, name) for dataset, names in components.items() for name in names]
        if not isinstance(self.background, dict):
            return BackgroundFactors(
                dict.fromkeys(pairs, "background"), {"background": self.background}
            )
        names = {pair: _factor_name(*pair) for pair in pairs}
        parameters: dict[str, Any] = dict.fromkeys(names.values(), 1.0)
        for dataset, factor in (
            {"": self.background} if "" in components else self.background
        ).items():
            _check_known("model.background", dataset, components, "data set")
            if not isinstance(factor, dict):
                of_all = _factor_name(dataset, "")
                names |= {(dataset, name): of_all for name in components[dataset]}
                parameters[of_all] = factor
                continue
            for name, one in factor.items():
                key = f"model.background{'.' * bool(dataset)}{dataset}"
                _check_known(key, name, [n for n in components[dataset] if n], "component")
                parameters[names[dataset, name]] = one
        used = set(names.values())
        return BackgroundFactors(names, {name: p for name, p in parameters.items() if name in used})

    def _fit_parameters(self) -> list[str]:
        return [name for one in self.fits.values() for name in one.parameters]


def _factor_name(dataset: str, component: str) -> str:
    """Name of the factor on a component of a data set, or on all of them together.

    Examples
    --------
    >>> _factor_name("cosi", ""), _factor_name("fermi", "galactic"), _factor_name("", "galactic")
    ('cosi.norm', 'fermi.galactic', 'background.galactic')
    """
    return f"{dataset or 'background'}.{component or 'norm'}"


def _check_known(key: str, name: str, known: Collection[str], what: str) -> None:
    if name not in known:
        raise ValueError(f"{key}: no {what} {name!r}; {nearest_to(name, known)}")


def check_backgrounds(model: ModelOptions, components: Mapping[str, tuple[str, ...]]) -> None:
    """Check that the data sets and components that a model names are there.

    Parameters
    ----------
    model : ModelOptions
        The model.
    components : dict of str to tuple of str
        Components of the background of each data set; the name of a single one is "".

    Raises
    ------
    ValueError
        If one is not there.
    """
    for name in model.offsets:
        _check_known("model.offsets", name, components, "data set")
    model.backgrounds(components)
