"""Images of one camera: charges and times of their pixels, which of them are kept, parameters."""

import ctypes
from dataclasses import dataclass, fields
from functools import cached_property
from typing import NamedTuple

import numpy as np

from skyquilt.native import CameraPixels, Readout, TailCuts, kernels
from skyquilt.showers.extractors import EXTRACTORS

MAX_SAMPLES = 1024
"""Most samples of a trace that the kernels take."""

MAX_NEIGHBOURS = 32
"""Most neighbours of a pixel that the kernels take."""

_ALIGNED = 4  # blocks are filled up to a multiple of so many bytes
_BLOCK = 8  # traces are filled up to a multiple of so many samples

_STATISTICS = ("max", "min", "mean", "std", "skewness", "kurtosis")

PARAMETERS = {
    "hillas_intensity": "p.e.",
    "hillas_skewness": "",
    "hillas_kurtosis": "",
    "hillas_fov_lon": "deg",
    "hillas_fov_lat": "deg",
    "hillas_r": "deg",
    "hillas_phi": "deg",
    "hillas_length": "deg",
    "hillas_length_uncertainty": "deg",
    "hillas_width": "deg",
    "hillas_width_uncertainty": "deg",
    "hillas_psi": "deg",
    "hillas_psi_uncertainty": "deg",
    "hillas_transverse_cog_uncertainty": "deg",
    "timing_intercept": "ns",
    "timing_deviation": "ns",
    "timing_slope": "ns deg-1",
    "leakage_pixels_width_1": "",
    "leakage_pixels_width_2": "",
    "leakage_intensity_width_1": "",
    "leakage_intensity_width_2": "",
    "concentration_cog": "",
    "concentration_core": "",
    "concentration_pixel": "",
    "morphology_n_pixels": "",
    "morphology_n_islands": "",
    "morphology_n_small_islands": "",
    "morphology_n_medium_islands": "",
    "morphology_n_large_islands": "",
    **{f"intensity_{name}": "p.e." for name in _STATISTICS[:4]},
    **{f"intensity_{name}": "" for name in _STATISTICS[4:]},
    **{f"peak_time_{name}": "ns" for name in _STATISTICS[:4]},
    **{f"peak_time_{name}": "" for name in _STATISTICS[4:]},
}
"""Units of the parameters of an image, in the order of the kernels; the names are ctapipe's."""


class Images(NamedTuple):
    """Images of one camera.

    Attributes
    ----------
    charge : ndarray of float32
        Charges [p.e.], shape (n_image, n_pixel).
    time : ndarray of float32
        Times of the pulses [ns], of the same shape.
    gain : ndarray of uint8
        Gain of each pixel that was used: 0 high, 1 low.
    """

    charge: np.ndarray
    time: np.ndarray
    gain: np.ndarray


@dataclass(frozen=True)
class Pixels:
    """Pixels of a camera.

    Attributes
    ----------
    indptr, neighbour : ndarray of int64
        Neighbours of pixel i are ``neighbour[indptr[i]:indptr[i + 1]]``, ascending.
    x, y : ndarray
        Positions in the field of view, fov_lon and fov_lat [deg].
    area, diameter : ndarray
        Areas [deg2] and diameters [deg].
    ring : ndarray of uint8
        1 at the edge of the camera, 2 beside it, 0 inside.
    """

    indptr: np.ndarray
    neighbour: np.ndarray
    x: np.ndarray
    y: np.ndarray
    area: np.ndarray
    diameter: np.ndarray
    ring: np.ndarray

    def __post_init__(self):
        most = int(np.diff(self.indptr).max(initial=0))
        if most > MAX_NEIGHBOURS:
            raise ValueError(f"a pixel has {most} neighbours; allowed are {MAX_NEIGHBOURS}")

    @property
    def n_pixel(self) -> int:
        """Number of pixels."""
        return self.x.size

    @cached_property
    def native(self) -> CameraPixels:
        """The same for the kernels."""
        arrays = {one.name: getattr(self, one.name) for one in fields(self)}
        return CameraPixels.of(n_pixel=self.n_pixel, **arrays)


@dataclass(frozen=True)
class Calibration:
    """What the samples of a telescope mean; arrays have shape (n_gain, n_pixel).

    Attributes
    ----------
    pedestal : ndarray of float32
        Pedestal of a sample.
    factor : ndarray of float32
        Photo-electrons per unit of a sample.
    time_shift : ndarray of float32
        What is taken off the times [ns].
    broken : ndarray of uint8
        Pixels that are not used, shape (n_pixel,).
    """

    pedestal: np.ndarray
    factor: np.ndarray
    time_shift: np.ndarray
    broken: np.ndarray


@dataclass(frozen=True)
class Window:
    """Where charges are taken from.

    Attributes
    ----------
    extractor : str
        One of `EXTRACTORS`.
    width, shift : int
        Samples of the window, and how many of them are before the peak.
    own_weight : int
        Weight of the pixel itself among its neighbours.
    peak : int
        Sample of the peak, of the extractor `fixed`.
    gain_threshold : float
        The low gain is used where a sample of the high one is above this.
    """

    extractor: str = "neighbour_peak"
    width: int = 7
    shift: int = 3
    own_weight: int = 0
    peak: int = 0
    gain_threshold: float = 4000.0


