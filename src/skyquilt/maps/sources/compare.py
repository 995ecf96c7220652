"""The objects of a catalogue in the region of a map: which were found, and what the rest have."""

import numpy as np

from skyquilt.config.sources import SourceOptions
from skyquilt.fit.pixels import fit_pixels
from skyquilt.io.fits_table import Column
from skyquilt.maps.skymap import SkyMap
from skyquilt.maps.sources.catalogue import KnownObjects
from skyquilt.problem.problem import FitProblem
from skyquilt.sky.frames import rotate, rotation, separation, vec_to_lonlat
from skyquilt.sky.healpix import vec_to_nest


def compare_catalogue(
    problem: FitProblem,
    skymap: SkyMap,
    known: KnownObjects,
    source_name: np.ndarray,
    source_direction: np.ndarray,
    options: SourceOptions,
    confidence_level: float,
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
    source_name : ndarray of str, shape (n,)
        Names of the sources found.
    source_direction : ndarray of float64, shape (n, 3)
        Their directions in ICRS.
    options : SourceOptions
        Largest separation of object and source, and threshold.
    confidence_level : float
        Of upper limits.

    Returns
    -------
    dict of str to Column
        One row per object: `source` is the nearest source within the radius, "" if there is none;
        `ts` and fluxes are those of a source at the object's place over the background alone.
    """
    in_map = rotate(rotation("icrs", skymap.frame), known.direction)
    inside = np.isfinite(skymap.sample("ts", vec_to_nest(skymap.nside, in_map)))
    direction = known.direction[inside]
    turned = rotate(rotation("icrs", problem.frame), direction)
    fit = fit_pixels(problem, turned, confidence_level=confidence_level)
    nearest, distance = _nearest(direction, source_direction)
    is_found = distance <= options.catalogue.radius
    per_flux = problem.photon_flux
    ra, dec = vec_to_lonlat(direction)
    names = np.append(source_name, "")
    return {
        "name": Column(known.name[inside], "", "as in the catalogue"),
        "ra": Column(ra, "deg", "right ascension, ICRS"),
        "dec": Column(dec, "deg", "declination, ICRS"),
        "source": Column(np.where(is_found, names[nearest], ""), "", "nearest source found"),
        "sep": Column(np.where(is_found, distance, np.nan), "deg", "separation from it"),
        "ts": Column(fit.ts, "", "test statistic at the object"),
        "flux": Column(fit.flux, "", "multiple of reference spectrum"),
        "flux_err": Column(fit.flux_err, "", "standard error of flux"),
        "flux_ul": Column(fit.flux_ul, "", "upper limit on flux"),
        "photon_flux": Column(fit.flux * per_flux, "cm-2 s-1", "in the selected energies"),
        "photon_flux_ul": Column(fit.flux_ul * per_flux, "cm-2 s-1", "upper limit"),
        "is_upper_limit": Column(fit.ts < options.threshold, "", "ts below the threshold"),
    }


def _nearest(direction: np.ndarray, others: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of the nearest others and their distance [deg]; -1 and infinity without any."""
    if not len(others):
        return np.full(len(direction), -1), np.full(len(direction), np.inf)
    from scipy.spatial import cKDTree

    nearest = cKDTree(others).query(direction)[1] if len(direction) else np.empty(0, np.int64)
    return nearest, separation(direction, others[nearest])
