"""Runs of sim_telarray: what was simulated, the telescopes, and the events one by one."""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from skyquilt.errors import InputError
from skyquilt.showers.container import Loss, check_eventio, read_objects
from skyquilt.showers.extractors import Pulse
from skyquilt.showers.images import MAX_SAMPLES, Calibration, decode_samples

_DESCRIPTIONS = (2002, 2003, 2004, 2005)
"""Objects that describe a telescope: its camera, its electronics, its readout, broken pixels."""

_SAMPLE_HEADER = struct.Struct("<ihh")  # pixels, gains, samples
_MST_DIAMETER, _LST_DIAMETER = 8, 16  # smallest diameters of mirrors, by ctapipe's convention [m]
_MAX_ALT = (1 + 1e-6) * np.pi / 2  # 90 deg in float32 is above it in float64


@dataclass(frozen=True)
class Telescope:
    """A telescope of a run.

    Attributes
    ----------
    tel_id : int
        Its number.
    camera : str
        Name of the camera, "" if the file does not say.
    optics : str
        Name of the optics, "" if the file does not say.
    position : ndarray
        Where it stands: north, west, up [m], shape (3,).
    settings : dict
        Description of the camera as eventio has it: pixel positions, areas, shape, rotation,
        focal lengths.
    pulse : Pulse
        Reference pulse.
    sample : float
        Length of a sample [ns].
    n_sample : int
        Samples of a trace.
    broken : ndarray of uint8
        1 where a pixel has no high voltage, shape (n_pixel,).
    """

    tel_id: int
    camera: str
    optics: str
    position: np.ndarray
    settings: dict[str, Any]
    pulse: Pulse
    sample: float
    n_sample: int
    broken: np.ndarray

    @property
    def names(self) -> tuple[str, ...]:
        """What patterns of telescopes are compared with: camera, optics, type, all of them."""
        diameter = 2 * np.sqrt(float(self.settings["mirror_area"]) / np.pi)
        kind = "SST" if diameter < _MST_DIAMETER else "MST" if diameter < _LST_DIAMETER else "LST"
        parts = [name for name in (self.camera, self.optics, kind) if name]
        return (*parts, "_".join(reversed(parts)))

    def focal_length(self, kind: str) -> float | None:
        """Focal length [m] of a kind, "effective" or "nominal"; None if the file has none."""
        key = "effective_focal_length" if kind == "effective" else "focal_length"
        value = self.settings.get(key)
        return None if value is None or not np.isfinite(value) or value <= 0 else float(value)


@dataclass(frozen=True)
class RawImage:
    """What a telescope has recorded of an event.

    Attributes
    ----------
    tel_id : int
        The telescope.
    samples : ndarray of uint16
        Raw samples, shape (n_gain, n_pixel, n_sample).
    pointing : tuple of float
        Altitude and azimuth [rad].
    true_image : ndarray or None
        Photo-electrons of each pixel, if the file has them.
    """

    tel_id: int
    samples: np.ndarray
    pointing: tuple[float, float]
    true_image: np.ndarray | None


@dataclass(frozen=True)
class Event:
    """An event of an array.

    Attributes
    ----------
    event_id : int
        Its number in the run.
    time : tuple of int
        When it was: seconds (UNIX) and nanoseconds.
    shower : dict
        What was simulated: energy [TeV], alt, az [rad], core_x, core_y, h_first_int [m],
        x_max [g cm-2], primary_id.
    images : tuple of RawImage
        Of the telescopes that were part of the trigger.
    """

    event_id: int
    time: tuple[int, int]
    shower: dict[str, float]
    images: tuple[RawImage, ...]


