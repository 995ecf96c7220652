import json

import healpy
import numpy as np
import pytest
from astropy.coordinates import SkyCoord

from skyquilt.config.localise import LocaliseOptions
from skyquilt.config.position import Position
from skyquilt.errors import InputError
from skyquilt.localisation.describe import MAX_LISTED
from skyquilt.localisation.posterior import localise
from skyquilt.localisation.summary import check_fitted, count_status, summarise
from skyquilt.maps.multiorder import MultiOrderMap
from skyquilt.maps.skymap import SkyMap
from skyquilt.status import AT_BOUND, NO_EXPOSURE, OCCULTED

NSIDE = 8
BEST = 345
INFO = {
    "analysis": "grb",
    "spectrum": "power law",
    "energy_range_keV": (251.189, 398.107),
    "note": np.float64("nan"),
}
STAGES = [{"stage": "prepare", "wall_s": 1.5, "cpu_s": np.float64(1.0)}]


def make(frame="galactic", nside=NSIDE, **changes):
    n = 12 * nside**2
    ts = np.linspace(0, 1, n)
    ts[BEST % n] = 49.0
    columns = {
        "ts": ts,
        "sqrt_ts": np.sqrt(ts),
        "flux": ts / 10,
        "flux_err": ts / 100,
        "photon_flux": ts / 5,
        "npred": ts * 2,
        "status": np.zeros(n, dtype=np.uint8),
    }
    return SkyMap(nside, frame, np.arange(n), columns | changes)


def make_summary(skymap=None, levels=(0.9,), true_position=None, cells=None):
    """Summary of a map, and of its own pixels as cells, unless others are given."""
    skymap = skymap or make()
    found = localise(cells or MultiOrderMap.from_skymap(skymap), levels)
    options = LocaliseOptions(levels=levels, true_position=true_position)
    return summarise(skymap, found, INFO, options, STAGES)


def test_summary_is_strict_json_with_nan_as_null():
    text = json.dumps(make_summary(), allow_nan=False)
    assert json.loads(text)["note"] is None


def test_summary_tells_the_problem_and_stages_as_given():
    summary = make_summary()
    assert summary["energy_range_keV"] == [251.189, 398.107]
    assert summary["spectrum"] == "power law"
    assert summary["stages"] == [{"stage": "prepare", "wall_s": 1.5, "cpu_s": 1.0}]
    assert {"python", "skyquilt", "healpy", "numpy"} <= summary["versions"].keys()


def test_best_position_is_that_of_largest_ts():
    best = make_summary()["best"]
    assert best["uniq"] == 4 * NSIDE**2 + BEST
    expected = {"ts": 49, "sqrt_ts": 7, "flux": 4.9, "flux_err": 0.49, "photon_flux": 9.8}
    assert {name: best[name] for name in expected} == pytest.approx(expected)
    assert best["npred"] == 98
    assert not {"status", "probdensity"} & best.keys()


def test_best_pixel_is_that_of_the_map():
    pixel = make_summary()["best_pixel"]
    assert pixel["ipix_nested"] == BEST
    assert pixel["ipix_ring"] == healpy.nest2ring(NSIDE, BEST)
    assert pixel["ts"] == 49


def test_best_position_is_that_of_the_refined_map():
    fine = make("icrs", nside=32)
    summary = make_summary(cells=MultiOrderMap.from_skymap(fine))
    lon, lat = healpy.pix2ang(32, BEST, nest=True, lonlat=True)
    assert summary["best"]["icrs"] == pytest.approx({"lon": lon, "lat": lat})
    assert summary["best_pixel"]["ipix_nested"] == BEST
    assert summary["cells"] == {
        "n_cells": 12 * 32**2,
        "max_order": 5,
        "smallest_deg": pytest.approx(healpy.nside2resol(32) * 180 / np.pi),
    }


@pytest.mark.parametrize("frame", ["galactic", "icrs"])
def test_best_coordinates_agree_with_astropy(frame):
    best = make_summary(make(frame))["best"]
    lon, lat = healpy.pix2ang(NSIDE, BEST, nest=True, lonlat=True)
    there = SkyCoord(lon, lat, unit="deg", frame=frame)
    # astropy rotates by way of FK5; agreement is to 1e-10 deg, of no matter here
    assert best["icrs"]["lon"] == pytest.approx(there.icrs.ra.deg, abs=1e-8)
    assert best["icrs"]["lat"] == pytest.approx(there.icrs.dec.deg, abs=1e-8)
    assert best["galactic"]["lon"] == pytest.approx(there.galactic.l.deg, abs=1e-8)
    assert best["galactic"]["lat"] == pytest.approx(there.galactic.b.deg, abs=1e-8)


def test_best_with_failed_pixels_ignores_them():
    skymap = make()
    skymap.columns["ts"][BEST] = np.nan
    summary = make_summary(skymap)
    assert summary["best_pixel"]["ipix_nested"] == skymap.ipix.size - 1
    assert summary["best"]["uniq"] == 4 * NSIDE**2 + skymap.ipix.size - 1


@pytest.mark.parametrize("frame", ["galactic", "icrs", "fk5"])
def test_offset_to_true_position_agrees_with_astropy(frame):
    summary = make_summary(true_position=Position(lon=93, lat=-53, frame=frame))
    lon, lat = healpy.pix2ang(NSIDE, BEST, nest=True, lonlat=True)
    true = SkyCoord(93, -53, unit="deg", frame=frame)
    best = SkyCoord(lon, lat, unit="deg", frame="galactic")
    assert summary["offset_deg"] == pytest.approx(true.icrs.separation(best.icrs).deg, abs=1e-8)
    given = {name: summary["true_position"][name] for name in ("lon", "lat", "frame")}
    assert given == {"lon": 93, "lat": -53, "frame": frame}


