"""The whole configuration: simulation, binning of events, analyses."""

from collections.abc import Mapping
from pathlib import PurePath
from typing import Literal, Self

from pydantic import Field, PrivateAttr, model_validator

from skyquilt.config.analysis import Analysis
from skyquilt.config.base import Name, Section
from skyquilt.config.binning import Binning
from skyquilt.config.paths import OutputPath
from skyquilt.config.showers import Showers
from skyquilt.config.simulation import AnySimulation


class Config(Section):
    """Everything one run makes."""

    results: OutputPath = "results"
    """Folder of the results; each analysis has its own folder in it."""
    cache: OutputPath = "cache"
    """Folder of the contracted response tables, shared by all analyses."""
    simulation: AnySimulation | None = None
    """Simulated data to make first."""
    binning: dict[Name, Binning] = Field(default_factory=dict)
    """Event files to bin into histograms, by name."""
    showers: Showers | None = None
    """Raw files of Cherenkov telescopes to reconstruct."""
    analyses: dict[Name, Analysis] = Field(default_factory=dict)
    """Analyses by name; the name is that of the result folder. There is at least one, unless
    `showers` is all that is asked for."""
    _one_job: frozenset[str] = PrivateAttr(default=frozenset())

    @property
    def one_job(self) -> frozenset[str]:
        """Names of the analyses that the workflow makes in one job each."""
        return self._one_job & self.analyses.keys()

    def set_one_job(self, asked: Mapping[str, bool | Literal["auto"]]) -> None:
        """Say which analyses of a `for_each` are made in one job each.

        Parameters
        ----------
        asked : dict of str to bool or "auto"
            `one_job` of their `for_each`, by the names of the analyses.
        """
        chosen = {
            name: self.analyses[name].is_small if choice == "auto" else choice
            for name, choice in asked.items()
            if name in self.analyses
        }
        self._one_job = frozenset(name for name, is_chosen in chosen.items() if is_chosen)

    @model_validator(mode="after")
    def _check_asked(self) -> Self:
        if not self.analyses and self.showers is None:
            raise ValueError("analyses: none is named: give at least one, as config/demo.yaml does")
        return self

    @model_validator(mode="after")
    def _check_outputs(self) -> Self:
        """A full path is given to a whole folder; single files are written below these."""
        folders = [self.results, self.cache]
        if self.simulation is not None:
            folders.append(self.simulation.folder)
        for name, binning in self.binning.items():
            path = PurePath(binning.output)
            if path.is_absolute() and not any(map(path.is_relative_to, folders)):
                raise ValueError(
                    f"binning.{name}.output: {binning.output!r} is outside the folders that are "
                    "written: give a path in the working folder, or in `results`, `cache` or "
                    "`simulation.folder`"
                )
        return self
