"""The list of sources as a table: names, positions, fluxes and counterparts, with units."""

import math
from collections import Counter

import numpy as np

from skyquilt.io.fits_table import Column
from skyquilt.problem.problem import FitProblem
from skyquilt.sky.frames import rotate, rotation, vec_to_lonlat
from skyquilt.sources.catalogue.objects import KnownObjects
from skyquilt.sources.crossmatch import Counterparts
from skyquilt.sources.find import SourceList
from skyquilt.spectra.energies import ERG, flux_range, format_range

AT_EDGE = 1
"""Flag: the peak touches pixels without a TS; the source may lie beyond the edge of the map."""
NOT_REFINED = 2
"""Flag: TS has no parabolic top there; the position is good to a pixel and has no error."""

_R68, _R95 = 2.28, 5.99  # drops of TS, chi2 of two degrees of freedom
_FLUX_UNIT, _ENERGY_FLUX_UNIT = "cm-2 s-1", "erg cm-2 s-1"
_SECONDS, _MINUTES = 15 / 3600, 15 / 60  # largest errors of names to seconds and minutes [deg]


def source_columns(
    found: SourceList,
    problem: FitProblem,
    prefix: str,
    systematic_error: float,
    photon_energy: float = math.nan,
) -> dict[str, Column]:
    """Columns of the list of sources, without counterparts.

    Parameters
    ----------
    found : SourceList
        The sources, in the frame of the problem.
    problem : FitProblem
        The problem, for its frame and its photon flux.
    prefix : str
        Acronym of the names.
    systematic_error : float
        Standard error of positions along each axis besides the statistical one [deg].
    photon_energy : float, optional
        Mean energy of the photons of the reference spectrum [keV], for energy fluxes.

    Returns
    -------
    dict of str to Column
        Columns by name, in order.
    """
    position, measured, frame = found.position, found.measured, problem.frame
    icrs, galactic = (
        rotate(rotation(frame, to), position.direction) for to in ("icrs", "galactic")
    )
    (ra, dec), (glon, glat) = vec_to_lonlat(icrs), vec_to_lonlat(galactic)
    covariance = position.covariance + systematic_error**2 * np.eye(2)
    sigma, major, minor, angle = ellipses(covariance)
    systematic = np.full(sigma.size, systematic_error)
    flags = AT_EDGE * found.is_at_edge + NOT_REFINED * ~position.is_fitted
    per_flux = problem.photon_flux
    energy = per_flux * photon_energy * ERG
    return {
        "name": Column(names(ra, dec, sigma, prefix), "", "from the coordinates (ICRS), cut"),
        "ra": Column(ra, "deg", "right ascension, ICRS"),
        "dec": Column(dec, "deg", "declination, ICRS"),
        "glon": Column(glon, "deg", "galactic longitude"),
        "glat": Column(glat, "deg", "galactic latitude"),
        "pos_err": Column(sigma, "deg", "1 sigma along a line, mean of axes"),
        "pos_err_sys": Column(systematic, "deg", "systematic part of the errors, 1 sigma"),
        "r68": Column(np.sqrt(_R68) * sigma, "deg", "radius of 68 % containment"),
        "r95": Column(np.sqrt(_R95) * sigma, "deg", "radius of 95 % containment"),
        "err_major": Column(major, "deg", "1 sigma along the major axis"),
        "err_minor": Column(minor, "deg", "1 sigma along the minor axis"),
        "err_pa": Column(angle, "deg", "position angle of it, N over E"),
        "ts": Column(measured.ts, "", "test statistic"),
        "sqrt_ts": Column(np.sqrt(measured.ts), "", "root of ts"),
        "flux": Column(measured.flux, "", "multiple of reference spectrum"),
        "flux_err": Column(measured.flux_err, "", "standard error of flux"),
        "flux_err_lo": Column(measured.flux_err_lo, "", "flux down to ts - 1, or to 0"),
        "flux_err_hi": Column(measured.flux_err_hi, "", "flux up to ts - 1"),
        "flux_ul": Column(measured.flux_ul, "", "upper limit on flux"),
        "photon_flux": Column(measured.flux * per_flux, _FLUX_UNIT, _band(problem)),
        "photon_flux_err": Column(measured.flux_err * per_flux, _FLUX_UNIT, "standard error"),
        "photon_flux_ul": Column(measured.flux_ul * per_flux, _FLUX_UNIT, "upper limit"),
        "energy_flux": Column(measured.flux * energy, _ENERGY_FLUX_UNIT, "in the same energies"),
        "energy_flux_err": Column(measured.flux_err * energy, _ENERGY_FLUX_UNIT, "standard error"),
        "energy_flux_ul": Column(measured.flux_ul * energy, _ENERGY_FLUX_UNIT, "upper limit"),
        "npred": Column(measured.npred, "", "expected source counts"),
        "status": Column(flags.astype(np.uint8), "", "0 good, 1 edge, 2 not refined"),
        "fit": Column(
            np.array(found.fit.tolist(), np.str_), "", "how the fit of all sources ended"
        ),
    }