@dataclass
class Run:
    """A run, whose events are read one by one.

    Attributes
    ----------
    path : Path
        The file.
    header : dict
        Of the run, as eventio has it: number, direction of the array, ...
    simulated : dict
        Settings of the simulation, as eventio has them: showers thrown, energies, cone, ...
    telescopes : dict of int to Telescope
        By number.
    location : dict of str to float
        Latitude, longitude [deg] and altitude [m] of the array, those that the file has.
    calibrations : dict of int to Calibration
        By number of the telescope; those in force for the event that was read last.
    loss : list of Loss
        What was missing at the end, if that is allowed.
    n_without_data : int
        Events without an image so far.
    n_without_shower : int
        Events so far that are of no simulated shower, as of calibration light; they are left out.
    n_untriggered : int
        Images so far that were left out: of telescopes that were not part of the trigger.
    """

    path: Path
    header: dict[str, Any] = field(default_factory=dict)
    simulated: dict[str, Any] = field(default_factory=dict)
    telescopes: dict[int, Telescope] = field(default_factory=dict)
    location: dict[str, float] = field(default_factory=dict)
    calibrations: dict[int, Calibration] = field(default_factory=dict)
    loss: list[Loss] = field(default_factory=list)
    n_without_data: int = 0
    n_without_shower: int = 0
    n_untriggered: int = 0

    @property
    def obs_id(self) -> int:
        """Number of the run."""
        return int(self.header["run"])

    @property
    def array_pointing(self) -> tuple[float, float]:
        """Altitude and azimuth of the array [rad]."""
        azimuth, altitude = self.header["direction"]
        return _clip(float(altitude)), float(azimuth)


def _clip(altitude: float) -> float:
    """Altitude, at most 90 deg where float32 has made it a little more."""
    return float(np.clip(altitude, -np.pi / 2, np.pi / 2)) if abs(altitude) < _MAX_ALT else altitude


