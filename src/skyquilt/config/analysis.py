"""One analysis: data, energies, spectrum, map, fit, localisation, plots."""

from itertools import combinations
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from skyquilt.config.base import Energy, Name, Section
from skyquilt.config.calibrate import CalibrateOptions
from skyquilt.config.data import ComptonData
from skyquilt.config.dataset import Dataset
from skyquilt.config.dl3 import Dl3Data
from skyquilt.config.energy import EnergySelection
from skyquilt.config.fit import FitOptions
from skyquilt.config.for_each import ForEach
from skyquilt.config.imaging import ImagingData
from skyquilt.config.imaging_file import ImagingFile
from skyquilt.config.instrument_analysis import (
    AnyAnalysis,
    ComptonAnalysis,
    Dl3Analysis,
    ImagingAnalysis,
    ImagingFileAnalysis,
)
from skyquilt.config.localise import LocaliseOptions
from skyquilt.config.map import MapGrid
from skyquilt.config.measurement import Data, Instrument
from skyquilt.config.model import ModelOptions, check_backgrounds
from skyquilt.config.plots import PlotOptions
from skyquilt.config.populations import PopulationOptions, check_energies
from skyquilt.config.refine import RefineOptions
from skyquilt.config.shape import BrightnessMap, Point, Shape
from skyquilt.config.sources import SourceOptions
from skyquilt.config.spectrum import Spectrum
from skyquilt.config.targets import Factor, TargetOptions

_SMALL_NSIDE = 64