def _band(problem: FitProblem) -> str:
    """Energies of the photon fluxes, for the description of a column."""
    band = format_range(*flux_range(problem.description._asdict()))
    return f"in {band.replace(chr(0x2013), ' to ')}"  # FITS headers are ASCII


def counterpart_columns(counterparts: Counterparts, known: KnownObjects) -> dict[str, Column]:
    """Columns of the objects of a catalogue that are nearest to the sources."""
    has_one = counterparts.number >= 0
    name = np.where(has_one, known.name[counterparts.number], "")
    return {
        "assoc": Column(name, "", "nearest object of the catalogue"),
        "assoc_sep": Column(counterparts.separation, "deg", "separation from it"),
        "assoc_in_r95": Column(counterparts.is_within_errors, "", "within 95 % errors of both"),
        "assoc_chance": Column(counterparts.chance, "", "probability of one by chance"),
    }


def ellipses(covariance: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Axes of error ellipses.

    Parameters
    ----------
    covariance : ndarray of float64, shape (n, 2, 2)
        Covariance of the offsets to the east and north [deg2].

    Returns
    -------
    sigma, major, minor : ndarray of float64, shape (n,)
        Geometric mean of the standard errors along the axes, and these [deg].
    angle : ndarray of float64, shape (n,)
        Position angle of the major axis, from north through east [deg], 0 to 180.

    Examples
    --------
    >>> [float(x[0]) for x in ellipses(np.array([[[4.0, 0.0], [0.0, 1.0]]]))[1:]]
    [2.0, 1.0, 90.0]
    """
    east, north, mixed = covariance[:, 0, 0], covariance[:, 1, 1], covariance[:, 0, 1]
    mean, half = (east + north) / 2, np.hypot((east - north) / 2, mixed)
    major, minor = np.sqrt(mean + half), np.sqrt(np.maximum(mean - half, 0))
    angle = np.degrees(np.arctan2(2 * mixed, north - east) / 2) % 180
    return np.sqrt(major * minor), major, minor, angle


def names(ra: np.ndarray, dec: np.ndarray, error: np.ndarray, prefix: str) -> np.ndarray:
    """Names from ICRS coordinates, cut and not rounded, with the digits that errors allow.

    Parameters
    ----------
    ra, dec : ndarray of float64, shape (n,)
        Positions [deg].
    error : ndarray of float64, shape (n,)
        Standard errors along a line [deg]; NaN where they are not known.
    prefix : str
        Acronym.

    Returns
    -------
    ndarray of str, shape (n,)
        "SQ J053431+220052" for errors up to 15 arcsec, "SQ J0534.5+2200" up to 15 arcmin, and
        "SQ J0534+22" above; sources that would share a name have more digits.

    References
    ----------
    IAU, Specifications concerning designations for astronomical radiation sources.

    Examples
    --------
    >>> ra, dec = np.array([83.63308, 83.63308]), np.array([-0.0145, 60.0])
    >>> names(ra, dec, np.array([0.001, 2.0]), "SQ").tolist()
    ['SQ J053431-000052', 'SQ J0534+60']
    """
    # 1e-7 s and 1e-6 arcsec keep 15 deg at 010000, whatever the last bit of a float is
    time = (np.floor((ra % 360) * 240 + 1e-7).astype(np.int64) % 86400).tolist()
    arc = np.floor(np.abs(dec) * 3600 + 1e-6).astype(np.int64).tolist()
    sign = ["-" if each < 0 else "+" for each in dec.tolist()]
    forms = np.select([error <= _SECONDS, error > _MINUTES], [2, 0], default=1).tolist()
    own = list(zip(time, sign, arc, strict=True))
    texts = [_format_position(form, *one) for form, one in zip(forms, own, strict=True)]
    for finer in (1, 2):
        taken = Counter(texts)
        for at, one in enumerate(own):
            if taken[texts[at]] > 1 and forms[at] < finer:
                texts[at] = _format_position(finer, *one)
    return np.array([f"{prefix} {text}" for text in texts], dtype=np.str_)


def _format_position(form: int, time: int, sign: str, arc: int) -> str:
    """Position [s of time, arcsec] to degrees (0), minutes (1) or seconds (2)."""
    hours, degrees = f"{time // 3600:02d}", f"{sign}{arc // 3600:02d}"
    minute, arcmin = f"{time // 60 % 60:02d}", f"{arc // 60 % 60:02d}"
    if form == 0:
        return f"J{hours}{minute}{degrees}"
    if form == 1:
        return f"J{hours}{minute}.{time % 60 // 6}{degrees}{arcmin}"
    return f"J{hours}{minute}{time % 60:02d}{degrees}{arcmin}{arc % 60:02d}"