@contextmanager
def _told(path: Path, what: str) -> Iterator[None]:
    """Whatever goes wrong with an object, said of the file."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:  # eventio raises many kinds for bytes that are not as they should be
        raise InputError(
            f"{path}: {what} cannot be read ({type(error).__name__}: {error}); copy the file "
            "again, or leave it out."
        ) from error


class Reader:
    """Reads a run: `run` is filled up to the first event at once, `events` gives them.

    Parameters
    ----------
    path : str or Path
        The file.
    keep_cut : bool
        Whether a file that was cut is read as far as it is whole.

    Raises
    ------
    InputError
        If the file is none of sim_telarray, damaged, or cut.
    """

    def __init__(self, path: str | Path, keep_cut: bool = False) -> None:
        check_eventio()
        self.run = Run(Path(path))
        self._objects = read_objects(path, self.run.loss if keep_cut else None)
        self._metadata: dict[int, dict[bytes, bytes]] = {}
        self._described: dict[int, dict[int, dict[str, Any]]] = {}
        self._monitored: dict[int, dict[str, Any]] = {}
        self._shower: dict[str, Any] | None = None
        self._core: dict[str, Any] = {}
        self._true_images: dict[int, np.ndarray] = {}
        self._first = self._read_header()

    def _read_header(self) -> Any:
        """Read what is before the first shower; that object is returned."""
        with _told(self.run.path, "its header"):
            for found in self._objects:
                if found.header.type == 2020 or self._is_event(found):
                    self._finish_header()
                    return found
                self._take_header(found)
        raise InputError(f"{self.run.path}: no events: a header only; leave the file out.")

    @staticmethod
    def _is_event(found: Any) -> bool:
        return found.header.type in (2010, 2028)

    def _take_header(self, found: Any) -> None:
        kind = found.header.type
        if kind == 2000:
            self.run.header = found.parse()
        elif kind == 2001:
            self.run.simulated = found.parse()
        elif kind == 75:
            self._metadata[found.header.id] = found.parse()
        elif kind in _DESCRIPTIONS:
            self._described.setdefault(found.telescope_id, {})[kind] = found.parse()
        else:
            self._take_monitoring(found)

    def _finish_header(self) -> None:
        run = self.run
        if not run.header:
            raise InputError(f"{run.path}: no header of a run before its events; leave it out.")
        numbers = [int(number) for number in run.header["tel_id"]]
        names = {"latitude": b"*LATITUDE", "longitude": b"*LONGITUDE", "altitude": b"ALTITUDE"}
        told = self._metadata.get(-1, {})
        run.location = {name: float(told[key]) for name, key in names.items() if key in told}
        for number, position in zip(numbers, run.header["tel_pos"], strict=True):
            run.telescopes[number] = self._telescope(number, np.array(position, dtype=float))

    def _telescope(self, number: int, position: np.ndarray) -> Telescope:
        parts = self._described.get(number, {})
        missing = [str(kind) for kind in _DESCRIPTIONS if kind not in parts]
        if missing:
            raise InputError(
                f"{self.run.path}: telescope {number} is not described (objects "
                f"{', '.join(missing)} are missing); leave the file out."
            )
        settings, readout = parts[2002], parts[2004]
        broken = np.zeros(settings["n_pixels"], dtype=np.uint8)
        broken[parts[2005]["HV_disabled"]] = 1
        told = self._metadata.get(number, {})
        n_sample = int(readout["sum_bins"])
        if n_sample > MAX_SAMPLES:
            raise InputError(
                f"{self.run.path}: telescope {number} has traces of {n_sample} samples; at most "
                f"{MAX_SAMPLES} are read."
            )
        return Telescope(
            tel_id=number,
            camera=told.get(b"CAMERA_CONFIG_NAME", b"").decode(),
            optics=told.get(b"OPTICS_CONFIG_NAME", b"").decode(),
            position=position,
            settings=settings,
            pulse=Pulse(np.array(readout["ref_shape"], dtype=float), float(readout["ref_step"])),
            sample=float(readout["time_slice"]),
            n_sample=n_sample,
            broken=broken,
        )

    def _take_monitoring(self, found: Any) -> bool:
        """Take the pedestals and factors of a telescope; whether the object had them."""
        if found.header.type not in (2022, 2023):
            return False
        number = found.telescope_id
        self._monitored.setdefault(number, {}).update(found.parse())
        self.run.calibrations.pop(number, None)
        return True

    def calibration(self, number: int) -> Calibration:
        """What the samples of a telescope mean, for the event that was read last.

        Raises
        ------
        InputError
            If the file does not say, or a value is not finite.
        """
        calibrations = self.run.calibrations
        if number not in calibrations:
            told = self._monitored.get(number, {})
            if "pedestal" not in told or "calib" not in told:
                raise InputError(
                    f"{self.run.path}: telescope {number} has no pedestals or no factors before "
                    "its first event; leave the file out."
                )
            pedestal = told["pedestal"] / told["n_ped_slices"]
            factor = told["calib"]
            for name, values in (("pedestal", pedestal), ("factor", factor)):
                bad = ~np.isfinite(values)
                if np.any(bad):
                    gain, pixel = np.argwhere(bad)[0]
                    raise InputError(
                        f"{self.run.path}: telescope {number}: the {name} of pixel {pixel}, gain "
                        f"{gain}, is {values[gain, pixel]}; leave the file out."
                    )
            shift = told.get("tm_calib", np.zeros_like(factor))
            calibrations[number] = Calibration(
                pedestal=np.ascontiguousarray(pedestal, np.float32),
                factor=np.ascontiguousarray(factor, np.float32),
                time_shift=np.ascontiguousarray(shift, np.float32),
                broken=self.run.telescopes[number].broken,
            )
        return calibrations[number]

    def events(self) -> Iterator[Event]:
        """Events of showers, in the order of the file.

        Raises
        ------
        InputError
            If an object is damaged, or the file was cut.
        """
        path = self.run.path
        found = self._first
        while found is not None:
            with _told(path, f"an object of type {found.header.type}"):
                event = self._take(found)
            if event is not None:
                yield event
            found = next(self._objects, None)

    def _take(self, found: Any) -> Event | None:
        kind = found.header.type
        if kind == 2020:
            self._shower = found.parse()
        elif kind == 2021:
            self._core, self._true_images = found.parse(), {}
        elif kind == 1204:
            self._true_images = _true_images(found)
        elif kind == 2010:
            if self._shower is not None:
                return self._event(found)
            self.run.n_without_shower += 1
        else:
            self._take_monitoring(found)
        return None

    def _event(self, found: Any) -> Event | None:
        trigger: dict[str, Any] = {}
        event_id = found.header.id
        samples: dict[int, np.ndarray] = {}
        pointings: dict[int, tuple[float, float]] = {}
        for part in found:
            kind = type(part).__name__
            if kind == "TriggerInformation":
                event_id = part.header.id or event_id
                trigger = part.parse()
            elif kind == "TelescopeEvent":
                read = self._samples(part)
                if read is not None:
                    samples[part.telescope_id] = read
            elif kind == "TrackingPosition":
                pointings[part.telescope_id] = _pointing(part.parse())
        if not samples:
            self.run.n_without_data += 1
            return None
        triggered = [int(number) for number in trigger["triggered_telescopes"]]
        images = tuple(
            RawImage(
                number, one, self._pointing_of(number, pointings), self._true_images.get(number)
            )
            for number, one in samples.items()
            if number in triggered
        )
        self.run.n_untriggered += len(samples) - len(images)
        return Event(
            event_id=int(event_id),
            time=(int(trigger["gps_time"][0]), int(trigger["gps_time"][1])),
            shower=_truth(self._shower or {}, self._core),
            images=images,
        )

    def _pointing_of(
        self, number: int, pointings: dict[int, tuple[float, float]]
    ) -> tuple[float, float]:
        if number not in pointings:
            raise InputError(
                f"{self.run.path}: telescope {number} has an image and no pointing; leave the "
                "file out."
            )
        return pointings[number]

    def _samples(self, event: Any) -> np.ndarray | None:
        """Samples of a telescope, None if it has none."""
        for part in event:
            if type(part).__name__ == "ADCSamples":
                break
            if type(part).__name__ == "ADCSums":
                raise InputError(
                    f"{self.run.path}: telescope {event.telescope_id} has sums and no samples of "
                    "its pixels, which are not read here; leave it out with `telescopes`."
                )
        else:
            return None
        number = event.telescope_id
        telescope = self.run.telescopes.get(number)
        if telescope is None:
            raise InputError(
                f"{self.run.path}: an event has telescope {number}, which the header of the run "
                "has not; leave the file out."
            )
        flags, version = part.header.id, part.header.version
        if flags & 0x7FF or version != 3:  # without zeros, reduced, or of another layout
            samples = np.ascontiguousarray(part.parse(), dtype=np.uint16)
        else:
            data = part.read()
            n_pixel, n_gain, n_sample = _SAMPLE_HEADER.unpack_from(data)
            samples = decode_samples(data[_SAMPLE_HEADER.size :], n_gain, n_pixel, n_sample)
        if samples.shape[1:] != (telescope.broken.size, telescope.n_sample):
            raise InputError(
                f"{self.run.path}: telescope {number} has traces of shape {samples.shape[1:]}, its "
                f"description {(telescope.broken.size, telescope.n_sample)}; leave the file out."
            )
        return samples


def _pointing(tracked: dict[str, float]) -> tuple[float, float]:
    """Altitude and azimuth, corrected if the file has that."""

    def value(name: str) -> float:
        corrected = float(tracked.get(f"{name}_cor", np.nan))
        return float(tracked[f"{name}_raw"]) if np.isnan(corrected) else corrected

    return _clip(value("altitude")), value("azimuth")


def _true_images(found: Any) -> dict[int, np.ndarray]:
    """Photo-electrons of the pixels, by telescope."""
    images = {}
    for part in found:
        if part.header.type == 1208:
            images[part.telescope_id + 1] = part.parse()["photoelectrons"]
    return images


def _truth(shower: dict[str, Any], core: dict[str, Any]) -> dict[str, float]:
    """What was simulated, by ctapipe's names."""
    return {
        "energy": float(shower["energy"]),
        "alt": _clip(float(shower["altitude"])),
        "az": float(shower["azimuth"]),
        "core_x": float(core["xcore"]),
        "core_y": float(core["ycore"]),
        "h_first_int": float(shower["h_first_int"]),
        "x_max": float(shower["xmax"]),
        "primary_id": int(shower["primary_id"]),
    }
