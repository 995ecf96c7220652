"""Populations of simulated photons, from files to probabilities of events."""

import json

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from skyquilt.config import parse_config
from skyquilt.config.spectrum import PowerLaw
from skyquilt.errors import ConfigError, InputError
from skyquilt.instruments.imaging.simulator import simulate
from skyquilt.io.fits_table import read_table
from skyquilt.io.json_file import read_json
from skyquilt.populations.file import read_densities
from skyquilt.populations.seen import see_sources
from skyquilt.populations.summary import SCHEMA
from skyquilt.problem.file import read_problem
from skyquilt.sky.frames import lonlat_to_vec, rotate, rotation, vec_to_lonlat
from skyquilt.sky.healpix import ring_to_vec
from skyquilt.spectra.models import evaluate
from skyquilt.steps.alert import read_notice
from skyquilt.steps.check import check_files
from skyquilt.steps.populations.catalogue import read_sources
from skyquilt.steps.populations.classify import SCHEMA as CLASSES
from skyquilt.steps.run import describe, run_analysis

DIFFUSE = {"model": "power_law", "norm": "1e-15 cm-2 s-1 keV-1", "pivot": "10 GeV", "index": -2.6}
SOURCE = {"model": "power_law", "norm": "3e-16 cm-2 s-1 keV-1", "pivot": "10 GeV", "index": -2.0}
FILES = ("events", "background", "exposure", "psf")
BRIGHT = {"one": (50.0, 20.0, 1.0), "two": (200.0, -40.0, 0.5)}  # lon, lat, times SOURCE
RANGE = ["10 GeV", "1 TeV"]


def write_template(path, nside=16, name="BAND", **cards):
    """A belt along the equator."""
    _, lat = vec_to_lonlat(ring_to_vec(nside, np.arange(12 * nside**2)))
    table = fits.BinTableHDU.from_columns(
        [fits.Column(name, "D", array=np.exp(-((lat / 20) ** 2)))]
    )
    keys = {"PIXTYPE": "HEALPIX", "ORDERING": "RING", "NSIDE": nside, "COORDSYS": "G"}
    table.header.update(keys | cards)
    table.writeto(path)


def write_catalogue(path, index=2.0):
    per_norm = 10e6 * (1 - 10 / 1000)  # of 10 GeV in keV, over the range
    rows = [
        (name, lon, lat, factor * 3e-16 * per_norm) for name, (lon, lat, factor) in BRIGHT.items()
    ]
    table = Table(rows=rows, names=("Name", "GLON", "GLAT", "Flux"))
    table["Index"] = index
    table["GLON"].unit = table["GLAT"].unit = "deg"
    table.write(path)


