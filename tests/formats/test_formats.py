"""Other programs open the files and find the same areas, probabilities and positions.

`make test-formats` makes their environment and runs these tests.
"""

import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from scipy.interpolate import UnivariateSpline
from scipy.optimize import brentq

from skyquilt.io.provenance import Provenance
from skyquilt.localisation.file import SKYMAP
from skyquilt.maps.credible import cell_areas
from skyquilt.maps.multiorder_file import read_multiorder
from skyquilt.model import Expression, Free, Layer, one_axis
from skyquilt.model.samples import Samples
from skyquilt.model.samples_file import write_samples
from skyquilt.sky.frames import position_to_vec

pytestmark = [pytest.mark.formats, pytest.mark.slow]

PAGE = (Path(__file__).parents[2] / "docs" / "localisation.md").read_text(encoding="utf-8")
GPS_OF_UNIX = -315964800 + 18  # leap seconds since 1980


@pytest.fixture(scope="session")
def cells(folder):
    return read_multiorder(folder / "skymap.multiorder.fits", SKYMAP)[0]


@pytest.fixture(scope="session")
def cell(cells):
    """Area of the cells at the edge of the regions, the finest ones [deg2]."""
    return cells.pixel_area.min()


@pytest.fixture(scope="session")
def areas(summary):
    """Area of each region [deg2], as "credible-90"."""
    return {
        f"{kind}-{100 * region['level']:g}": region["area_deg2"]
        for kind in ("containment", "credible")
        for region in summary[kind]
    }


@pytest.fixture(scope="session")
def credible(areas):
    return [areas["credible-50"], areas["credible-90"]]


@pytest.fixture(scope="session")
def place(cells):
    """Cell of the true position."""
    return cells.find(position_to_vec(91.0, -22.0, "icrs", "icrs")[None])[0]


def test_analysis_has_many_orders_two_parts_and_a_hole(cells, summary, folder):
    assert len(np.unique(cells.order)) >= 4
    assert summary["credible"][1]["n_parts"] == 2
    assert "-polygon(" in (folder / "regions/credible-90.reg").read_text()


def test_ligo_skymap_reads_both_sky_maps(read, cells, credible, cell, place, summary):
    found = read("ligo_skymap")

    assert found["columns"] == ["UNIQ", "PROBDENSITY", "TS", "FLUX", "PHOTON_FLUX"]
    assert found["object"] == ["ring", "ring"]
    assert found["gps_time"] == [1835478010 + GPS_OF_UNIX] * 2
    assert found["instruments"] == ["compton"]
    assert found["total"] == pytest.approx([1, 1], rel=1e-12)  # rounding
    # it takes a part of the cell that crosses the level
    assert found["area"] == pytest.approx(credible, abs=cell)
    probability, area = found["searched"]
    own = cells.columns["probdensity"][place] * cell_areas(cells)[place]
    assert probability == pytest.approx(summary["searched"]["probability"], abs=1.01 * own)
    assert area == pytest.approx(summary["searched"]["area_deg2"], abs=1.01 * cell)


def test_mocpy_reads_sky_map_and_regions(read, credible, areas, cell, summary):
    found = read("mocpy")

    # it leaves out the cell that crosses the level
    assert found["area"] == pytest.approx(credible, abs=1.01 * cell)
    assert {name: area for name, (area, _) in found["regions"].items()} == pytest.approx(
        areas,
        rel=1e-7,  # it holds the sky fraction to 8 digits
    )
    inside = {
        f"{kind}-{100 * region['level']:g}": region["contains_true_position"]
        for kind in ("containment", "credible")
        for region in summary[kind]
    }
    assert {name: is_in for name, (_, is_in) in found["regions"].items()} == inside
    assert set(inside.values()) == {True, False}


def test_mhealpy_reads_the_sky_map(read, cells, place):
    found = read("mhealpy")

    assert found["total"] == pytest.approx(1, rel=1e-12)  # rounding
    assert found["density"] == cells.columns["probdensity"][place]
    assert found["frame"] == "icrs"


