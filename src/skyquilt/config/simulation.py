"""Simulated data of a Compton telescope: `simulation`."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    Discriminator,
    Field,
    FiniteFloat,
    NonNegativeInt,
    PositiveInt,
    Tag,
    model_validator,
)

from skyquilt.config.base import Nside, Quantity, Section
from skyquilt.config.energy import EnergyEdges
from skyquilt.config.imager import SimulatedImager, imager_files
from skyquilt.config.interval import Interval
from skyquilt.config.light_curve import LightCurve
from skyquilt.config.paths import OutputPath
from skyquilt.config.position import Position
from skyquilt.config.shape import AnalyticShape, Point
from skyquilt.config.spectrum import Spectrum
from skyquilt.config.units import to_value

SourceName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=64)]
_OWN_NAMES = ("background", "orientation", "response")


Time = Annotated[str, Quantity("s", is_positive=True)]


class SimulatedResolution(Section):
    """Binning of responses and counts; nside 8, 36 and ten energies is that of COSI's DC2."""

    nside_local: Nside = 8
    """Source direction of the detector response, spacecraft frame."""
    nside_sky: Nside = 8
    """Source direction of the point source response, galactic."""
    nside_psichi: Nside = 4
    """Scattered direction PsiChi."""
    n_phi: PositiveInt = 18
    """Number of equal bins of the Compton angle in 0 to 180 deg."""
    energy_edges: EnergyEdges = (
        "100 keV",
        "158.489 keV",
        "251.189 keV",
        "398.107 keV",
        "630.957 keV",
        "1000 keV",
    )
    """Edges of both the true and the measured energy."""


class SimulatedOrbit(Section):
    """Circular orbit at 550 km; the telescope points to the zenith and rocks north and south."""

    inclination: Annotated[float, Field(ge=0, le=90)] = 5.0
    """Angle between the orbit and the equator [deg]."""
    zenith_ra: FiniteFloat = 0.0
    """Right ascension of the zenith at the start, as seen along the equator [deg]."""
    rocking: Annotated[float, Field(ge=0, le=60)] = 22.0
    """Greatest angle between telescope axis and zenith [deg]; a slew goes from side to side."""
    step: Time = "15 s"
    """Spacing of the orientation records."""
    burst_step: Time = "1 s"
    """Spacing of the orientation records, and of time bins, in the intervals of bursts."""


class SimulatedEvents(Section):
    """Unbinned events of one component."""

    formats: Annotated[tuple[Literal["fits.gz", "hdf5"], ...], Field(min_length=1)] = ("fits.gz",)
    """Files to write; all hold the same events."""
    interval: Interval | None = None
    """Time interval [UNIX s]; the whole interval of the component when left out."""


class SimulatedSource(Section):
    """A source: a burst if it has an interval, else steady."""

    position: Position
    """True position."""
    spectrum: Spectrum
    """True spectrum."""
    interval: Interval | None = None
    """Interval of a burst [UNIX s]. Bursts are binned in the spacecraft frame, others, which shine
    all the time, in galactic coordinates."""
    shape: AnalyticShape = Point(model="point")
    """True shape."""
    light_curve: LightCurve | None = None
    """Factor on the spectrum as a function of time; 1 when left out."""
    events: SimulatedEvents | None = None
    """Unbinned events to write as well."""


class SimulatedBackground(Section):
    """Photons of the sky and of the Earth's albedo."""

    rate: Annotated[str, Quantity("s-1", is_positive=True)] = "25 s-1"
    """Mean count rate per livetime, all energies."""
    events: SimulatedEvents | None = None
    """Unbinned events to write as well."""