def decode_samples(data: bytes, n_gain: int, n_pixel: int, n_sample: int) -> np.ndarray:
    """Samples of a block of raw traces.

    Parameters
    ----------
    data : bytes
        Differences of samples, of variable length; up to 3 bytes may follow.
    n_gain, n_pixel, n_sample : int
        Shape of the block.

    Returns
    -------
    ndarray of uint16
        Samples, shape (n_gain, n_pixel, n_sample).

    Raises
    ------
    ValueError
        If the bytes end too early, go on afterwards, or a sample does not fit 16 bits.

    Examples
    --------
    >>> decode_samples(bytes([0x14, 0x03, 0x00]), n_gain=1, n_pixel=1, n_sample=3)
    array([[[10,  8,  8]]], dtype=uint16)
    """
    samples = np.empty((n_gain, n_pixel, n_sample), dtype=np.uint16)
    raw = np.frombuffer(data, dtype=np.uint8)
    n_read = kernels.decode_samples(raw.size, raw, n_gain * n_pixel, n_sample, samples)
    if n_read == -2:
        raise ValueError("a sample is outside 0 to 65535")
    if n_read < 0 or raw.size - n_read >= _ALIGNED:
        raise ValueError(
            f"{raw.size} bytes are not {n_gain} x {n_pixel} traces of {n_sample} samples"
        )
    return samples


@dataclass(frozen=True)
class Extraction:
    """What makes charges and times of the samples of one telescope.

    Attributes
    ----------
    pixels : Pixels
        The camera.
    calibration : Calibration
        Of the telescope.
    window : Window
        Where charges are taken from.
    correction : ndarray
        Factor on the charge of each gain, shape (n_gain,).
    rate : float
        Samples per ns.
    n_sample : int
        Samples of a trace.
    """

    pixels: Pixels
    calibration: Calibration
    window: Window
    correction: np.ndarray
    rate: float
    n_sample: int

    def extract(self, samples: np.ndarray) -> Images:
        """Charges and times of images.

        Parameters
        ----------
        samples : ndarray of uint16
            Samples, shape (n_image, n_gain, n_pixel, n_sample).
        """
        n_image, n_pixel = len(samples), self.pixels.n_pixel
        charge, time = np.empty((2, n_image, n_pixel), dtype=np.float32)
        gain = np.empty((n_image, n_pixel), dtype=np.uint8)
        kernels.extract_charges(
            n_image,
            ctypes.byref(self.pixels.native),
            ctypes.byref(self._readout),
            *(samples, self._room, charge, time, gain),
        )
        return Images(charge, time, gain)

    @cached_property
    def _room(self) -> np.ndarray:
        """Space of the kernel: new memory would cost as much as the work in it."""
        n_sample = -(-self.n_sample // _BLOCK) * _BLOCK
        return np.empty(self.pixels.n_pixel * n_sample, dtype=np.float32)

    @cached_property
    def _readout(self) -> Readout:
        window = self.window
        return Readout.of(
            extractor=EXTRACTORS.index(window.extractor),
            n_gain=self.correction.size,
            n_sample=self.n_sample,
            width=window.width,
            shift=window.shift,
            own_weight=window.own_weight,
            peak=window.peak,
            gain_threshold=window.gain_threshold,
            rate=self.rate,
            correction=self.correction,
            **vars(self.calibration),
        )


class Cuts(NamedTuple):
    """Tail cuts.

    Attributes
    ----------
    picture, boundary : float
        Least charges of the pixels of the picture and of those beside it [p.e.].
    neighbours : int
        Neighbours in the picture that a pixel of the picture needs.
    keep_isolated : bool
        Whether pixels of the picture need no neighbour.
    """

    picture: float = 8.0
    boundary: float = 4.0
    neighbours: int = 2
    keep_isolated: bool = False


def clean_images(pixels: Pixels, charge: np.ndarray, cuts: Cuts) -> np.ndarray:
    """Pixels that showers lit.

    Parameters
    ----------
    pixels : Pixels
        The camera.
    charge : ndarray of float32
        Charges [p.e.], shape (n_image, n_pixel).
    cuts : Cuts
        The cuts.

    Returns
    -------
    ndarray of uint8
        1 where a pixel is kept, else 0, of the same shape.
    """
    mask = np.empty(charge.shape, dtype=np.uint8)
    room = np.empty(pixels.n_pixel, dtype=np.uint8)
    native = TailCuts.of(**cuts._asdict())
    kernels.clean_images(
        *(len(charge), ctypes.byref(pixels.native), ctypes.byref(native)), *(charge, room, mask)
    )
    return mask


def describe_images(
    pixels: Pixels,
    charge: np.ndarray,
    mask: np.ndarray,
    *,
    time: np.ndarray | None = None,
    seeds: np.ndarray | None = None,
    n_start: int = 40,
    min_pixels: int = 2,
) -> np.ndarray:
    """Parameters of images.

    Parameters
    ----------
    pixels : Pixels
        The camera.
    charge : ndarray of float32
        Charges [p.e.], shape (n_image, n_pixel).
    mask : ndarray of uint8
        Pixels that are kept, of the same shape.
    time : ndarray of float32, optional
        Times [ns], of the same shape; without them there are no parameters of time.
    seeds : ndarray of int64, optional
        A number for each image, from which the starts of its time line follow.
    n_start : int
        Starts of the time line.
    min_pixels : int
        Fewest pixels of an image that has parameters.

    Returns
    -------
    ndarray
        Parameters, shape (n_image, n_parameter), in the order of `PARAMETERS`; NaN of images of too
        few pixels, or of no charge.
    """
    n_image = len(charge)
    parameters = np.empty((n_image, len(PARAMETERS)))
    kernels.image_parameters(
        *(n_image, ctypes.byref(pixels.native), min_pixels, 0 if time is None else n_start),
        np.zeros(n_image, dtype=np.int64) if seeds is None else seeds,
        *(charge, charge if time is None else time, mask),
        np.empty(8 * pixels.n_pixel),
        np.empty(2 * pixels.n_pixel, dtype=np.int64),
        parameters,
    )
    return parameters
