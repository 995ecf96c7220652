"""Photons counted in pixels and energy bands, with the response to a spectrum: a fit problem."""

import logging
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import numpy as np

from skyquilt.config.instrument_analysis import ImagingFileAnalysis
from skyquilt.errors import InputError
from skyquilt.instruments.backgrounds import add, background_spectra, describe_scales
from skyquilt.instruments.bands import group_channels, keep_bands, make_bands
from skyquilt.instruments.channels import select_channels
from skyquilt.instruments.imaging.background import describe_factors
from skyquilt.instruments.imaging.kept_bins import kept_bins
from skyquilt.instruments.imaging.missing import LARGEST, is_possible
from skyquilt.instruments.imaging.sharpness import sharpness
from skyquilt.instruments.imaging.times import read_time_span
from skyquilt.instruments.true_energy import check_covered
from skyquilt.problem import CountsSpectrum, Description, FitProblem
from skyquilt.problem.backgrounds import BackgroundComponent
from skyquilt.problem.empty_bins import fill_background
from skyquilt.problem.joint import Joint, Part
from skyquilt.problem.pixel_image import find_hits, pixel_shapes
from skyquilt.problem.point_spread import PointSpread
from skyquilt.problem.sky_grid import HealpixGrid
from skyquilt.problem.spread_nodes import SpreadNodes
from skyquilt.spectra import describe, integrate

logger = logging.getLogger(__name__)


class PixelData(NamedTuple):
    """Counts, background and response of an imaging instrument.

    Attributes
    ----------
    path : str
        File of the counts, for messages.
    frame : {"galactic", "icrs"}
        Frame of all directions.
    vertices : ndarray of float64, shape (n_pixel, n_vertex, 3)
        Corners of the pixels, as in `PointSpread`.
    edges : ndarray of float64, shape (n_band + 1,)
        Edges of the measured energies [keV].
    is_good : ndarray of bool, shape (n_band,)
        Bands that the file recommends, in any pixel.
    counts : ndarray of float64, shape (n_pixel, n_band)
        Observed counts.
    backgrounds : dict of str to ndarray of float64, shape (n_pixel, n_band)
        Expected counts of each component of the background.
    yields : HealpixGrid
        Expected counts of each component for unit flux, over all bands and pixels.
    theta : ndarray of float64, shape (n_theta,)
        Angles of the profiles [rad], from 0.
    profile : ndarray of float64, shape (n_component, n_theta)
        Point spread function of each component [sr-1].
    to_band : ndarray of float64, shape (n_component, n_band)
        Probability that a photon of a component is measured in a band.
    true_energy : callable
        Gives the exposures that the yields are made of.
    true_edges : ndarray of float64
        Edges of the true energies of the response [keV].
    is_safe : ndarray of bool, shape (n_pixel, n_band), optional
        Bins that the file recommends; all when left out.
    """

    path: str
    frame: str
    vertices: np.ndarray
    edges: np.ndarray
    is_good: np.ndarray
    counts: np.ndarray
    backgrounds: Mapping[str, np.ndarray]
    yields: HealpixGrid
    theta: np.ndarray
    profile: np.ndarray
    to_band: np.ndarray
    true_energy: Callable[[], SpreadNodes]
    true_edges: np.ndarray
    is_safe: np.ndarray | None = None


class _Bins(NamedTuple):
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

    def keep(self, pixels: np.ndarray, bands: np.ndarray | slice = slice(None)) -> "_Bins":
        """Some of the pixels, and bands."""

        def cut(values: np.ndarray) -> np.ndarray:
            return np.ascontiguousarray(values[pixels][:, bands])

        return _Bins(
            self.vertices[pixels],
            self.bands[bands],
            cut(self.counts),
            {name: cut(values) for name, values in self.backgrounds.items()},
            cut(self.is_safe),
            self.to_band[:, bands],
        )


