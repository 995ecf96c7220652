"""Simulated skies that tell how far the numbers of an analysis can be trusted."""

from typing import Annotated, Literal

from pydantic import Field, PositiveFloat, PositiveInt

from skyquilt.config.base import Nside, Section

N_AUTO_FLUXES = 6
"""Number of fluxes that `fluxes: auto` stands for."""


class CalibrateOptions(Section):
    """Skies without a source, and skies with one source each."""

    null_skies: Annotated[int, Field(ge=100)] = 1000
    """Skies of background alone; the smallest global p-value they can show is 1 / their number."""
    injections: Annotated[int, Field(ge=20)] = 200
    """Skies with a source, for each flux."""
    fluxes: Annotated[tuple[PositiveFloat, ...], Field(min_length=1)] | Literal["auto"] = "auto"
    """Injected fluxes, multiples of the reference spectrum; auto: five from 3 times the smallest
    error of the flux in the map to 15 times its median, and the best flux of the data or 30
    times the median error, whichever is larger."""
    nside: Nside | None = None
    """Resolution of the maps that are made of each sky; that of the map when left out."""
    detection_ts: PositiveFloat = 25.0
    """A source counts as detected from this TS on."""
    skies_per_job: PositiveInt = 500
    """Skies that one job simulates."""
    seed: Annotated[int, Field(ge=0)] = 1
    """Seed of all random numbers; the same seed gives the same skies, however they are cut."""

    @property
    def n_fluxes(self) -> int:
        """Number of injected fluxes."""
        return N_AUTO_FLUXES if self.fluxes == "auto" else len(self.fluxes)

    def n_skies(self, kind: Literal["null", "injected"]) -> int:
        """Number of skies of a kind."""
        return self.null_skies if kind == "null" else self.injections * self.n_fluxes

    def n_jobs(self, kind: Literal["null", "injected"]) -> int:
        """Number of jobs that simulate the skies of a kind."""
        return -(-self.n_skies(kind) // self.skies_per_job)