def test_healpy_reads_flat_map_and_maps(read, cells, place, folder):
    found = read("healpy")

    assert found["total"] == pytest.approx(1, rel=1e-12)  # rounding
    density = cells.columns["probdensity"][place]
    pixel = np.pi / 3 / 4.0**cells.max_order  # the flat map is as fine as the finest cells
    assert found["prob"] == pytest.approx(density * pixel, rel=1e-12)
    table = fits.getdata(folder / "maps.fits", 1)
    assert found["ts"] == table["TS"].max()
    assert found["flux"] == pytest.approx(table["FLUX"].sum(), rel=1e-12)


def test_gammapy_reads_the_exported_maps(read, summary):
    found = read("gammapy")

    ts = summary["best_pixel"]["ts"]
    assert found["TS"] == [ts, "", "galactic"]
    assert found["FLUX"] == [ts / 10, "", "galactic"]
    assert found["PHOTON_FLUX"][:1] == pytest.approx([ts / 7], rel=1e-15)
    assert found["PHOTON_FLUX"][1] in ("1 / (s cm2)", "1 / (cm2 s)")


def test_gammapy_reads_flux_points_and_recomputes_their_limits(call, write_target, tmp_path):
    bands, numbers = write_target(tmp_path / "sed.fits")
    readers = Path(__file__).with_name("readers.py")
    found = json.loads(call("python", readers, "gammapy_sed", tmp_path).splitlines()[-1])

    assert found["has_profiles"]
    assert found["source"] == "crab"
    edges = np.append(bands.edges[:, 0], bands.edges[-1, 1]) * 1e-6
    assert found["edges"] == pytest.approx(edges)
    for name in ("norm", "norm_err", "norm_errn", "norm_errp", "ts"):
        assert found[name] == pytest.approx(numbers[name], rel=1e-12)
    assert found["sqrt_ts"] == pytest.approx(np.sqrt(numbers["ts"]), rel=1e-12)
    known = np.flatnonzero(numbers["norm"])  # it divides 0 by 0 elsewhere
    flux = numbers["norm"] * bands.integrals.photon_flux
    assert np.array(found["flux"])[known] == pytest.approx(flux[known], rel=1e-6)
    assert found["norm_ul"] == pytest.approx(numbers["norm_ul_profile"], rel=1e-12)
    assert found["recomputed"] == pytest.approx(numbers["norm_ul_profile"], rel=1e-3)


def test_limits_follow_from_the_first_table_as_fermipy_reads_it(write_target, tmp_path):
    _, numbers = write_target(tmp_path / "sed.fits")
    table = fits.getdata(tmp_path / "sed.fits", 1)

    for band in range(4):
        norm, curve = table["norm_scan"][band], table["dloglike_scan"][band]
        best = int(np.argmax(curve))
        assert curve[best] == pytest.approx(0, abs=1e-12)
        assert table["stat_scan"][band] == pytest.approx(-2 * curve)
        spline = UnivariateSpline(norm, curve, k=2, s=0)
        limit = brentq(lambda x, f=spline: f(x) + 1.3527717, norm[best], norm[-1])
        assert limit == pytest.approx(numbers["norm_ul_profile"][band], rel=1e-3)


def test_regions_reads_the_ds9_files(read, areas, summary):
    found = read("regions")

    # sides of 0.5 deg are straight in another projection: 1e-3 of that aside, in and out
    assert {name: area for name, (_, area) in found.items()} == pytest.approx(areas, rel=1e-3)
    assert found["credible-90"][0] == summary["credible"][1]["n_parts"] + 1  # and the hole


# --- as the documentation says ---


def documented(program, folder):
    """Arguments of a program in docs/localisation.md, with the files of this analysis."""
    command = re.search(rf"^\$ {program} (.*)$", PAGE, re.MULTILINE)[1]
    return shlex.split(command.replace("results/my-burst", str(folder)))


