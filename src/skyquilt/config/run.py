"""The whole configuration: simulation, binning of events, analyses."""

from pathlib import PurePath
from typing import Annotated, Self

from pydantic import Field, model_validator

from skyquilt.config.analysis import Analysis
from skyquilt.config.base import Name, Section
from skyquilt.config.binning import Binning
from skyquilt.config.paths import OutputPath
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
    analyses: Annotated[dict[Name, Analysis], Field(min_length=1)]
    """Analyses by name; the name is that of the result folder."""

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
