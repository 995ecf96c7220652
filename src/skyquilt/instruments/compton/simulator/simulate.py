"""All files of a simulated observation."""

import logging
from itertools import pairwise
from pathlib import Path

import numpy as np

from skyquilt.config.simulation import (
    SimulatedEvents,
    SimulatedSource,
    Simulation,
    simulation_files,
)
from skyquilt.config.units import to_value
from skyquilt.errors import ConfigError
from skyquilt.instruments.compton.orientation import get_livetimes
from skyquilt.instruments.compton.simulator.background import (
    background_photons,
    fold,
    galactic_weights,
    local_weights,
)
from skyquilt.instruments.compton.simulator.counts import (
    burst_expectation,
    split_in_time,
)
from skyquilt.instruments.compton.simulator.event_files import event_columns, write_events
from skyquilt.instruments.compton.simulator.events import DrawnEvents, EventSampler
from skyquilt.instruments.compton.simulator.exposure import (
    exposures,
    livetime_within,
    record_factors,
    within,
)
from skyquilt.instruments.compton.simulator.histogram_files import write_counts, write_expectation
from skyquilt.instruments.compton.simulator.instrument import make_instrument
from skyquilt.instruments.compton.simulator.orbit import Orbit, fly, write_orientation
from skyquilt.instruments.compton.simulator.responses import (
    write_detector_response,
    write_point_source_response,
)
from skyquilt.simulate import generator, sample_counts
from skyquilt.simulate.light_curves import check_light_curve
from skyquilt.sky.frames import position_to_vec, rotation
from skyquilt.sky.shapes import is_point, to_nodes
from skyquilt.spectra import integrate

logger = logging.getLogger(__name__)


def simulate(simulation: Simulation, folder: Path | None = None) -> list[Path]:
    """Simulate an observation and write its files.

    Parameters
    ----------
    simulation : Simulation
        Section `simulation` of the configuration.
    folder : Path, optional
        Folder of the files instead of that of the configuration; files of the same names are
        replaced.

    Returns
    -------
    list of Path
        Files written, as `skyquilt.config.simulation.simulation_files` announces them.

    Raises
    ------
    ConfigError
        If a source gives no counts because it is never seen or there is no livetime.
    OutputError
        If a file cannot be written.
    """
    observation = _Observation(simulation, Path(folder or simulation.folder))
    observation.write()
    return list(observation.paths.values())


