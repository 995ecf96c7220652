"""Which populations the events come from: `populations`, each with its place and spectrum."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, FiniteFloat, PositiveFloat, PositiveInt, model_validator

from skyquilt.config.base import Energy, Name, Section
from skyquilt.config.paths import InputPath
from skyquilt.config.sources import Catalogue
from skyquilt.config.spectrum import GaussianLine, Spectrum
from skyquilt.config.units import to_value

_ColumnName = Annotated[str, Field(min_length=1)]


def check_energies(energies: tuple[str, str]) -> tuple[str, str]:
    """Refuse a range of energies that is none.

    Raises
    ------
    ValueError
        If it does not ascend from above zero.
    """
    low, high = (to_value(energy, "keV") for energy in energies)
    if not 0 < low < high:
        raise ValueError(f"{list(energies)}: give [low, high] with 0 < low < high")
    return energies


class Template(Section):
    """Brightness of all of the sky: a HEALPix table, of which only the form counts."""

    path: InputPath
    """FITS file with a HEALPix table of all pixels, also gzipped."""
    column: _ColumnName | None = None
    """Column of the brightness per solid angle; needed where there are several."""
    frame: Literal["galactic", "icrs"] | None = None
    """Frame of the pixels, where the header does not say."""


class SourceCatalogue(Catalogue):
    """Sources of a table, each a power law; their fluxes relative to each other are fixed."""

    flux: _ColumnName
    """Column of photon fluxes [ph cm-2 s-1]."""
    flux_range: Annotated[tuple[Energy, Energy], AfterValidator(check_energies)]
    """Energies [low, high] of these fluxes."""
    index: _ColumnName
    """Column of photon indices as catalogues give them: 2 is a spectrum that falls as E^-2."""
    extended: _ColumnName | None = None
    """Table of the same file with the sizes of extended sources, as Fermi's catalogues have it;
    all are points when left out."""


class Population(Section):
    """One population: one of `template`, `catalogue`, `isotropic`, `background`."""

    template: Template | None = None
    """A map of its brightness, with a spectrum."""
    catalogue: SourceCatalogue | None = None
    """Sources of a table with their own spectra."""
    isotropic: Literal[True] | None = None
    """The same brightness everywhere, with a spectrum."""
    background: Name | Literal[True] | None = None
    """The background of the data, or a component of it by name: it is in measured quantities, and
    not folded."""
    spectrum: Spectrum | None = None
    """Spectrum of a template or an isotropic population; its norm has no influence but on what is
    expected."""
    free: dict[Name, tuple[FiniteFloat, FiniteFloat]] = Field(default_factory=dict)
    """Parameters of the spectrum that are fitted, with the range [low, high] in which they may lie;
    there the prior is flat. Energies are in keV."""

    @model_validator(mode="after")
    def _check_kind(self) -> Self:
        kinds = ("template", "catalogue", "isotropic", "background")
        given = [kind for kind in kinds if getattr(self, kind) is not None]
        if len(given) != 1:
            raise ValueError(f"give one of {', '.join(kinds)}; given: {', '.join(given) or 'none'}")
        has_own = given[0] in ("catalogue", "background")
        if has_own and (self.spectrum is not None or self.free):
            raise ValueError(f"a {given[0]} has its own spectra: remove `spectrum` and `free`")
        if not has_own and self.spectrum is None:
            raise ValueError(f"{given[0]} needs a `spectrum`")
        return self

    @model_validator(mode="after")
    def _check_free(self) -> Self:
        if isinstance(self.spectrum, GaussianLine):
            raise ValueError("spectrum: populations take smooth spectra, no gaussian_line")
        start = {} if self.spectrum is None else self.spectrum.model_dump(mode="json")
        known = sorted(start.keys() - {"model", "norm", "pivot", "rises"})
        for name, (low, high) in self.free.items():
            if name not in known:
                raise ValueError(
                    f"free: the spectrum has no parameter {name!r}; it has {', '.join(known)}"
                )
            value = start[name]
            at = to_value(value, "keV") if isinstance(value, str) else float(value)
            if not low < high:
                raise ValueError(f"free.{name}: [{low:g}, {high:g}] is no range: low < high")
            if not low <= at <= high:
                raise ValueError(
                    f"free.{name}: the spectrum's {at:g} lies outside of [{low:g}, {high:g}]"
                )
        return self

    def paths(self) -> tuple[str, ...]:
        """Files that it is read from."""
        return tuple(one.path for one in (self.template, self.catalogue) if one is not None)


class PosteriorOptions(Section):
    """Draws from the posterior, by importance sampling."""

    draws: Annotated[int, Field(ge=100, le=1_000_000)] = 2000
    """Number of draws."""
    seed: Annotated[int, Field(ge=0)] = 1
    """Seed of the random numbers."""


class PopulationOptions(Section):
    """Which fraction of the events comes from which population."""

    components: Annotated[dict[Name, Population], Field(min_length=2, max_length=50)]
    """Populations by name."""
    alpha: PositiveFloat | dict[Name, PositiveFloat] = 1.0
    """Exponents of the Dirichlet prior of the fractions, one for all or by population (1 for those
    that are not named); 1 is a flat prior."""
    compare: dict[Name, Annotated[tuple[Name, ...], Field(min_length=1)]] = Field(
        default_factory=dict
    )
    """Other models by name, each some of the populations: their evidence is compared."""
    posterior: PosteriorOptions = PosteriorOptions()
    """Draws from the posterior."""
    probabilities: PositiveInt = 100
    """Draws over which the probabilities of each event are averaged."""

    @model_validator(mode="after")
    def _check_names(self) -> Self:
        known = self.components.keys()
        named = {f"compare.{name}": list(some) for name, some in self.compare.items()}
        if isinstance(self.alpha, dict):
            named["alpha"] = list(self.alpha)
        for where, names in named.items():
            for name in names:
                if name not in known:
                    raise ValueError(
                        f"{where}: no population {name!r}; there are {', '.join(known)}"
                    )
            if len(set(names)) < len(names):
                raise ValueError(f"{where}: {', '.join(names)}: name each once")
        if "all" in self.compare:
            raise ValueError("compare: `all` is the model of all populations: take another name")
        return self

    def alphas(self, names: tuple[str, ...]) -> list[float]:
        """Exponents of the prior of some populations."""
        alpha = self.alpha
        return [alpha.get(name, 1.0) if isinstance(alpha, dict) else alpha for name in names]

    def paths(self) -> tuple[str, ...]:
        """Files of all populations, each once."""
        every = [path for one in self.components.values() for path in one.paths()]
        return tuple(dict.fromkeys(every))