def make_pixel_problem(
    analysis: ImagingFileAnalysis,
    data: PixelData,
    *,
    all_bins: bool = False,
    true_energy: bool = False,
) -> FitProblem:
    """Build the fit problem of binned data.

    Pixels without background in all chosen bands are not part of the observation and left out.

    Parameters
    ----------
    analysis : ImagingFileAnalysis
        Its energies and spectrum.
    data : PixelData
        The data, all bands.
    all_bins : bool
        Keep all bins with background, not only those with counts.
    true_energy : bool
        Keep exposures per bin of true energy as well, so that spectra may vary.

    Returns
    -------
    FitProblem
        The problem, in the frame of the data.

    Raises
    ------
    InputError
        If counts or background are negative or not finite, there are counts where there is no
        background, or nothing is left to fit.
    """
    is_chosen = _chosen_bands(analysis, data)
    band_edges, of_channel = _group_bands(analysis, data, is_chosen)
    bins = _select_bins(analysis, data, is_chosen)
    _check_values(data.path, bins)
    is_seen = np.any((bins.background > 0) & bins.is_safe, axis=1)
    if not is_seen.any():
        raise InputError(
            f"{data.path}: the background is 0 everywhere in the chosen energies; widen `energy`."
        )
    n_left_out = int(np.sum(bins.is_safe[~is_seen]))
    if n_left_out:
        logger.info("%s: %d bins have no background; left out", data.path, n_left_out)
    parts = list(_split_bins(bins.keep(is_seen)))
    chosen = np.flatnonzero(is_chosen)
    energy_range = data.edges[[chosen[0], chosen[-1] + 1]]
    check_covered(data.path, data.true_edges, energy_range)
    hits = [
        find_hits(
            part.vertices, kept_bins(analysis, part.counts, part.background, all_bins=all_bins)
        )
        for part in parts
    ]
    indices = [index for _, index in hits]
    by_energy = data.true_energy() if true_energy else None
    scales = {name: section.scale for name, section in analysis.data.backgrounds().items()}
    of_total = np.concatenate([of_channel[part.bands] for part in parts])
    of_hit = [
        of_channel[part.bands][image.bin_band] for part, (image, _) in zip(parts, hits, strict=True)
    ]
    components = tuple(
        BackgroundComponent(
            name,
            "",
            0,
            _at_hits([part.backgrounds[name] for part in parts], indices),
            np.bincount(
                of_total, np.concatenate([part.backgrounds[name].sum(axis=0) for part in parts])
            ),
            scale,
        )
        for name, scale in scales.items()
    )
    return FitProblem(
        counts=_at_hits([part.counts for part in parts], indices),
        background=fill_background(_at_hits([part.background for part in parts], indices)),
        background_total=float(sum(part.background.sum() for part in parts)),
        expectation=_side_by_side(
            [
                PointSpread(
                    image=image,
                    yields=data.yields,
                    theta=data.theta,
                    profile=data.profile,
                    to_band=part.to_band,
                    lost_fraction=analysis.data.lost_fraction,
                    by_energy=by_energy,
                )
                for part, (image, _) in zip(parts, hits, strict=True)
            ],
            data.frame,
        ),
        frame=data.frame,
        photon_flux=float(integrate(analysis.spectrum, energy_range)[0]),
        description=Description(
            instrument=analysis.instrument,
            spectrum=describe(analysis.spectrum),
            energy_range_keV=(float(energy_range[0]), float(energy_range[1])),
            **describe_scales(
                {one.name: float(one.totals.sum()) for one in components},
                describe_factors(analysis.data.backgrounds()),
            ),
            n_bins=sum(part.counts.size for part in parts),
            n_masked_bins=n_left_out,
            time_span=read_time_span(data.path),
            sharpness_deg=sharpness(
                data.theta,
                data.profile,
                data.yields.values.mean(axis=0) * data.to_band[:, is_chosen].sum(axis=1),
                float(pixel_shapes(data.vertices)[:, 3].mean()),
            ),
        ),
        counts_spectra={"": _counts_spectrum(data, is_chosen)},
        known_bands=make_bands(analysis.spectrum, band_edges, np.concatenate(of_hit), of_total),
        known_backgrounds=components,
    )


def _group_bands(
    analysis: ImagingFileAnalysis, data: PixelData, is_chosen: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Edges of the bands, and the band of each chosen one of the file."""
    chosen = np.flatnonzero(is_chosen)
    first, stop = chosen[0], chosen[-1] + 1
    edges = data.edges[first : stop + 1]
    bands, number = group_channels(edges, analysis.energy, data.path)
    return keep_bands(bands, number, is_chosen[first:stop], analysis.energy, data.path)


def _select_bins(analysis: ImagingFileAnalysis, data: PixelData, is_chosen: np.ndarray) -> _Bins:
    """Bins of the chosen bands, or of their sum."""
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
    return _Bins(data.vertices, np.arange(counts.shape[1]), counts, by_name, is_safe, to_band)


def _split_bins(bins: _Bins) -> Iterator[_Bins]:
    """Bins that share their pixels: bands in which the mask leaves the same ones."""
    masks, group = np.unique(bins.is_safe, axis=1, return_inverse=True)
    group = group.ravel()
    for number in dict.fromkeys(group.tolist()):  # in the order of the bands
        is_kept = masks[:, number]
        if is_kept.any():
            yield bins.keep(is_kept, np.flatnonzero(group == number))


def _at_hits(values: list[np.ndarray], indices: list[np.ndarray]) -> np.ndarray:
    return np.concatenate([one.ravel()[at] for one, at in zip(values, indices, strict=True)])


def _side_by_side(expectations: list[PointSpread], frame: str) -> PointSpread | Joint:
    """One expectation of bins in several sets of pixels."""
    if len(expectations) == 1:
        return expectations[0]
    return Joint(tuple(Part(one, frame) for one in expectations), frame)


def _chosen_bands(analysis: ImagingFileAnalysis, data: PixelData) -> np.ndarray:
    """Bands that the analysis selects and the file recommends."""
    first, stop = select_channels(data.edges, analysis.energy, data.path)
    band = np.arange(data.is_good.size)
    is_chosen = data.is_good & (band >= first) & (band < stop)
    if not is_chosen.any():
        raise InputError(
            f"{data.path}: of the bands [{first}, {stop}) its mask leaves none; it leaves "
            f"{np.flatnonzero(data.is_good).tolist()}: correct `energy`."
        )
    return is_chosen


def _check_values(path: str, bins: _Bins) -> None:
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


def _counts_spectrum(data: PixelData, is_chosen: np.ndarray) -> CountsSpectrum:
    def of_mask(values: np.ndarray) -> np.ndarray:
        if data.is_safe is None or data.is_safe[:, data.is_good].all():
            return values
        return np.where(data.is_safe | ~data.is_good, values, 0.0)

    counts = {"data": of_mask(data.counts).sum(axis=0)}
    each = {name: of_mask(values) for name, values in data.backgrounds.items()}
    return CountsSpectrum(data.edges, is_chosen, counts | background_spectra(each))