def settings(folder, **changes):
    components = {
        "sources": {
            "catalogue": {
                "path": str(folder / "sources.fits"),
                "flux": "Flux",
                "flux_range": RANGE,
                "index": "Index",
            }
        },
        "isotropic": {
            "isotropic": True,
            "spectrum": DIFFUSE | {"index": -2.3},
            "free": {"index": [-4, -1]},
        },
        "belt": {"template": {"path": str(folder / "belt.fits")}, "spectrum": DIFFUSE},
    }
    return {
        "cache": str(folder / "cache"),
        "results": str(folder / "results"),
        "simulation": {
            "instrument": "imaging",
            "folder": str(folder),
            "nside": 32,
            "point_spread": {"sigma": 1.5},
            "background": {"isotropic": {"spectrum": DIFFUSE}},
            "sources": {
                name: {
                    "position": {"lon": lon, "lat": lat, "frame": "galactic"},
                    "spectrum": SOURCE | {"norm": f"{factor * 3e-16} cm-2 s-1 keV-1"},
                }
                for name, (lon, lat, factor) in BRIGHT.items()
            },
        },
        "analyses": {
            "a": {
                "instrument": "imaging",
                "data": {name: {"path": str(folder / f"{name}.fits")} for name in FILES},
                "energy": {"range": RANGE},
                "populations": {
                    "components": components,
                    "compare": {"no-belt": ["sources", "isotropic"]},
                    "posterior": {"draws": 500},
                }
                | changes,
            }
        },
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("populations")
    write_template(folder / "belt.fits")
    write_catalogue(folder / "sources.fits")
    simulate(parse_config(settings(folder)).simulation)
    return folder


@pytest.fixture(scope="module")
def made(folder):
    run_analysis(parse_config(settings(folder)), "a", threads=1)
    return folder / "results" / "a" / "populations"


def test_simulated_fractions_index_and_fluxes_are_recovered(made):
    content = read_json(made / "populations.json", SCHEMA)
    model = content["models"]["all"]
    sources, isotropic, belt = model["populations"].values()
    index = model["parameters"]["isotropic.index"]
    # the simulation has no belt, isotropic photons of index -2.6, sources as in the catalogue
    assert sources["over_expected"] == pytest.approx(
        1, abs=3 * sources["events_err"] / sources["events"]
    )
    assert index["value"] == pytest.approx(-2.6, abs=3 * index["error"])
    assert belt["ts"] < 9
    assert belt["posterior"]["upper_95"] < 0.1
    total = sum(one["fraction"] for one in model["populations"].values())
    assert total == pytest.approx(1, rel=1e-6)
    assert isotropic["posterior"]["mean"] == pytest.approx(
        isotropic["fraction"], abs=isotropic["posterior"]["standard_deviation"]
    )
    assert content["models"]["no-belt"]["ln_bayes_factor"] > 0


def test_probabilities_tell_photons_of_the_sources(made):
    _, columns, _ = read_table(made / "classes.fits", CLASSES, name="CLASSES")
    vec = rotate(rotation("icrs", "galactic"), lonlat_to_vec(columns["RA"], columns["DEC"]))
    distance = np.degrees(
        np.arccos([vec @ lonlat_to_vec(*BRIGHT[name][:2]) for name in ("one", "two")])
    )
    near, far = distance[0] < 1, distance.min(axis=0) > 30
    assert columns["P_sources"][near].mean() > 0.9
    assert columns["P_sources"][far].mean() < 0.01
    whole = sum(columns[f"P_{name}"] for name in ("sources", "isotropic", "belt"))
    assert whole == pytest.approx(1, rel=1e-12)


def test_events_are_those_of_the_file_in_its_order(made, folder):
    _, columns, _ = read_table(made / "classes.fits", CLASSES, name="CLASSES")
    events = Table.read(folder / "events.fits", "EVENTS")
    chosen = columns["ROW"] - 1
    assert np.all(np.diff(chosen) > 0)
    frame = "icrs" if "RA" in events.colnames else "galactic"
    names = ("RA", "DEC") if frame == "icrs" else ("L", "B")
    vec = lonlat_to_vec(*(np.array(events[name], float)[chosen] for name in names))
    own = rotate(rotation("icrs", frame), lonlat_to_vec(columns["RA"], columns["DEC"]))
    np.testing.assert_allclose(own, vec, atol=1e-12)
    energy = events["ENERGY"].quantity.to_value("keV")[chosen]
    np.testing.assert_allclose(columns["ENERGY"], energy, rtol=1e-6)  # single precision


def test_sources_are_seen_as_the_expectation_sees_each(made, folder):
    problem = read_problem(made / "problem.h5")
    config = parse_config(settings(folder)).analyses["a"].populations
    catalogue = read_sources(config.components["sources"].catalogue)
    ((_, points),) = catalogue.parts(problem.frame)
    density, expected = see_sources(problem.expectation, points)
    axis = problem.expectation.true_energy
    want, total = np.zeros(density.size), 0.0
    for direction, norm, index in zip(points.direction, points.norm, points.index, strict=True):
        law = lambda energy, norm=norm, index=index: norm * (energy / points.pivot) ** index  # noqa: E731
        block = problem.expectation.with_spectrum(axis.flux(law)).block(direction[np.newaxis])
        np.add.at(want, block.bin, block.unit_counts)
        total += block.total[0]
    np.testing.assert_allclose(density, want, rtol=1e-12)
    assert expected == pytest.approx(total, rel=1e-12)


def test_extended_sources_of_a_catalogue_are_disks_and_gaussians(tmp_path, folder):
    path = tmp_path / "known.fits"
    points = fits.table_to_hdu(Table.read(folder / "sources.fits"))
    sizes = Table(
        rows=[("one", "Disk", 1.0, 1.0, 0.0), ("gone", "2D Gaussian", 2.0, 2.0, 0.0)],
        names=("Source_Name", "Model_Form", "Model_SemiMajor", "Model_SemiMinor", "Model_PosAng"),
    )
    fits.HDUList([fits.PrimaryHDU(), points, fits.table_to_hdu(sizes)]).writeto(path)
    with fits.open(path, mode="update") as file:
        file[2].header["EXTNAME"] = "SIZES"
    config = settings(folder)
    components = config["analyses"]["a"]["populations"]["components"]
    components["sources"]["catalogue"] |= {"path": str(path), "extended": "SIZES"}
    section = parse_config(config).analyses["a"].populations.components["sources"]
    catalogue = read_sources(section.catalogue)
    assert catalogue.numbers() == (1, 1)
    (none, points), (shape, sources) = catalogue.parts("icrs")
    assert none is None
    assert (shape.model, shape.radius) == ("disk", 1.0)
    assert (len(points.norm), len(sources.norm)) == (1, 1)


def test_isotropic_sky_is_seen_as_the_sum_of_many_points(made):
    problem = read_problem(made / "problem.h5")
    mixture, _, _ = read_densities(made / "densities.h5")
    isotropic = mixture.populations[1]
    expectation, nside = problem.expectation, 64
    direction = ring_to_vec(nside, np.arange(12 * nside**2))
    area = 4 * np.pi / len(direction)
    spectrum = PowerLaw(**(DIFFUSE | {"index": -2.3}))
    axis = expectation.true_energy
    flux = axis.flux(lambda energy: evaluate(spectrum, energy))
    seen, total = np.zeros(problem.counts.size), 0.0
    for start in range(0, len(direction), 4096):
        block = expectation.with_spectrum(flux).block(direction[start : start + 4096])
        seen += area * np.bincount(block.bin, block.unit_counts, minlength=seen.size)
        total += area * block.total.sum()
    assert isotropic.expected == pytest.approx(total, rel=1e-4)
    density = isotropic.density(isotropic.curve.start[np.newaxis])[0]
    # 1 deg pixels under point spreads of 0.5 deg at the highest energies
    assert np.median(np.abs(density * total / seen - 1)) < 0.01


def test_run_tells_the_fractions_to_people_and_programs(made, folder):
    config = parse_config(settings(folder))
    told = describe(config, "a")
    assert "of 3496 events" in told
    assert "isotropic.index -2.58" in told
    notice = json.loads(json.dumps(read_notice(config, "a"), allow_nan=False))
    assert set(notice["populations"]["models"]["all"]["populations"]) == {
        *("belt", "isotropic", "sources")
    }


def test_check_tells_what_catalogues_and_templates_hold(made, folder):
    told = check_files(parse_config(settings(folder)))
    assert "population sources: 2 points and 0 extended sources" in told
    assert "population belt: nside 16" in told


def test_everything_is_whole_and_nothing_is_made_again(made, folder):
    before = {path: path.stat().st_mtime_ns for path in made.iterdir()}
    run_analysis(parse_config(settings(folder)), "a", threads=1)
    assert {path: path.stat().st_mtime_ns for path in made.iterdir()} == before


@pytest.mark.parametrize(
    ("cards", "name", "said"),
    [
        ({"COORDSYS": "Q"}, "BAND", "COORDSYS"),
        ({"NSIDE": 32}, "BAND", "rows for"),
    ],
)
def test_template_that_is_none_is_refused(tmp_path, made, folder, cards, name, said):
    write_template(tmp_path / "other.fits", name=name, **cards)
    config = settings(folder)
    components = config["analyses"]["a"]["populations"]["components"]
    components["belt"]["template"]["path"] = str(tmp_path / "other.fits")
    with pytest.raises((InputError, ConfigError), match=said):
        check_files(parse_config(config))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"flux": "Fluxx"}, "no column 'Fluxx'"),
        ({"flux": "GLAT"}, "GLAT of two is -40"),
        ({"index": "Name"}, "Name holds no numbers"),
        ({"extended": "Sizes"}, "Sizes"),
    ],
)
def test_catalogue_that_is_none_is_refused(folder, changes, said):
    config = settings(folder)
    components = config["analyses"]["a"]["populations"]["components"]
    components["sources"]["catalogue"] |= changes
    with pytest.raises(InputError, match=said):
        check_files(parse_config(config))