def test_ligo_skymap_stats_prints_the_areas(call, folder, credible, cell):
    out = call("ligo-skymap-stats", *documented("ligo-skymap-stats", folder)).splitlines()
    names, values = (line.split("\t") for line in out if not line.startswith("#"))
    found = dict(zip(names, values, strict=True))

    assert [float(found[f"area({p})"]) for p in (50, 90)] == pytest.approx(credible, abs=cell)


def test_ligo_skymap_contour_moc_has_the_area(call, folder, tmp_path, credible, cell):
    call("ligo-skymap-contour-moc", *documented("ligo-skymap-contour-moc", folder))
    table = fits.getdata(tmp_path / "region.fits", 1)
    header = fits.getheader(tmp_path / "region.fits", 1)

    assert header["ORDERING"] == "RANGE"
    ranges = np.asarray(table.field(0), dtype=np.int64).reshape(-1, 2)
    area = np.sum(ranges[:, 1] - ranges[:, 0]) * np.degrees(np.degrees(np.pi / 3)) / 4.0**29
    assert area == pytest.approx(credible[1], abs=1.01 * cell)


def test_ligo_skymap_flatten_keeps_the_probability(call, folder, tmp_path):
    call("ligo-skymap-flatten", *documented("ligo-skymap-flatten", folder))

    total = fits.getdata(tmp_path / "flat.fits", 1)["PROB"].sum()
    assert total == pytest.approx(1, rel=1e-6)  # its own rounding


def test_ligo_skymap_plot_draws_the_map(call, folder, tmp_path):
    call("ligo-skymap-plot", *documented("ligo-skymap-plot", folder))

    assert (tmp_path / "map.png").read_bytes().startswith(b"\x89PNG")


def test_ligo_skymap_contour_draws_lines_around_the_regions(call, folder, tmp_path):
    call("ligo-skymap-contour", *documented("ligo-skymap-contour", folder))
    features = json.loads((tmp_path / "contour.json").read_text())["features"]

    assert len(features[0]["geometry"]["coordinates"]) == 3  # the ring, its hole, the other part


def test_arviz_opens_samples_of_a_model(call, tmp_path):
    cells = one_axis("time_bin", np.arange(3.0))
    quantities = {
        "burst.flux": Free(1.0, per="time_bin"),
        "burst.index": Free(-2.0),
        "double": Expression("2 * burst.flux"),
    }
    layer = Layer(quantities, cells)
    rng = np.random.default_rng(1)
    x, lp = rng.normal(size=(2, 100, 10, 4)), rng.normal(size=(2, 100, 10))
    samples = Samples(tuple(layer.names), tuple(layer.units), x, lp)
    write_samples(tmp_path / "samples.h5", samples, layer, "abc", Provenance("test"))
    found = json.loads(
        call("python", Path(__file__).with_name("readers.py"), "arviz", tmp_path).splitlines()[-1]
    )
    assert found["sizes"] == {"chain": 20, "draw": 100, "time_bin": 3}
    assert found["dimensions"]["burst.flux"] == ["chain", "draw", "time_bin"]
    assert found["dimensions"]["burst.index"] == ["chain", "draw"]
    mean = samples.flat.mean(axis=0)
    assert found["mean"]["burst.index"] == pytest.approx(mean[0], abs=1e-12)
    assert found["mean"]["double[2]"] == pytest.approx(2 * mean[3], abs=1e-12)
    assert found["lp"] == pytest.approx(lp.mean(), abs=1e-12)
    # draws are independent: both sizes are near their number
    assert found["ess"]["burst.index"] == pytest.approx(2000, rel=0.25)


@pytest.mark.parametrize("name", ["mocpy", "gammapy"])
def test_python_of_the_documentation_runs(call, folder, name):
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    (block,) = (block for block in blocks if f"from {name}" in block)
    call("python", "-c", block.replace("results/my-burst", str(folder)))