class _Observation:
    """One simulated observation and its files."""

    def __init__(self, simulation: Simulation, folder: Path):
        self.settings = simulation
        self.paths = {key: folder / name for key, name in simulation_files(simulation).items()}
        self.instrument = make_instrument(simulation.resolution)
        self.orbit = Orbit(simulation.orbit, simulation.start)
        self.orientation = fly(simulation)
        self.nside = simulation.resolution.nside_local
        rate = to_value(simulation.background.rate, "s-1")
        self.photons = background_photons(self.instrument, self.orientation, self.nside, rate)
        for name, source in simulation.sources.items():
            check_light_curve(name, source.light_curve, simulation.observed(name))

    def write(self) -> None:
        write_orientation(self.paths["orientation"], self.orientation)
        expected = {name: self._expect_burst(name) for name in self.settings.bursts}
        expected |= {name: self._expect_steady(name) for name in self.settings.steady}
        for name, expectation in expected.items():
            self._write_source(name, expectation)
        if self.settings.bursts:
            self._write_local_background()
            write_detector_response(self.paths["response"], self.instrument, self.nside)
        if self.settings.steady:
            self._write_galactic_background()
            self._write_point_source_response()
        for name, component in self._components_with_events().items():
            self._write_events(name, component)

    def _rng(self, name: str) -> np.random.Generator:
        """Random numbers of one product: they do not depend on the other products."""
        return generator(self.settings.seed, name)

    def _direction(self, source: SimulatedSource) -> np.ndarray:
        position = source.position
        return position_to_vec(position.lon, position.lat, position.frame, "galactic")

    def _points(self, source: SimulatedSource) -> tuple[np.ndarray, np.ndarray]:
        """Directions that make up a source, and their weights."""
        center, nodes = self._direction(source), to_nodes(source.shape)
        if is_point(source.shape):
            return center[None], nodes.weight
        return nodes.around(center[None], rotation("icrs", "galactic")[:, 2])[0], nodes.weight

    def _photons(self, source: SimulatedSource) -> np.ndarray:
        return integrate(source.spectrum, self.instrument.edges)

    # ---- sources

    def _expect_burst(self, name: str) -> np.ndarray:
        """Expected counts of a burst in the time bins of its interval."""
        source = self.settings.sources[name]
        expectation = burst_expectation(
            self.instrument,
            self.orientation,
            source.interval or self.settings.span,
            self._points(source),
            self._photons(source),
            source.light_curve,
        )
        self._check_seen(name, expectation.sum())
        return expectation

    def _expect_steady(self, name: str) -> np.ndarray:
        """Expected counts of a steady source in one time bin."""
        source = self.settings.sources[name]
        curve, (points, weights) = source.light_curve, self._points(source)
        factors = record_factors(self.orientation, curve, *self.settings.span)
        livetime = self.orientation.livetime * factors
        exposure = weights * exposures(self.orientation, livetime, points)
        self._check_seen(name, exposure.sum())
        image = sum(
            part * self.instrument.images.draw(point)
            for part, point in zip(exposure, points, strict=True)
        )
        return self.instrument.expect(image, self._photons(source))[None]

    def _check_seen(self, name: str, amount: float) -> None:
        if not amount > 0:
            raise ConfigError(
                f"simulation.sources.{name}: no counts are expected: the source is below the "
                "Earth's horizon, or the telescope is in the South Atlantic Anomaly; change its "
                "interval or position, or `simulation.orbit.zenith_ra`."
            )

    def _write_source(self, name: str, expectation: np.ndarray) -> None:
        source = self.settings.sources[name]
        edges = self._time_edges(source.interval) if source.interval else self.settings.span
        frame = "local" if source.interval else "galactic"
        coords, counts = sample_counts(expectation, self._rng(name))
        logger.info("%s: %d counts, %.1f expected", name, counts.sum(), expectation.sum())
        write_counts(self.paths[name], self.instrument, frame, np.array(edges), coords, counts)

    # ---- background

    def _write_local_background(self) -> None:
        """Counts in the spacecraft's frame, finely binned in time within bursts."""
        bursts = list(self.settings.burst_intervals.values())
        spans = list(pairwise(np.unique([*self.settings.span, *np.ravel(bursts)])))
        livetimes = [livetime_within(self.orientation, *span) for span in spans]
        weights = [local_weights(self.orientation, live, self.nside) for live in livetimes]
        images = fold(np.array(weights), self.nside, self.instrument.images)
        rng, edges, coords, counts = self._rng("background"), [spans[0][0]], [], []
        for span, livetime, image in zip(spans, livetimes, images, strict=True):
            is_burst = any(first <= span[0] and span[1] <= last for first, last in bursts)
            bins = self._time_edges(span) if is_burst else np.array(span)
            livetime = np.histogram(self.orientation.time, bins, weights=livetime)[0]
            where, number = self._sample_background(image, livetime, rng)
            where[0] += len(edges) - 1
            coords.append(where)
            counts.append(number)
            edges.extend(bins[1:])
        path, all_coords = self.paths["background"], np.concatenate(coords, axis=1)
        write_counts(
            path, self.instrument, "local", np.array(edges), all_coords, np.concatenate(counts)
        )

    def _sample_background(
        self, image: np.ndarray, livetime: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Counts of one span, spread over its time bins in proportion to their livetime."""
        where, number = sample_counts(self.instrument.expect(image, self.photons), rng)
        if number.size == 0:
            return np.zeros((4, 0), dtype=np.int64), number
        return split_in_time(where, number, livetime, rng)

    def _write_galactic_background(self) -> None:
        """Counts in galactic coordinates, and what was expected as a model without noise."""
        nside, span = self.settings.resolution.nside_sky, self.settings.span
        weights = galactic_weights(self.orientation, get_livetimes(self.orientation), nside)
        # A pixel of another size has another part of the sky's photons.
        weights *= (self.nside / nside) ** 2
        image = fold(weights[None], nside, self.instrument.images)[0]
        expectation = self.instrument.expect(image, self.photons)
        write_expectation(
            self.paths["background_galactic_model"], self.instrument, "galactic", span, expectation
        )
        coords, counts = sample_counts(expectation[None], self._rng("background_galactic"))
        path = self.paths["background_galactic"]
        write_counts(path, self.instrument, "galactic", np.array(span), coords, counts)

    # ---- response, events

    def _write_point_source_response(self) -> None:
        write_point_source_response(
            self.paths["response_galactic"],
            self.instrument,
            self.orientation,
            self.settings.resolution.nside_sky,
            overflow_bins=self.settings.overflow_bins,
        )

    def _components_with_events(self) -> dict[str, SimulatedEvents]:
        return self.settings.events

    def _write_events(self, name: str, settings: SimulatedEvents) -> None:
        rng = self._rng(f"events of {name}")
        columns = event_columns(self._sample_events(name, settings, rng), rng)
        for suffix in settings.formats:
            write_events(self.paths[f"{name}_events.{suffix}"], columns)

    def _sample_events(
        self, name: str, settings: SimulatedEvents, rng: np.random.Generator
    ) -> DrawnEvents:
        source = self.settings.sources.get(name)
        own = source.interval if source else None
        interval = settings.interval or own or self.settings.span
        sampler = EventSampler(self.instrument, self.orbit, self.orientation, interval, rng)
        if source is None:
            return sampler.background(self.photons, self.nside)
        direction, photons = self._direction(source), self._photons(source)
        if is_point(source.shape):
            return sampler.point_source(direction, photons, source.light_curve)
        return sampler.extended_source(direction, source.shape, photons, source.light_curve)

    def _time_edges(self, interval: tuple[float, float]) -> np.ndarray:
        """Stamps of the orientation within an interval, with its ends."""
        time = self.orientation.time
        return np.append(time[within(time, *interval)], interval[1])
