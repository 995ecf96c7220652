"""An analysis with every product that a page can show."""

import numpy as np
import pytest

from skyquilt.maps.multiorder import MultiOrderMap
from skyquilt.maps.skymap import SkyMap
from skyquilt.plots.style import new_figure, save
from skyquilt.report.content import Products
from skyquilt.report.sky import sky_of_page

REGION = {
    "level": 0.9,
    "threshold": 4.605,
    "area_deg2": 12.5,
    "n_pixels": 20,
    "n_parts": 1,
    "is_resolved": True,
    "is_cut": False,
    "contains_true_position": True,
    "files": {"moc": "regions/containment-90.fits", "ds9": "regions/containment-90.reg"},
}
CREDIBLE = REGION | {
    "area_deg2": 17.5,
    "files": {"moc": "regions/credible-90.fits", "ds9": "regions/credible-90.reg"},
}
FIGURES = (
    *("ts", "flux", "sensitivity", "credible-90", "zoom"),
    *("containment-90", "ts-histogram", "counts-spectrum"),
)
SOURCE = {"name": "SQ J1", "ra": 1.0, "dec": 2.0, "r68": 0.1, "ts": 40.0, "assoc": "Crab"}
SOURCE |= {"photon_flux": 0.6, "photon_flux_err": 0.07}
STAGE = {"stage": "fit", "n_jobs": 3, "wall_s": 2.0, "cpu_s": 1.5, "peak_memory_mb": 80.0}


@pytest.fixture
def summary():
    place = {frame: {"lon": 93.04, "lat": -53.0} for frame in ("galactic", "icrs")}
    fit = {"ts": 40.0, "sqrt_ts": 6.32, "flux": 0.035, "flux_err": 0.004, "photon_flux": 0.6}
    fit["energy_flux"] = 3e-7
    return {
        "analysis": "burst <1>",
        "spectrum": "power_law: index -2.2",
        "instrument": "compton",
        "time_span": [1835478010.25, 1835478050.25],
        "energy_range_keV": [251.189, 398.107],
        "background_scale": 0.5,
        "background_scale_from": "ratio of livetimes",
        "n_bins": 3456,
        "n_masked_bins": 0,
        "n_masked_counts": 0.0,
        "nside": 16,
        "frame": "galactic",
        "best": {**place, **fit, "npred": 33.0},
        "true_position": {"lon": 93.0, "lat": -53.0, "frame": "galactic", **place},
        "offset_deg": 0.04,
        "searched": {"probability": 0.2345, "area_deg2": 3.25},
        "prior": "flat",
        "systematic_error_deg": 0.6,
        "containment": [REGION],
        "credible": [CREDIBLE],
        "pixels": {
            "n_pixels": 3072,
            "area_deg2": 41252.96,
            "by_status": {"good": 3000, "at_bound": 72, "not_converged": 0, "not_finite": 0},
        },
        "stages": [STAGE],
        "versions": {"python": "3.11.7"},
        "provenance": {
            "maps": {
                "answers": {"data": {"data/grb.h5": "cd" * 32}},
                "ended_utc": "2026-11-25T02:00:00.000+00:00",
                "inputs": [{"path": "problem.h5", "size": 2_000_000, "sha256": "ab" * 32}],
            }
        },
    }


@pytest.fixture
def calibration():
    region = {"level": 0.9, "threshold": 4.605, "coverage": 0.87, "coverage_err": 0.01}
    region |= {"corrected_threshold": 5.1, "corrected_threshold_68": [4.9, 5.3]}
    numbers = ("median_ts", "efficiency", "pull_mean", "pull_width")
    part = dict.fromkeys(numbers, 0.5) | {f"{name}_err": 0.01 for name in numbers}
    return {
        "null": {
            "observed_ts_max": 40.0,
            "n_above": 0,
            "n_skies": 1000,
            "p_value": 2e-8,
            "p_value_from": "extrapolation",
            "counted_p_value": 0.0,
            "counted_p_value_err": 0.0,
            "counted_p_value_95": [0.0, 0.0037],
        },
        "injected": {
            "detection_ts": 25.0,
            "by_flux": [
                {"flux": 0.01, "offset_deg": None, **part},
                {"flux": 0.1, "offset_deg": {"0.68": 1.5}, **part},
            ],
            "all": {"regions": [region]},
        },
    }


def draw(folder, names):
    figure = new_figure(4, 3)
    figure.add_axes((0, 0, 1, 1)).imshow(np.eye(3))
    return [save(figure, folder / f"{name}.png") for name in names]


@pytest.fixture
def sky_maps():
    """A map whose TS and flux are random, and cells of which one pixel is cut in four."""
    rng = np.random.default_rng(1)
    ts = 40 * rng.random(768)
    columns = {"ts": ts, "flux": ts / 80, "photon_flux": ts / 8, "flux_err": np.ones(768)}
    skymap = SkyMap(8, "galactic", np.arange(768), columns | {"flux_ul": ts / 80 + 2})
    uniq = [4 * 64 + pixel for pixel in range(768)]
    uniq[100:101] = [4 * 256 + 400 + child for child in range(4)]
    fine = np.insert(ts, 100, rng.random(3))
    density = np.where(np.arange(fine.size) < 20, 9.0, 0.1)
    cells = MultiOrderMap("galactic", np.array(uniq), {"ts": fine, "probdensity": density})
    return skymap, cells


@pytest.fixture
def products(summary, calibration, sky_maps, tmp_path):
    return Products(
        name=summary["analysis"],
        summary=summary,
        settings={"spectrum": {"model": "power_law"}, "fit": {"confidence_level": 0.95}},
        plots=draw(tmp_path / "plots", FIGURES),
        files=frozenset({"maps.fits", "summary.json"}),
        sources=[SOURCE],
        calibration=calibration,
        calibration_plots=draw(tmp_path / "skies", ("maxima", "coverage", "detection")),
        n_iter={"median": 2.0, "max": 5.0},
        sky=sky_of_page(*sky_maps, summary, [SOURCE], 0.95, "viridis"),
    )
