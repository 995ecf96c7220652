"""Open the files of an analysis with other programs and print what they find, as JSON.

Runs in the environment of requirements/formats.txt: python readers.py READER FOLDER
"""

import json
import sys
from pathlib import Path

import numpy as np

LEVELS = (50, 90)
KINDS = ("containment", "credible")


def read_with_ligo_skymap(folder):
    """Both sky maps with their metadata, areas, and what is searched up to a position."""
    from astropy.coordinates import SkyCoord
    from ligo.skymap.io import read_sky_map
    from ligo.skymap.moc import uniq2pixarea
    from ligo.skymap.postprocess import crossmatch

    table = read_sky_map(folder / "skymap.multiorder.fits", moc=True)
    flat, about = read_sky_map(folder / "skymap.fits")
    position = SkyCoord(*position_of(folder), unit="deg")
    found = crossmatch(table, position, contours=[level / 100 for level in LEVELS])
    return {
        "columns": table.colnames,
        "object": [table.meta["objid"], about["objid"]],
        "gps_time": [table.meta["gps_time"], about["gps_time"]],
        "instruments": sorted(table.meta["instruments"]),
        "total": [np.sum(table["PROBDENSITY"] * uniq2pixarea(table["UNIQ"])), flat.sum()],
        "area": found.contour_areas,
        "searched": [found.searched_prob, found.searched_area],
    }


def read_with_mocpy(folder):
    """Areas of the sky map's credible regions, and of all region files."""
    import astropy.units as u
    from mocpy import MOC

    whole_sky = np.degrees(np.degrees(4 * np.pi))
    lon, lat = position_of(folder)
    regions = {}
    for kind in KINDS:
        for level in LEVELS:
            region = MOC.from_fits(folder / f"regions/{kind}-{level}.fits")
            is_inside = bool(region.contains_lonlat(lon * u.deg, lat * u.deg)[0])
            regions[f"{kind}-{level}"] = [region.sky_fraction * whole_sky, is_inside]
    skymap = str(folder / "skymap.multiorder.fits")
    contours = [MOC.from_multiordermap_fits_file(skymap, cumul_to=p / 100) for p in LEVELS]
    return {"area": [one.sky_fraction * whole_sky for one in contours], "regions": regions}


def read_with_mhealpy(folder):
    """Sum of the probability, and the density at a position."""
    import astropy.units as u
    from astropy.coordinates import SkyCoord
    from mhealpy import HealpixMap

    skymap = HealpixMap.read_map(folder / "skymap.multiorder.fits", density=True)
    at = skymap.ang2pix(SkyCoord(*position_of(folder), unit=u.deg))
    return {
        "total": np.sum(skymap.data * skymap.pixarea().to_value(u.sr)),
        "density": skymap[at],
        "frame": skymap.coordsys.name,
    }


def read_with_healpy(folder):
    """Probability of the flat map, and the maps, in RING ordering."""
    import healpy

    prob = healpy.read_map(folder / "skymap.fits", dtype=np.float64)
    ts, flux = healpy.read_map(folder / "maps.fits", field=("TS", "FLUX"), dtype=np.float64)
    pixel = healpy.ang2pix(healpy.get_nside(prob), *position_of(folder), lonlat=True)
    ok = ts > healpy.UNSEEN / 2  # elsewhere there is no pixel
    return {"total": prob.sum(), "prob": prob[pixel], "ts": ts[ok].max(), "flux": flux[ok].sum()}


def read_with_gammapy(folder):
    """Maps of the GADF file at the best pixel."""
    from astropy.coordinates import SkyCoord
    from gammapy.maps import Map

    summary = read_summary(folder)
    place = summary["best_pixel"][summary["frame"]]
    position = SkyCoord(place["lon"], place["lat"], unit="deg", frame=summary["frame"])
    found = {}
    for name in ("TS", "FLUX", "PHOTON_FLUX"):
        one = Map.read(folder / "maps.gadf.fits", hdu=name)
        found[name] = [one.get_by_coord(position)[0], str(one.unit), one.geom.frame]
    return found


def read_with_gammapy_sed(folder):
    """Flux points of a target, and the limits that follow from their profiles."""
    from gammapy.estimators import FluxPoints

    points = FluxPoints.read(folder / "sed.fits")
    limits = points.recompute_ul(n_sigma_ul=1.6448536269514722)  # one-sided, 95 %
    read = {
        name: getattr(points, name).data.ravel()
        for name in ("norm", "norm_err", "norm_errn", "norm_errp", "norm_ul", "ts", "sqrt_ts")
    }
    return read | {
        "has_profiles": points.has_stat_profiles,
        "source": points.meta["SRCNAME"],
        "edges": points.energy_axis.edges.to_value("GeV"),
        "flux": points.flux.quantity.to_value("cm-2 s-1").ravel(),
        "recomputed": limits.norm_ul.data.ravel(),
    }


def read_with_regions(folder):
    """Number of polygons and areas of the DS9 files, what is excluded taken off."""
    from regions import Regions

    found = {}
    for kind in KINDS:
        for level in LEVELS:
            polygons = Regions.read(folder / f"regions/{kind}-{level}.reg", format="ds9")
            signs = [1 if polygon.meta.get("include", True) else -1 for polygon in polygons]
            corners = [polygon.vertices.icrs for polygon in polygons]
            areas = [planar_area(one.ra.deg, one.dec.deg) for one in corners]
            found[f"{kind}-{level}"] = [len(polygons), np.dot(signs, areas)]
    return found


def read_with_arviz(folder):
    """Dimensions, means and convergence of the samples of a model."""
    import arviz

    found = arviz.from_netcdf(folder / "samples.h5")
    table = arviz.summary(found, kind="all", round_to="none")
    return {
        "sizes": {name: int(size) for name, size in found.posterior.sizes.items()},
        "dimensions": {name: value.dims for name, value in found.posterior.items()},
        "mean": dict(table["mean"]),
        "ess": dict(table["ess_bulk"]),
        "lp": float(found.sample_stats["lp"].mean()),
    }


def planar_area(lon, lat):
    """Area of a polygon [deg2] in the cylindrical equal-area projection."""
    x, y = lon, np.degrees(np.sin(np.radians(lat)))
    return abs(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1))) / 2


def position_of(folder):
    """Longitude and latitude of the true position [deg]."""
    place = read_summary(folder)["true_position"]["icrs"]
    return place["lon"], place["lat"]


def read_summary(folder):
    """Content of summary.json."""
    return json.loads((folder / "summary.json").read_text(encoding="utf-8"))


def plain(value):
    """Values as JSON takes them."""
    return np.asarray(value).tolist()


if __name__ == "__main__":
    reader, path = globals()[f"read_with_{sys.argv[1]}"], Path(sys.argv[2])
    print(json.dumps(reader(path), default=plain))