def test_summary_without_true_position_leaves_its_entries_empty():
    summary = make_summary()
    assert summary["true_position"] is None
    assert summary["offset_deg"] is None
    assert summary["containment"][0]["contains_true_position"] is None


def test_containment_of_each_level_is_reported():
    area = healpy.nside2pixarea(NSIDE, degrees=True)
    summary = make_summary(levels=(0.683, 0.9))
    regions, best = summary["containment"], summary["best"]
    assert [region["level"] for region in regions] == [0.683, 0.9]
    # 49 against nearly 0 to 1 in 767 pixels: exp(-24) each
    part = {"area_deg2": pytest.approx(area), "probability": pytest.approx(1, abs=1e-6)}
    peak = {"icrs": best["icrs"], "galactic": best["galactic"], "ts": 49}
    assert regions[1] == {
        "level": 0.9,
        "threshold": pytest.approx(4.605, abs=1e-3),  # the digits written here
        "n_pixels": 1,
        "n_parts": 1,
        "is_resolved": False,
        "is_cut": False,
        "parts": [part | {"n_maxima": 1, "maxima": [peak]}],
        "contains_true_position": None,
        "files": {"moc": "regions/containment-90.fits", "ds9": "regions/containment-90.reg"},
        **part,
    }


def test_credible_regions_are_reported_beside():
    (region,) = make_summary()["credible"]
    # the density of a cell that holds all
    assert region["threshold"] == pytest.approx(1 / healpy.nside2pixarea(NSIDE), rel=1e-6)
    assert region["files"]["moc"] == "regions/credible-90.fits"
    assert region["n_pixels"] == 1


def test_parts_and_maxima_beyond_ten_are_counted_and_not_listed():
    ts = np.zeros(12 * NSIDE**2)
    ts[::40] = 50 + np.arange(20) / 100
    region = make_summary(make(ts=ts))["containment"][0]
    assert (region["n_parts"], len(region["parts"])) == (20, MAX_LISTED)
    assert region["parts"][0]["maxima"][0]["ts"] == 50.19


@pytest.mark.parametrize(("shift", "is_first"), [(0, True), (60, False)])
def test_searched_probability_is_that_of_all_that_is_as_dense(shift, is_first):
    lon, lat = healpy.pix2ang(NSIDE, BEST, nest=True, lonlat=True)
    true = Position(lon=lon + shift, lat=lat, frame="galactic")
    searched = make_summary(true_position=true)["searched"]
    assert searched["probability"] == pytest.approx(1, abs=1e-6)  # as above
    assert (searched["area_deg2"] < 60) is is_first
    assert (searched["ts_drop"] == 0) is is_first
    assert searched["containment_level"] == pytest.approx(1 - is_first, abs=1e-6)


def test_true_position_where_nothing_was_fitted_is_in_no_region():
    lon, lat = healpy.pix2ang(NSIDE, BEST, nest=True, lonlat=True)
    skymap = make()
    skymap.columns["ts"][BEST] = np.nan
    summary = make_summary(skymap, true_position=Position(lon=lon, lat=lat, frame="galactic"))
    assert summary["searched"] is None
    assert summary["containment"][0]["contains_true_position"] is False
    assert summary["credible"][0]["contains_true_position"] is False


@pytest.mark.parametrize(("shift", "is_inside"), [(0, True), (20, False)])
def test_true_position_in_best_pixel_is_contained(shift, is_inside):
    lon, lat = healpy.pix2ang(NSIDE, BEST, nest=True, lonlat=True)
    true = Position(lon=lon + shift, lat=lat, frame="galactic")
    region = make_summary(true_position=true)["containment"][0]
    assert region["contains_true_position"] is is_inside


def test_true_position_in_other_frame_is_contained():
    lon, lat = healpy.pix2ang(NSIDE, BEST, nest=True, lonlat=True)
    icrs = SkyCoord(lon, lat, unit="deg", frame="galactic").icrs
    true = Position(lon=icrs.ra.deg, lat=icrs.dec.deg, frame="icrs")
    assert make_summary(true_position=true)["containment"][0]["contains_true_position"] is True


def test_pixels_are_counted_by_status():
    skymap = make()
    skymap.columns["status"][:5] = AT_BOUND, OCCULTED, OCCULTED, NO_EXPOSURE, AT_BOUND
    assert make_summary(skymap)["pixels"]["by_status"] == {
        "good": 763,
        "at_bound": 2,
        "no_exposure": 1,
        "occulted": 2,
        "not_converged": 0,
        "not_finite": 0,
    }


def test_status_without_name_is_refused():
    with pytest.raises(ValueError, match="status 6 has no name: allowed are 0 good, 1 at_bound"):
        count_status(np.array([0, 6, 1]))


def test_summary_of_map_where_all_is_at_bound_has_no_best_position():
    zero = np.zeros(12)
    skymap = make(nside=1, ts=zero, status=np.full(12, AT_BOUND, dtype=np.uint8))
    summary = make_summary(skymap, true_position=Position(lon=0, lat=0, frame="icrs"))
    assert summary["best"] is None
    assert summary["best_pixel"] is None
    assert summary["offset_deg"] is None
    # nothing is excluded: the region is the whole sky
    assert summary["containment"][0]["n_pixels"] == 12


def test_summary_of_map_without_fitted_pixel_tells_why():
    status = np.array([NO_EXPOSURE] * 5 + [OCCULTED] * 7, dtype=np.uint8)
    skymap = make(nside=1, ts=np.full(12, np.nan), status=status)
    with pytest.raises(
        InputError, match=r"s\.fits: none of the 12 pixels .*\(5 no_exposure, 7 occulted"
    ):
        check_fitted(skymap, "maps.fits")
