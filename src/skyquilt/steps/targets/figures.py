"""Figures of spectra of targets, one after the other."""

import logging
from collections.abc import Iterator

import numpy as np
from astropy.table import Table
from matplotlib.figure import Figure

from skyquilt.plots.castro import SedPoints, SpectrumLine, plot_castro, value_range
from skyquilt.problem.bands import Bands
from skyquilt.targets.files import FittedTargets
from skyquilt.targets.gadf import curve_of
from skyquilt.targets.listing import TargetList
from skyquilt.targets.table import LEAST_COUNTS, LEAST_TS, MEV, Reference

logger = logging.getLogger(__name__)

_N_CELL = 400  # of values, in which the likelihood is coloured
_N_ENERGY = 100  # of a line


def draw_targets(
    targets: TargetList, fitted: FittedTargets, bands: Bands, spectra: Table, numbers: list[int]
) -> Iterator[tuple[str, Figure]]:
    """Name and figure of each of some targets: castro-NAME.PROFILE; none without a fit.

    Parameters
    ----------
    targets : TargetList
        The targets.
    fitted : FittedTargets
        All fits.
    bands : Bands
        Bands of the problem.
    spectra : Table
        `spectra.ecsv`.
    numbers : list of int
        Fits to draw.
    """
    for number in numbers:
        one = targets.fits[number]
        points = sed_points(fitted, number, bands)
        if not np.any(np.isfinite(points.limit)):
            logger.warning("%s (%s): no band has a fit, no figure", one.name, one.profile)
            continue
        edges = np.geomspace(*value_range(points), _N_CELL + 1)
        loglike = loglike_at(fitted, number, bands, np.sqrt(edges[1:] * edges[:-1]))
        is_own = (spectra["name"] == one.name) & (spectra["profile"] == one.profile)
        lines = list(spectrum_lines(spectra[is_own], bands))
        title = one.name if one.profile == "point" else f"{one.name} ({one.profile})"
        yield f"castro-{one.name}.{one.profile}", plot_castro(points, edges, loglike, lines, title)


def sed_points(fitted: FittedTargets, number: int, bands: Bands) -> SedPoints:
    """Points of the spectrum of a fit.

    Parameters
    ----------
    fitted : FittedTargets
        All fits.
    number : int
        Which one.
    bands : Bands
        Bands of the problem.
    """
    unit = Reference(bands).e2dnde / MEV
    each = {name: values[number] for name, values in fitted.numbers.items()}
    norms = (each[name] * unit for name in ("norm", "norm_errn", "norm_errp", "norm_ul"))
    is_limit = ~((each["ts"] >= LEAST_TS) & (each["npred"] >= LEAST_COUNTS))
    low, high = bands.edges.T
    value, err_lo, err_hi, limit = norms
    return SedPoints(low, high, value, err_lo, err_hi, limit, is_limit)


def loglike_at(fitted: FittedTargets, number: int, bands: Bands, values: np.ndarray) -> np.ndarray:
    """Ln L less its maximum of each band at values of E^2 dN/dE [keV cm-2 s-1].

    Returns
    -------
    ndarray of float64, shape (n_band, n)
        NaN of bands without a fit.
    """
    unit = Reference(bands).e2dnde / MEV
    found = np.full((bands.n_band, len(values)), np.nan)
    for band in range(bands.n_band):
        scan = fitted.scan[number][:, band]
        if np.isfinite(scan).all(axis=0).sum() > 1:
            found[band] = curve_of(scan).at(values / unit[band])
    return found


def spectrum_lines(rows: Table, bands: Bands) -> Iterator[SpectrumLine]:
    """Each model in rows of `spectra.ecsv`.

    Of several versions of a target the first; those without a fit are left out.
    """
    energy = np.geomspace(bands.edges.min(), bands.edges.max(), _N_ENERGY)
    done: set[str] = set()
    for row in rows:
        name = str(row["spectrum"])
        if name in done or not np.isfinite(row["dnde"]):
            continue
        done.add(name)
        logs = np.log(energy * MEV / row["pivot"])
        dnde = row["dnde"] * np.exp(logs * (row["index"] - row["curvature"] * logs))
        yield SpectrumLine(name, energy, energy**2 * dnde * MEV)
