"""The objects of a catalogue in the region of a map: which were found, and what the rest have."""

import numpy as np

from skyquilt.config.sources import SourceOptions
from skyquilt.fit.pixels import fit_pixels
from skyquilt.io.fits_table import Column
from skyquilt.likelihood.options import FluxOptions
from skyquilt.maps.skymap import SkyMap
from skyquilt.problem.problem import FitProblem
from skyquilt.sky.frames import rotate, rotation, separation, vec_to_lonlat
from skyquilt.sky.healpix import vec_to_nest
from skyquilt.sources.catalogue.objects import KnownObjects
from skyquilt.sources.find import SourceList
from skyquilt.sources.model import source_counts_at, with_sources


def compare_catalogue(
    problem: FitProblem,
    skymap: SkyMap,
    known: KnownObjects,
    found: SourceList,
    source_name: np.ndarray,
    options: SourceOptions,
    confidence_level: float | None,
) -> dict[str, Column]:
    """Objects of a catalogue in the region of a map, with the nearest source and their own fit.

    Parameters
    ----------
    problem : FitProblem
        The problem that the map answers.
    skymap : SkyMap
        The map; objects outside its pixels with a TS are left out.
    known : KnownObjects
        The catalogue.
    found : SourceList
        Sources of the map.
    source_name : ndarray of str, shape (n,)
        Their names.
    options : SourceOptions
        Largest separation of object and source, threshold, and method.
    confidence_level : float
        Of upper limits.

    Returns
    -------
    dict of str to Column
        One row per object: `source` is the nearest source within the radius, "" if there is none.
        `ts` and fluxes are those of a source at the object's position: over the background alone
        for the method "peaks", else over that with all sources but the object's own.
    """
    in_map = rotate(rotation("icrs", skymap.frame), known.direction)
    inside = np.isfinite(skymap.sample("ts", vec_to_nest(skymap.nside, in_map)))
    direction = rotate(rotation("icrs", problem.frame), known.direction[inside])
    nearest, distance = _nearest(direction, found.position.direction)
    radius = 0.0 if options.catalogue is None else options.catalogue.radius
    is_found = distance <= radius
    number = np.where(is_found, nearest, -1)
    flux = found.measured.flux * (options.method == "iterative")
    templates = source_counts_at(problem, found.position.direction)
    fits = np.empty((4, number.size))
    for own in np.unique(number):
        others = with_sources(problem, templates, flux, but=None if own < 0 else own)
        fit = fit_pixels(
            others, direction[number == own], FluxOptions(confidence_level=confidence_level)
        )
        fits[:, number == own] = fit.ts, fit.flux, fit.flux_err, fit.flux_ul
    ts, flux, flux_err, flux_ul = fits
    per_flux = problem.photon_flux
    ra, dec = vec_to_lonlat(known.direction[inside])
    return {
        "name": Column(known.name[inside], "", "as in the catalogue"),
        "ra": Column(ra, "deg", "right ascension, ICRS"),
        "dec": Column(dec, "deg", "declination, ICRS"),
        "source": Column(np.append(source_name, "")[number], "", "nearest source found"),
        "sep": Column(np.where(is_found, distance, np.nan), "deg", "separation from it"),
        "ts": Column(ts, "", "test statistic at the object"),
        "flux": Column(flux, "", "multiple of reference spectrum"),
        "flux_err": Column(flux_err, "", "standard error of flux"),
        "flux_ul": Column(flux_ul, "", "upper limit on flux"),
        "photon_flux": Column(flux * per_flux, "cm-2 s-1", "in the energies of the sources"),
        "photon_flux_ul": Column(flux_ul * per_flux, "cm-2 s-1", "upper limit"),
        "is_upper_limit": Column(ts < options.threshold, "", "ts below the threshold"),
    }


def _nearest(direction: np.ndarray, others: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of the nearest others and their distance [deg]; -1 and infinity without any."""
    if not len(others):
        return np.full(len(direction), -1), np.full(len(direction), np.inf)
    from scipy.spatial import cKDTree

    nearest = cKDTree(others).query(direction)[1] if len(direction) else np.empty(0, np.int64)
    return nearest, separation(direction, others[nearest])
