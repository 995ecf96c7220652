"""A run from raw samples to showers: charges, images, parameters, directions."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from skyquilt.config.showers import ShowerRuns
from skyquilt.errors import ConfigError, InputError
from skyquilt.showers.cameras import Camera, Cameras
from skyquilt.showers.extractors import window_corrections
from skyquilt.showers.images import (
    PARAMETERS,
    Cuts,
    Extraction,
    clean_images,
    describe_images,
)
from skyquilt.showers.options import choose_telescopes, window_of
from skyquilt.showers.simtel import Event, RawImage, Reader, Run
from skyquilt.showers.stereo import (
    Showers,
    StereoImages,
    impact_distances,
    reconstruct_showers,
)

_COLUMN = {name: number for number, name in enumerate(PARAMETERS)}
_N_OF_TIMES = ("timing_", "peak_time_")


@dataclass(frozen=True)
class PixelImages:
    """Pixels of all images, one image after the other.

    Attributes
    ----------
    indptr : ndarray of int64
        Pixels of image i are those from ``indptr[i]`` to ``indptr[i + 1]``.
    charge, time : ndarray of float32
        Charges [p.e.] and times [ns].
    mask : ndarray of uint8
        1 where a pixel is kept.
    """

    indptr: np.ndarray
    charge: np.ndarray
    time: np.ndarray
    mask: np.ndarray


@dataclass(frozen=True)
class ReconstructedRun:
    """What a run gives.

    Attributes
    ----------
    obs_id : int
        Number of the run.
    events : dict of str to ndarray
        A value per event, by the names of `EVENT_COLUMNS`.
    images : dict of str to ndarray
        A value per image, by the names of `IMAGE_COLUMNS`, images of an event together.
    pixels : PixelImages or None
        The images themselves, if they are kept.
    run : Run
        What was read: telescopes, settings of the simulation, losses.
    n_not_chosen : int
        Events without an image of the telescopes that are used.
    """

    obs_id: int
    events: dict[str, np.ndarray]
    images: dict[str, np.ndarray]
    pixels: PixelImages | None
    run: Run
    n_not_chosen: int = 0


EVENT_COLUMNS = {
    "event_id": ("", "number of the event"),
    "time_s": ("s", "when it was, UNIX time"),
    "time_ns": ("ns", "nanoseconds after that"),
    "n_images": ("", "images of telescopes that were part of the trigger"),
    "n_telescopes": ("", "images that made the shower"),
    "alt": ("rad", "altitude it comes from"),
    "az": ("rad", "azimuth it comes from, north over east"),
    "direction_error": ("rad", "mean angle between the direction and the crossings of pairs"),
    "core_x": ("m", "where its axis meets the ground, towards north"),
    "core_y": ("m", "where its axis meets the ground, towards west"),
    "core_tilted_x": ("m", "the same across the pointing of the array"),
    "core_tilted_y": ("m", "the same across the pointing of the array"),
    "h_max": ("m", "height of the maximum above sea level"),
    "average_intensity": ("p.e.", "mean charge of the images that made it"),
    "true_energy": ("TeV", "simulated energy"),
    "true_alt": ("rad", "simulated altitude"),
    "true_az": ("rad", "simulated azimuth"),
    "true_core_x": ("m", "simulated core, towards north"),
    "true_core_y": ("m", "simulated core, towards west"),
    "true_h_first_int": ("m", "height of the first interaction"),
    "true_x_max": ("g cm-2", "depth of the maximum"),
    "true_primary_id": ("", "what was simulated: 0 gamma, 101 proton, ..."),
}
"""Columns of events: unit and description."""

IMAGE_COLUMNS = {
    "event": ("", "row of its event"),
    "tel_id": ("", "number of the telescope"),
    "telescope_alt": ("rad", "altitude the telescope looked at"),
    "telescope_az": ("rad", "azimuth the telescope looked at"),
    "in_shower": ("", "1 if it made the shower"),
    "impact_distance": ("m", "from the telescope to the axis of the shower"),
    "true_impact_distance": ("m", "from the telescope to the axis that was simulated"),
    "core_psi": ("rad", "angle in the field of the array"),
    **{name: (unit, "as ctapipe has it") for name, unit in PARAMETERS.items()},
    **{
        f"true_{name}": (unit, "of the image without noise")
        for name, unit in PARAMETERS.items()
        if not name.startswith(_N_OF_TIMES)
    },
}
"""Columns of images: unit and description."""


def reconstruct_run(path: str | Path, runs: ShowerRuns) -> ReconstructedRun:
    """Reconstruct a run.

    Parameters
    ----------
    path : str or Path
        File of the run.
    runs : ShowerRuns
        How it is done.

    Raises
    ------
    InputError
        If the file is damaged, or cut and that is refused.
    ConfigError
        If a pattern of telescopes does not fit the run.
    """
    reader = Reader(path, keep_cut=runs.truncated == "keep")
    with _in_file(reader.run.path):
        cuts = choose_telescopes(runs, reader.run.telescopes.values())
    making = _Making(reader, runs, cuts, Cameras(runs.focal_length))
    for event in reader.events():
        making.add(event)
    return making.finish()


def count_telescopes(path: str | Path, runs: ShowerRuns) -> tuple[int, int]:
    """Telescopes that are used, and all of them, by the header of a run.

    Raises
    ------
    InputError, ConfigError
        As `reconstruct_run`.
    """
    run = Reader(path, keep_cut=runs.truncated == "keep").run
    with _in_file(run.path):
        return len(choose_telescopes(runs, run.telescopes.values())), len(run.telescopes)


@contextmanager
def _in_file(path: Path) -> Iterator[None]:
    """Put the file before what is said of its telescopes."""
    try:
        yield
    except (ConfigError, InputError) as error:
        raise type(error)(f"{path}: {error}") from error


@dataclass
class _Making:
    """Rows of events and images, as they come."""

    reader: Reader
    runs: ShowerRuns
    cuts: Mapping[int, Cuts]
    known: Cameras
    events: list[dict[str, float]] = field(default_factory=list)
    images: list[tuple[float, ...]] = field(default_factory=list)
    parameters: list[np.ndarray] = field(default_factory=list)
    true_parameters: list[np.ndarray] = field(default_factory=list)
    kept: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = field(default_factory=list)
    cameras: dict[int, Camera] = field(default_factory=dict)
    extractions: dict[int, Extraction] = field(default_factory=dict)
    n_not_chosen: int = 0

    def add(self, event: Event) -> None:
        """Add an event with its images."""
        images = [image for image in event.images if image.tel_id in self.cuts]
        if not images:
            self.n_not_chosen += 1
            return
        row: dict[str, float] = {"event_id": event.event_id, "n_images": len(images)}
        row |= {"time_s": event.time[0], "time_ns": event.time[1]}
        row |= {f"true_{name}": value for name, value in event.shower.items()}
        for image in images:
            self._add_image(event.event_id, image)
            self.images.append((len(self.events), image.tel_id, *image.pointing))
        self.events.append(row)

    def _add_image(self, event_id: int, raw: RawImage) -> None:
        extraction = self._extraction(raw.tel_id)
        pixels, options = extraction.pixels, self.runs.parameters
        found = extraction.extract(raw.samples[np.newaxis])
        mask = clean_images(pixels, found.charge, self.cuts[raw.tel_id])
        self.parameters.append(
            describe_images(
                *(pixels, found.charge, mask),
                time=found.time,
                seeds=_seed(self.reader.run.obs_id, event_id, raw.tel_id),
                n_start=options.time_line_starts,
                min_pixels=options.min_pixels,
            )[0]
        )
        self.true_parameters.append(self._true_parameters(pixels, raw.true_image))
        if self.runs.keep.images:
            self.kept.append((found.charge[0], found.time[0], mask[0]))

    def _true_parameters(self, pixels: Any, image: np.ndarray | None) -> np.ndarray:
        if image is None or not self.runs.parameters.true_images:
            return np.full(len(PARAMETERS), np.nan)
        charge = np.ascontiguousarray(image[np.newaxis], dtype=np.float32)
        mask = (charge > 0).astype(np.uint8)
        return describe_images(pixels, charge, mask, min_pixels=self.runs.parameters.min_pixels)[0]

    def _extraction(self, number: int) -> Extraction:
        """What makes charges of a telescope; made again when its calibration changes."""
        calibration, known = self.reader.calibration(number), self.extractions.get(number)
        if known is not None and known.calibration is calibration:
            return known
        telescope, calibrate = self.reader.run.telescopes[number], self.runs.calibrate
        with _in_file(self.reader.run.path):
            camera = self.cameras[number] = self.known.find(telescope)
        correction = np.ones(len(telescope.pulse.shape))
        if calibrate.extractor != "full":
            correction = window_corrections(
                telescope.pulse, telescope.sample, calibrate.width, calibrate.shift
            )
        made = Extraction(
            *(camera.pixels, calibration, window_of(self.runs), correction),
            rate=1 / telescope.sample,
            n_sample=telescope.n_sample,
        )
        self.extractions[number] = made
        return made

    def finish(self) -> ReconstructedRun:
        """Showers of all events, and the tables."""
        n_event, n_image = len(self.events), len(self.images)
        events = {
            name: np.array([row.get(name, np.nan) for row in self.events], dtype=float)
            for name in EVENT_COLUMNS
        }
        images = {name: np.full(n_image, np.nan) for name in IMAGE_COLUMNS}
        for name, values in zip(
            ("event", "tel_id", "telescope_alt", "telescope_az"),
            np.array(self.images, dtype=float).reshape(n_image, 4).T,
            strict=True,
        ):
            images[name] = values
        for prefix, rows in (("", self.parameters), ("true_", self.true_parameters)):
            for name, values in zip(
                PARAMETERS, np.array(rows).reshape(n_image, len(PARAMETERS)).T, strict=True
            ):
                if prefix + name in images:
                    images[prefix + name] = values
        if n_event:
            self._add_showers(events, images)
        self._add_impact(events, images, "true_")
        for table, integers in (
            (events, ("event_id", "time_s", "time_ns", "n_images", "true_primary_id")),
            (images, ("event", "tel_id")),
        ):
            for name in integers:
                table[name] = table[name].astype(np.int64)
        return ReconstructedRun(
            self.reader.run.obs_id,
            events,
            images,
            self._pixels(),
            self.reader.run,
            self.n_not_chosen,
        )

    def _add_showers(self, events: dict[str, np.ndarray], images: dict[str, np.ndarray]) -> None:
        is_used = self._is_used(images)
        event = images["event"].astype(np.int64)
        n_used = np.bincount(event, is_used, len(self.events)).astype(np.int64)
        has_shower = n_used >= self.runs.stereo.min_telescopes
        is_used &= has_shower[event]
        n_used = np.where(has_shower, n_used, 0)
        events["n_telescopes"] = n_used
        images["in_shower"] = is_used.astype(np.uint8)
        events["average_intensity"] = np.divide(
            np.bincount(event[is_used], images["hillas_intensity"][is_used], n_used.size),
            n_used,
            out=np.full(n_used.size, np.nan),
            where=has_shower,
        )
        if not np.any(has_shower):
            return
        found = self._showers(images, is_used, n_used[has_shower])
        altitude = self.reader.run.location.get(
            "altitude", float(self.reader.run.simulated.get("obsheight", np.nan))
        )
        for name, values in {
            "alt": found.alt,
            "az": found.az,
            "direction_error": found.error,
            "core_x": found.core_x,
            "core_y": found.core_y,
            "core_tilted_x": found.tilted_x,
            "core_tilted_y": found.tilted_y,
            "h_max": found.height + altitude,
        }.items():
            events[name][has_shower] = values
        images["core_psi"][is_used] = found.psi
        self._add_impact(events, images, "")

    def _is_used(self, images: dict[str, np.ndarray]) -> np.ndarray:
        stereo = self.runs.stereo
        return (
            (images["hillas_intensity"] > stereo.min_intensity)
            & (images["morphology_n_pixels"] >= stereo.min_pixels)
            & (images["hillas_width"] > 0)
        )

    def _showers(
        self, images: dict[str, np.ndarray], is_used: np.ndarray, n_used: np.ndarray
    ) -> Showers:
        telescopes = self.reader.run.telescopes
        numbers = images["tel_id"][is_used].astype(int)
        lon, lat, psi = (
            np.deg2rad(images[f"hillas_{name}"][is_used]) for name in ("fov_lon", "fov_lat", "psi")
        )
        length, width = images["hillas_length"][is_used], images["hillas_width"][is_used]
        pointing = np.stack([images["telescope_alt"], images["telescope_az"]], axis=-1)
        return reconstruct_showers(
            np.concatenate([[0], np.cumsum(n_used)]),
            StereoImages(
                lon,
                lat,
                psi,
                radius=np.array([self.cameras[number].radius for number in numbers]),
                weight=images["hillas_intensity"][is_used] * length / width,
                pointing=np.ascontiguousarray(pointing[is_used]),
                position=np.array([telescopes[number].position for number in numbers]),
            ),
            np.tile(self.reader.run.array_pointing, (n_used.size, 1)),
        )

    def _add_impact(
        self, events: dict[str, np.ndarray], images: dict[str, np.ndarray], prefix: str
    ) -> None:
        """Distances from the axis of the shower, or of that which was simulated."""
        telescopes = self.reader.run.telescopes
        if not images["tel_id"].size:
            return
        row = images["event"].astype(np.int64)
        core = np.stack([events[f"{prefix}core_x"], events[f"{prefix}core_y"]], axis=-1)
        images[f"{prefix}impact_distance"] = impact_distances(
            np.array([telescopes[int(number)].position for number in images["tel_id"]]),
            *(core[row], events[f"{prefix}alt"][row], events[f"{prefix}az"][row]),
        )

    def _pixels(self) -> PixelImages | None:
        if not self.runs.keep.images:
            return None
        sizes = [charge.size for charge, _, _ in self.kept]
        empty = np.empty(0, dtype=np.float32)
        charge, time, mask = (
            np.concatenate([one[part] for one in self.kept] or [empty]) for part in range(3)
        )
        indptr = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])
        return PixelImages(indptr, charge, time, mask.astype(np.uint8))


def _seed(obs_id: int, event_id: int, tel_id: int) -> np.ndarray:
    """A number for an image, whatever is read before it."""
    return np.array([(obs_id << 42) ^ (event_id << 10) ^ tel_id]).astype(np.int64)
