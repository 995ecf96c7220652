"""The whole configuration: simulation, binning of events, analyses."""

from typing import Annotated

from pydantic import Field

from skyquilt.config.analysis import Analysis
from skyquilt.config.base import Name, OutputPath, Section
from skyquilt.config.binning import Binning
from skyquilt.config.simulation import Simulation


class Config(Section):
    """Everything one run makes."""

    results: OutputPath = "results"
    """Folder of the results; each analysis has its own folder in it."""
    cache: OutputPath = "cache"
    """Folder of the contracted response tables, shared by all analyses."""
    simulation: Simulation | None = None
    """Simulated data to make first."""
    binning: dict[Name, Binning] = Field(default_factory=dict)
    """Event files to bin into histograms, by name."""
    analyses: Annotated[dict[Name, Analysis], Field(min_length=1)]
    """Analyses by name; the name is that of the result folder."""
