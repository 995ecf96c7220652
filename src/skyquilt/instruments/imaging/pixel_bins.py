"""Bins of photons counted in pixels: those of the bands that an analysis chooses."""

import logging
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from skyquilt.config.instrument_analysis import ImagingFileAnalysis
from skyquilt.errors import InputError
from skyquilt.instruments.backgrounds import add
from skyquilt.instruments.bands import group_channels, keep_bands
from skyquilt.instruments.channels import select_channels
from skyquilt.instruments.imaging.missing import LARGEST, is_possible
from skyquilt.instruments.imaging.pixel_data import PixelData

logger = logging.getLogger(__name__)


class PixelBins(NamedTuple):
    """Bins in chosen bands.

    Attributes
    ----------
    vertices : ndarray of float64, shape (n_pixel, n_vertex, 3)
        Corners of the pixels.
    bands : ndarray of int64, shape (n_band,)
        Numbers of these bands among all that are chosen.
    counts : ndarray of float64, shape (n_pixel, n_band)
        Observed counts.
    backgrounds : dict of str to ndarray of float64, shape (n_pixel, n_band)
        Expected counts of each component.
    is_safe : ndarray of bool, shape (n_pixel, n_band)
        Bins that are part of the observation.
    to_band : ndarray of float64, shape (n_component, n_band)
        Probabilities; see `PixelData`.
    """

    vertices: np.ndarray
    bands: np.ndarray
    counts: np.ndarray
    backgrounds: Mapping[str, np.ndarray]
    is_safe: np.ndarray
    to_band: np.ndarray

    @property
    def background(self) -> np.ndarray:
        """Expected counts of all components together, shape (n_pixel, n_band)."""
        return add(self.backgrounds)

    def keep(self, pixels: np.ndarray, bands: np.ndarray | slice = slice(None)) -> "PixelBins":
        """Some of the pixels, and bands."""

        def cut(values: np.ndarray) -> np.ndarray:
            return np.ascontiguousarray(values[pixels][:, bands])

        return PixelBins(
            self.vertices[pixels],
            self.bands[bands],
            cut(self.counts),
            {name: cut(values) for name, values in self.backgrounds.items()},
            cut(self.is_safe),
            self.to_band[:, bands],
        )


def chosen_bands(analysis: ImagingFileAnalysis, data: PixelData) -> np.ndarray:
    """Bands that the analysis selects and the file recommends, bool of shape (n_band,).

    Raises
    ------
    InputError
        If there are none.
    """
    first, stop = select_channels(data.edges, analysis.energy, data.path)
    band = np.arange(data.is_good.size)
    is_chosen = data.is_good & (band >= first) & (band < stop)
    if not is_chosen.any():
        raise InputError(
            f"{data.path}: of the bands [{first}, {stop}) its mask leaves none; it leaves "
            f"{np.flatnonzero(data.is_good).tolist()}: correct `energy`."
        )
    return is_chosen


def check_bins(path: str, bins: PixelBins) -> None:
    """Refuse values that are no counts.

    Raises
    ------
    InputError
        If counts or background are negative or not finite, or there are counts where no background
        is expected.
    """
    each = {f"background {name}".strip(): values for name, values in bins.backgrounds.items()}
    for name, values in ({"counts": bins.counts} | each).items():
        if n_bad := int(np.sum(bins.is_safe & ~is_possible(values))):
            raise InputError(
                f"{path}: {name}: {n_bad} values are negative or not finite; allowed are 0 to "
                f"{LARGEST:g}."
            )
    if n_bad := int(np.sum(bins.is_safe & (bins.counts > 0) & (bins.background == 0))):
        raise InputError(
            f"{path}: {n_bad} bins have counts but no background, where no flux can be fitted; "
            "leave those bands out with `energy`, or mask those pixels in the file."
        )


def group_bands(
    analysis: ImagingFileAnalysis, data: PixelData, is_chosen: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Edges of the bands, and the band of each chosen one of the file."""
    chosen = np.flatnonzero(is_chosen)
    first, stop = chosen[0], chosen[-1] + 1
    edges = data.edges[first : stop + 1]
    bands, number = group_channels(edges, analysis.energy, data.path)
    return keep_bands(bands, number, is_chosen[first:stop], analysis.energy, data.path)


def select_bins(analysis: ImagingFileAnalysis, data: PixelData, is_chosen: np.ndarray) -> PixelBins:
    """Bins of the chosen bands, or of their sum.

    Raises
    ------
    InputError
        If bands are to be added of which the mask leaves other pixels.
    """
    counts, *backgrounds, to_band = (
        values[:, is_chosen] for values in (data.counts, *data.backgrounds.values(), data.to_band)
    )
    is_safe = np.ones(counts.shape, bool)
    if data.is_safe is not None:
        is_safe = data.is_safe[:, is_chosen]
    if n_masked := int(np.sum(~is_safe)):
        logger.info(
            "%s: its mask leaves out %d bins of the chosen bands, with %g counts",
            *(data.path, n_masked, np.nansum(counts[~is_safe])),
        )
    if analysis.energy.sum_channels:
        if np.any(is_safe != is_safe[:, :1]):
            raise InputError(
                f"{data.path}: its mask leaves other pixels in one energy than in another, so that "
                "they cannot be added: remove `energy.sum_channels`."
            )
        is_safe = is_safe[:, :1]
        counts, *backgrounds, to_band = (
            values.sum(axis=1, keepdims=True) for values in (counts, *backgrounds, to_band)
        )
    by_name = dict(zip(data.backgrounds, backgrounds, strict=True))
    return PixelBins(data.vertices, np.arange(counts.shape[1]), counts, by_name, is_safe, to_band)


def split_bins(bins: PixelBins) -> Iterator[PixelBins]:
    """Bins that share their pixels: bands in which the mask leaves the same ones."""
    masks, group = np.unique(bins.is_safe, axis=1, return_inverse=True)
    group = group.ravel()
    for number in dict.fromkeys(group.tolist()):  # in the order of the bands
        is_kept = masks[:, number]
        if is_kept.any():
            yield bins.keep(is_kept, np.flatnonzero(group == number))