class Simulation(Section):
    """Simulated observation: responses, orientation, background and sources."""

    instrument: Literal["compton"] = "compton"
    """Kind of instrument."""
    seed: NonNegativeInt = 1
    """Seed of all random numbers; the same seed gives the same files."""
    folder: OutputPath = "data"
    """Folder of the files."""
    start: FiniteFloat = 1835478000.0
    """Start of the observation [UNIX s]."""
    duration: Time = "5 d"
    """Length of the observation."""
    resolution: SimulatedResolution = SimulatedResolution()
    """Binning."""
    orbit: SimulatedOrbit = SimulatedOrbit()
    """Orbit and pointing."""
    background: SimulatedBackground = SimulatedBackground()
    """Background."""
    sources: Annotated[dict[SourceName, SimulatedSource], Field(min_length=1)]
    """Sources by name; the name is that of the file."""
    overflow_bins: bool = False
    """Write the point source response with under- and overflow bins, as cosipy 0.3 reads it."""

    @property
    def span(self) -> tuple[float, float]:
        """Start and end [UNIX s]."""
        return self.start, self.start + to_value(self.duration, "s")

    def observed(self, source: str) -> tuple[tuple[float, float], ...]:
        """Times in which a source is observed [UNIX s]: its interval, or all of the time."""
        return (self.sources[source].interval or self.span,)

    def paths(self) -> tuple[str, ...]:
        """Files that are read: none."""
        return ()

    @property
    def bursts(self) -> dict[str, SimulatedSource]:
        """Sources with an interval; they need the files of the spacecraft frame."""
        return {name: source for name, source in self.sources.items() if source.interval}

    @property
    def burst_intervals(self) -> dict[str, tuple[float, float]]:
        """Intervals of the bursts [UNIX s]."""
        named = {name: source.interval for name, source in self.sources.items()}
        return {name: interval for name, interval in named.items() if interval is not None}

    @property
    def steady(self) -> dict[str, SimulatedSource]:
        """Sources without an interval; they need the files of the galactic frame."""
        return {name: source for name, source in self.sources.items() if not source.interval}

    @property
    def events(self) -> dict[str, SimulatedEvents]:
        """Unbinned events to write, by the name of their component."""
        of_sources = {name: source.events for name, source in self.sources.items()}
        asked = {"background": self.background.events, **of_sources}
        return {name: events for name, events in asked.items() if events is not None}

    @model_validator(mode="after")
    def _check_names(self) -> Self:
        for name in self.sources:
            if name.startswith(_OWN_NAMES):
                raise ValueError(
                    f"source {name!r}: names that begin with {', '.join(_OWN_NAMES)} are those of "
                    "other files: choose another name"
                )
        return self

    @model_validator(mode="after")
    def _check_intervals(self) -> Self:
        start, stop = self.span
        events = [(f"events of {name}", item.events, item) for name, item in self.sources.items()]
        given = {f"sources.{name}": item.interval for name, item in self.sources.items()}
        given |= {key: item.interval for key, item, _ in events if item}
        if self.background.events:
            given["events of background"] = self.background.events.interval
        for key, interval in given.items():
            if interval is not None and not start <= interval[0] < interval[1] <= stop:
                raise ValueError(
                    f"{key}: interval {list(interval)} is not within the observation, "
                    f"{start:.6f} to {stop:.6f} s: change interval, start or duration"
                )
        return self


def _kind(settings: Any) -> str:
    """Instrument of a section `simulation`."""
    if isinstance(settings, dict):
        return settings.get("instrument", "compton")
    return getattr(settings, "instrument", "compton")


AnySimulation = Annotated[
    Annotated[Simulation, Tag("compton")] | Annotated[SimulatedImager, Tag("imaging")],
    Discriminator(
        _kind,
        custom_error_type="simulation",
        custom_error_message="`instrument` is compton or imaging",
    ),
]


def simulation_files(simulation: Simulation | SimulatedImager) -> dict[str, Path]:
    """Files that `skyquilt simulate` writes, by what they hold, in the order of writing.

    Parameters
    ----------
    simulation : Simulation or SimulatedImager
        Section `simulation`.

    Returns
    -------
    dict of str to Path
        File names, relative to the folder of the simulation.
    """
    if isinstance(simulation, SimulatedImager):
        return imager_files(simulation)
    names = {"orientation": "orientation.ori"}
    if simulation.bursts:
        names |= {"response": "response.h5", "background": "background.h5"}
    if simulation.steady:
        names |= {
            "response_galactic": "response_galactic.h5",
            "background_galactic": "background_galactic.h5",
            "background_galactic_model": "background_galactic_model.h5",
        }
    names |= {name: f"{name}.h5" for name in simulation.sources}
    for name, events in simulation.events.items():
        for suffix in events.formats:
            names[f"{name}_events.{suffix}"] = f"{name}_events.{suffix}"
    return {key: Path(name) for key, name in names.items()}
