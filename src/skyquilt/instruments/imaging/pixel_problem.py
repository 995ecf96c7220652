"""Fit problem of photons counted in pixels and energy bands."""

import logging

import numpy as np

from skyquilt.config.instrument_analysis import ImagingFileAnalysis
from skyquilt.errors import InputError
from skyquilt.instruments.backgrounds import background_spectra, describe_scales
from skyquilt.instruments.bands import make_bands
from skyquilt.instruments.imaging.background import describe_factors
from skyquilt.instruments.imaging.kept_bins import kept_bins
from skyquilt.instruments.imaging.pixel_bins import (
    check_bins,
    chosen_bands,
    group_bands,
    select_bins,
    split_bins,
)
from skyquilt.instruments.imaging.pixel_data import PixelData
from skyquilt.instruments.imaging.sharpness import sharpness
from skyquilt.instruments.imaging.times import read_time_span
from skyquilt.instruments.true_energy import check_covered
from skyquilt.problem import CountsSpectrum, Description, FitProblem
from skyquilt.problem.backgrounds import BackgroundComponent
from skyquilt.problem.empty_bins import fill_background
from skyquilt.problem.joint import Joint, Part
from skyquilt.problem.pixel_image import find_hits, pixel_shapes
from skyquilt.problem.point_spread import PointSpread
from skyquilt.spectra import describe, integrate

logger = logging.getLogger(__name__)


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
    is_chosen = chosen_bands(analysis, data)
    band_edges, of_channel = group_bands(analysis, data, is_chosen)
    bins = select_bins(analysis, data, is_chosen)
    check_bins(data.path, bins)
    is_seen = np.any((bins.background > 0) & bins.is_safe, axis=1)
    if not is_seen.any():
        raise InputError(
            f"{data.path}: the background is 0 everywhere in the chosen energies; widen `energy`."
        )
    n_left_out = int(np.sum(bins.is_safe[~is_seen]))
    if n_left_out:
        logger.info("%s: %d bins have no background; left out", data.path, n_left_out)
    parts = list(split_bins(bins.keep(is_seen)))
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


def _at_hits(values: list[np.ndarray], indices: list[np.ndarray]) -> np.ndarray:
    return np.concatenate([one.ravel()[at] for one, at in zip(values, indices, strict=True)])


def _side_by_side(expectations: list[PointSpread], frame: str) -> PointSpread | Joint:
    """One expectation of bins in several sets of pixels."""
    if len(expectations) == 1:
        return expectations[0]
    return Joint(tuple(Part(one, frame) for one in expectations), frame)


def _counts_spectrum(data: PixelData, is_chosen: np.ndarray) -> CountsSpectrum:
    def of_mask(values: np.ndarray) -> np.ndarray:
        if data.is_safe is None or data.is_safe[:, data.is_good].all():
            return values
        return np.where(data.is_safe | ~data.is_good, values, 0.0)

    counts = {"data": of_mask(data.counts).sum(axis=0)}
    each = {name: of_mask(values) for name, values in data.backgrounds.items()}
    return CountsSpectrum(data.edges, is_chosen, counts | background_spectra(each))
