"""Imaging data through the command line: whole maps, and one line for what is wrong."""

import json
import os

import numpy as np
import pytest
import yaml
from astropy.io import fits

from skyquilt.cli.main import main
from skyquilt.maps.file import read_skymap
from skyquilt.sky.frames import lonlat_to_vec, separation, vec_to_lonlat
from skyquilt.sky.healpix import nest_to_vec


@pytest.fixture
def run(sky, monkeypatch):
    """`run(verb, settings)`: exit code of a verb on an analysis `a`."""
    monkeypatch.chdir(sky.folder)

    def run(verb, settings, *options):
        (sky.folder / "config.yaml").write_text(yaml.safe_dump({"analyses": {"a": settings}}))
        return main([verb, "--config", "config.yaml", *options])

    return run


@pytest.mark.parametrize("kind", ["events", "counts"])
def test_run_makes_a_map_with_the_source_in_it(make_sky, run, kind):
    sky = make_sky(source_counts=300.0).write(kind)

    assert run("run", sky.settings(kind) | {"map": {"nside": 16}}) == 0

    skymap, record = read_skymap(sky.folder / "results/a/maps.fits")
    best = nest_to_vec(16, skymap.ipix[[np.nanargmax(skymap.ts)]])[0]
    assert separation(best, lonlat_to_vec(120.0, 35.0)) < 2.6  # pixels of 3.7 deg
    assert record["description"]["instrument"] == "imaging"
    summary = json.loads((sky.folder / "results/a/summary.json").read_text())
    assert summary["energy_range_keV"] == pytest.approx([1e7, 1e9])


def test_map_does_not_depend_on_chunks(sky, run):
    settings = sky.write("events").settings() | {"refine": {"enabled": False}}
    maps = []
    for chunks in (1, 12):
        run("run", settings | {"map": {"nside": 8}, "fit": {"chunks": chunks}})
        maps.append(read_skymap(sky.folder / "results/a/maps.fits")[0])

    for name in ("ts", "flux", "status"):
        np.testing.assert_array_equal(maps[0].columns[name], maps[1].columns[name])


def test_check_of_bad_files_is_one_line_and_exit_code_2(sky, run, capsys):
    sky.write("events").write_exposure(COORDSYS=None)

    assert run("check", sky.settings()) == 2

    message = capsys.readouterr().err.strip()
    assert message.count("\n") == 0
    assert "exposure.fits: its header has no COORDSYS" in message


@pytest.mark.parametrize("name", ["events.fits", "background.fits", "exposure.fits", "psf.fits"])
def test_prepare_of_a_truncated_file_leaves_nothing(sky, run, capsys, name):
    sky.write("events")
    content = (sky.folder / name).read_bytes()
    (sky.folder / name).write_bytes(content[: len(content) // 2])

    options = ("--analysis", "a", "--output", "problem.h5")
    assert run("prepare", sky.settings(), *options) == 2

    assert f"{name}: cannot be read as FITS, or cut short" in capsys.readouterr().err
    assert not (sky.folder / "problem.h5").exists()


def test_prepare_of_no_events_where_the_background_expects_many_is_refused(sky, run, capsys):
    sky.write("events")
    lon, lat = vec_to_lonlat(np.empty((0, 3)))
    none = {"L": (lon, "deg"), "B": (lat, "deg"), "ENERGY": (lon, "GeV"), "TIME": (lon, "s")}
    sky.write_tables("events.fits", ("EVENTS", none, {}))

    assert run("prepare", sky.settings(), "--analysis", "a", "--output", "problem.h5") == 2

    message = capsys.readouterr().err
    assert "events.fits: 0 counts" in message
    assert "accept: [totals]" in message


def write_brightness(path, pixels):
    """HEALPix map of nside 64 that is bright in some pixels."""
    values = np.zeros(12 * 64**2)
    values[pixels] = 1 / len(pixels)
    table = fits.BinTableHDU.from_columns([fits.Column("VALUE", "D", array=values)])
    cards = {"PIXTYPE": "HEALPIX", "NSIDE": 64, "ORDERING": "RING", "COORDSYS": "G"}
    table.header.update(cards)
    fits.HDUList([fits.PrimaryHDU(), table]).writeto(path, overwrite=True)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["events", "counts"])
def test_run_of_a_map_as_shape_names_it_and_follows_its_content(make_sky, run, kind):
    sky = make_sky(source_counts=300.0).write(kind)
    place = sky.folder / "shape.fits"
    write_brightness(place, [20_000, 20_001])
    region = {"center": {"lon": 120, "lat": 35, "frame": "galactic"}, "radius": 8}
    settings = sky.settings(kind) | {
        "map": {"nside": 16, "region": region},
        "shape": {"model": "map", "path": str(place)},
        "refine": {"max_order": 5},
        "sources": {"threshold": 25},
    }

    assert run("run", settings) == 0
    summary = json.loads((sky.folder / "results/a/summary.json").read_text())
    assert summary["shape"].startswith(f"map: {place} around (")
    assert (sky.folder / "results/a/sources.ecsv").exists()

    before = place.stat()
    write_brightness(place, [20_000, 20_003])
    os.utime(place, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert run("run", settings) == 0
    again = json.loads((sky.folder / "results/a/summary.json").read_text())
    assert again["best"]["ts"] != summary["best"]["ts"]


@pytest.mark.parametrize(
    "verb", [("check",), ("prepare", "--analysis", "a", "--output", "problem.h5")]
)
@pytest.mark.parametrize(
    ("values", "message"),
    [(2.0, "sum of the values is 2"), (-1.0, "negative"), (np.nan, "not finite")],
)
def test_map_that_is_no_brightness_is_one_line(sky, run, capsys, verb, values, message):
    sky.write("events")
    place = sky.folder / "shape.fits"
    write_brightness(place, [1500])
    with fits.open(place, mode="update") as file:
        file[1].data["VALUE"][1500] = values

    settings = sky.settings() | {"shape": {"model": "map", "path": str(place)}}
    assert run(verb[0], settings, *verb[1:]) == 2
    error = capsys.readouterr().err.strip().splitlines()
    assert message in error[-1]
    assert "shape.fits" in error[-1]
    assert not (sky.folder / "problem.h5").exists()
