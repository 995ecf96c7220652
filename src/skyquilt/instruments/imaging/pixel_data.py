"""Photons counted in pixels and energy bands, with the response to a spectrum: a fit problem."""

import logging
from typing import NamedTuple

import numpy as np

from skyquilt.config.analysis import Analysis
from skyquilt.errors import InputError
from skyquilt.instruments.channels import select_channels
from skyquilt.instruments.imaging.kept_bins import kept_bins
from skyquilt.instruments.imaging.times import read_time_span
from skyquilt.problem import CountsSpectrum, Description, FitProblem
from skyquilt.problem.empty_bins import fill_background
from skyquilt.problem.pixel_image import find_hits
from skyquilt.problem.point_spread import PointSpread
from skyquilt.problem.sky_grid import HealpixGrid
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
        Bands that the file recommends.
    counts, background : ndarray of float64, shape (n_pixel, n_band)
        Observed and expected counts.
    yields : HealpixGrid
        Expected counts of each component for unit flux, over all bands and pixels.
    theta : ndarray of float64, shape (n_theta,)
        Angles of the profiles [rad], from 0.
    profile : ndarray of float64, shape (n_component, n_theta)
        Point spread function of each component [sr-1].
    to_band : ndarray of float64, shape (n_component, n_band)
        Probability that a photon of a component is measured in a band.
    """

    path: str
    frame: str
    vertices: np.ndarray
    edges: np.ndarray
    is_good: np.ndarray
    counts: np.ndarray
    background: np.ndarray
    yields: HealpixGrid
    theta: np.ndarray
    profile: np.ndarray
    to_band: np.ndarray


def make_pixel_problem(
    analysis: Analysis, data: PixelData, *, all_bins: bool = False
) -> FitProblem:
    """Build the fit problem of binned data.

    Pixels without background in all chosen bands are not part of the observation and left out.

    Parameters
    ----------
    analysis : Analysis
        Its energies and spectrum.
    data : PixelData
        The data, all bands.
    all_bins : bool
        Keep all bins with background, not only those with counts.

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
    counts, background, to_band = (
        values[:, is_chosen] for values in (data.counts, data.background, data.to_band)
    )
    if analysis.energy.sum_channels:
        counts, background, to_band = (
            values.sum(axis=1, keepdims=True) for values in (counts, background, to_band)
        )
    _check_values(data.path, counts, background)
    is_seen = np.any(background > 0, axis=1)
    counts, background = counts[is_seen], background[is_seen]
    if not is_seen.any():
        raise InputError(
            f"{data.path}: the background is 0 everywhere in the chosen energies; widen `energy`."
        )
    chosen = np.flatnonzero(is_chosen)
    hull = data.edges[[chosen[0], chosen[-1] + 1]]
    n_left_out = int(np.sum(~is_seen)) * counts.shape[1]
    if n_left_out:
        logger.info("%s: %d bins have no background; left out", data.path, n_left_out)
    kept = kept_bins(analysis, counts, background, all_bins=all_bins)
    image, place = find_hits(data.vertices[is_seen], kept)
    return FitProblem(
        counts=counts.ravel()[place],
        background=fill_background(background.ravel()[place]),
        background_total=float(background.sum()),
        expectation=PointSpread(
            image=image,
            yields=data.yields,
            theta=data.theta,
            profile=data.profile,
            to_band=to_band,
            lost_fraction=analysis.data.lost_fraction,
        ),
        frame=data.frame,
        photon_flux=float(integrate(analysis.spectrum, hull)[0]),
        description=Description(
            instrument=analysis.instrument,
            spectrum=describe(analysis.spectrum),
            energy_range_keV=(float(hull[0]), float(hull[1])),
            n_bins=counts.size,
            n_masked_bins=n_left_out,
            time_span=read_time_span(data.path),
        ),
        counts_spectra={"": _counts_spectrum(data, is_chosen)},
    )


def _chosen_bands(analysis: Analysis, data: PixelData) -> np.ndarray:
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


def _check_values(path: str, counts: np.ndarray, background: np.ndarray) -> None:
    for name, values in (("counts", counts), ("background", background)):
        if n_bad := int(np.sum(~(values >= 0) | np.isinf(values))):
            raise InputError(
                f"{path}: {name}: {n_bad} values are negative or not finite; allowed are 0 or more."
            )
    if n_bad := int(np.sum((counts > 0) & (background == 0))):
        raise InputError(
            f"{path}: {n_bad} bins have counts but no background, where no flux can be fitted; "
            "leave those bands out with `energy`, or mask those pixels in the file."
        )


def _counts_spectrum(data: PixelData, is_chosen: np.ndarray) -> CountsSpectrum:
    counts = {"data": data.counts.sum(axis=0), "background model": data.background.sum(axis=0)}
    return CountsSpectrum(data.edges, is_chosen, counts)