class Analysis(Section):
    """One TS and flux map, its regions and plots; written to `results/{name}/`."""

    instrument: Instrument = "compton"
    """Kind of instrument; it decides what `data` holds."""
    data: Data | None = None
    """The measurement; needed, but for `datasets`."""
    energy: EnergySelection = EnergySelection()
    """Measured energies that enter the likelihood."""
    datasets: Annotated[dict[Name, Dataset], Field(min_length=1)] | None = None
    """Several data sets by name, with one common flux; `instrument`, `data` and `energy` then stand
    in each of them."""
    spectrum: Spectrum | None = None
    """Spectrum of the source; the fitted flux is a multiple of it."""
    spectra: Annotated[dict[Name, Spectrum], Field(min_length=2, max_length=100)] | None = None
    """Several spectra by name instead of `spectrum`: each pixel takes the one of largest TS."""
    shape: Shape = Point(model="point")
    """Shape of the source on the sky; the flux is that of the whole, the position that of its
    centre."""
    flux_range: Annotated[tuple[Energy, Energy], AfterValidator(check_energies)] | None = None
    """Energies [low, high] in which photon fluxes are told; the measured ones when left out."""
    map: MapGrid = MapGrid()
    """Pixels to fit."""
    fit: FitOptions = FitOptions()
    """How to fit them."""
    refine: RefineOptions = RefineOptions()
    """How the map is made finer where the source may be."""
    localise: LocaliseOptions = LocaliseOptions()
    """Containment levels, and the true position if it is known."""
    calibrate: CalibrateOptions | None = None
    """Simulated skies; none are made when left out."""
    sources: SourceOptions | None = None
    """Search for sources; none when left out."""
    model: ModelOptions | None = None
    """What the sources do: linked parameters over time bins and data sets; none when left out."""
    targets: TargetOptions | None = None
    """Spectra of a list of targets; none when left out."""
    populations: PopulationOptions | None = None
    """Which fraction of the events comes from which population; none when left out."""
    plots: PlotOptions = PlotOptions()
    """Look of the figures."""
    for_each: Annotated[ForEach | None, Field(exclude=True)] = None
    """Repeats this analysis over the rows of a table, lists or files; nothing is left of it after
    a configuration is read."""

    @model_validator(mode="after")
    def _check_datasets(self):
        if self.datasets is None:
            if self.data is None:
                raise ValueError("give `data`, or `datasets` with a `data` for each")
            return self
        for name in ("instrument", "data", "energy"):
            if getattr(self, name) != type(self).model_fields[name].default:
                raise ValueError(f"`{name}` stands beside `datasets`: move it into each data set")
        for (name, dataset), (other_name, other) in combinations(self.datasets.items(), 2):
            if path := dataset.overlap(other):
                raise ValueError(
                    f"datasets {name} and {other_name} both take the counts of {path}, which would "
                    f"count twice: give them {dataset.data.disjoint_by} that do not overlap"
                )
        return self

    @model_validator(mode="after")
    def _check_sources(self):
        if self.sources is None:
            return self
        if self.spectra is not None:
            raise ValueError("`sources` needs one `spectrum`: it cannot stand beside `spectra`")
        if self.fit.background == "free":
            raise ValueError("`sources` needs `fit: {background: fixed}`")
        return self

    @model_validator(mode="after")
    def _check_targets(self):
        targets = self.targets
        if targets is None:
            return self
        if self.spectra is not None:
            raise ValueError("`targets` needs one `spectrum`: it cannot stand beside `spectra`")
        if self.datasets is not None:
            raise ValueError("`targets` takes one data set, `data`: it cannot stand beside others")
        if targets.neighbours == "sources" and self.sources is None:
            raise ValueError(
                "targets.neighbours: sources: there is no section `sources`; add one, or give a "
                "table as {path: ...}, or none"
            )
        if not isinstance(targets.background, Factor):
            known = tuple(self.data.backgrounds()) if self.data is not None else ()
            for name in targets.background:
                if name not in known:
                    raise ValueError(
                        f"targets.background: no component {name!r}; the data have "
                        f"{', '.join(filter(None, known)) or 'one without a name'}"
                    )
        return self

    @model_validator(mode="after")
    def _check_populations(self):
        if self.populations is None:
            return self
        if self.datasets is not None:
            raise ValueError(
                "`populations` takes one data set, `data`: it cannot stand beside others"
            )
        if not isinstance(self.data, ImagingData) or self.data.events is None:
            raise ValueError(
                "`populations` needs photons one by one: `instrument: imaging` with "
                "`data: {events: ...}`"
            )
        known = tuple(self.data.backgrounds())
        for name, one in self.populations.components.items():
            if isinstance(one.background, str) and one.background not in known:
                raise ValueError(
                    f"populations.components.{name}.background: no component {one.background!r}; "
                    f"the data have {', '.join(filter(None, known)) or 'one without a name: true'}"
                )
        return self

    @model_validator(mode="after")
    def _check_spectra(self):
        if self.spectrum is not None and self.spectra is not None:
            raise ValueError("give `spectrum`, or several as `spectra`, and not both")
        if self.has_map:
            return self
        if self.model is None and self.populations is None:
            raise ValueError(
                "give `spectrum`, or several as `spectra`; or a `model` or `populations` without a "
                "map"
            )
        for name in ("sources", "calibrate", "targets"):
            if getattr(self, name) is not None:
                raise ValueError(f"`{name}` is of a map, which needs a `spectrum`: give both")
        for name, source in (self.model.sources if self.model else {}).items():
            if source.position.start == "best":
                raise ValueError(
                    f"model.sources.{name}.position: `start: best` is that of a map, which needs a "
                    "`spectrum`: give both, or lon, lat and frame"
                )
        return self

    @model_validator(mode="after")
    def _check_model(self):
        if self.model is not None:
            datasets = self.all_datasets()
            components = {name: tuple(one.data.backgrounds()) for name, one in datasets.items()}
            check_backgrounds(self.model, components)
        return self

    @property
    def is_small(self) -> bool:
        """Whether one process makes it in seconds: a coarse map without simulated skies."""
        is_coarse = self.has_map and self.map.nside <= _SMALL_NSIDE
        return is_coarse and self.calibrate is None and self.model is None

    @property
    def has_map(self) -> bool:
        """Whether a map is asked for: it needs a spectrum."""
        return self.spectrum is not None or self.spectra is not None

    def all_spectra(self) -> dict[str, Spectrum]:
        """Spectra by name; without `spectra` the one, by ""."""
        if self.spectra is not None:
            return dict(self.spectra)
        return {} if self.spectrum is None else {"": self.spectrum}

    def all_datasets(self) -> dict[str, Dataset]:
        """Data sets by name; without `datasets` the one, by ""."""
        if self.datasets is not None:
            return dict(self.datasets)
        if self.data is None:
            return {}
        return {"": Dataset(instrument=self.instrument, data=self.data, energy=self.energy)}

    def ask(self, dataset: Dataset, spectrum: Spectrum) -> AnyAnalysis:
        """What the instrument of one data set is asked under one spectrum."""
        asked = (dataset.energy, spectrum, self.shape, self.fit)
        match dataset.data:
            case ComptonData():
                return ComptonAnalysis(dataset.data, *asked)
            case ImagingData():
                return ImagingAnalysis(dataset.data, *asked)
            case ImagingFile():
                return ImagingFileAnalysis(dataset.data, *asked)
            case Dl3Data():
                return Dl3Analysis(dataset.data, *asked)

    def contracted(self) -> dict[str, dict[str, ComptonAnalysis]]:
        """Of each data set whose response is contracted with spectra, what is asked, by spectrum.

        Other data sets are left out.
        """
        found: dict[str, dict[str, ComptonAnalysis]] = {}
        for name, dataset in self.all_datasets().items():
            asked = {key: self.ask(dataset, one) for key, one in self.all_spectra().items()}
            found[name] = {
                key: one for key, one in asked.items() if isinstance(one, ComptonAnalysis)
            }
        return {name: asked for name, asked in found.items() if asked}

    def responses(self) -> tuple[str, ...]:
        """Responses that are contracted with spectra, one for each data set."""
        datasets = self.all_datasets().values()
        return tuple(one.data.response for one in datasets if isinstance(one.data, ComptonData))

    def paths(self) -> tuple[str, ...]:
        """All files that the data and the shape are read from, each once."""
        paths = [path for one in self.all_datasets().values() for path in one.data.paths()]
        if isinstance(self.shape, BrightnessMap):
            paths.append(self.shape.path)
        return tuple(dict.fromkeys(paths))
