"""Files that other programs wrote, each in its own layouts, are read as what they hold."""

from pathlib import Path

import numpy as np
import pytest

from skyquilt.config.binning import Binning
from skyquilt.config.sources import Catalogue
from skyquilt.errors import InputError
from skyquilt.instruments.analyses import prepare
from skyquilt.instruments.compton.binning import bin_events
from skyquilt.instruments.compton.histograms import read_counts
from skyquilt.instruments.compton.orientation_files import read_orientation
from skyquilt.instruments.compton.response import open_response
from skyquilt.sky.frames import lonlat_to_vec, position_to_vec
from skyquilt.sources.catalogue.objects import read_catalogue
from skyquilt.steps.contains import ask_skymap
from skyquilt.testing.analyses import ask_one

WRITERS = Path(__file__).with_name("writers.py")

pytestmark = pytest.mark.formats

POWER_LAW = {"model": "power_law", "norm": "1e-12 cm-2 s-1 TeV-1", "pivot": "1 TeV", "index": -2}


@pytest.fixture(scope="module")
def written(write_once, tmp_path_factory):
    """What a program wrote, and the folder; each writes once."""
    known = {}

    def write(program):
        if program not in known:
            folder = tmp_path_factory.mktemp(program)
            known[program] = write_once(program, WRITERS, folder), folder
        return known[program]

    return write


# --- histpy ---


HISTOGRAMS = (
    *("dense", "coo", "margins", "ct", "MeV", "nested", "time", "other order", "float32"),
)


@pytest.mark.parametrize("name", HISTOGRAMS)
def test_counts_of_histpy_are_read(written, name):
    content, folder = written("histpy")

    counts = read_counts(str(folder / f"{name}.h5"), None).counts

    assert set(content["names"]) == set(HISTOGRAMS)
    assert np.array_equal(counts, np.array(content["counts"]))


# --- cosipy ---

ENERGIES = ("100 keV", "200 keV", "500 keV", "1 MeV", "2 MeV", "5 MeV")


@pytest.mark.parametrize("frame", ["local", "galactic"])
@pytest.mark.parametrize("name", ["events-fits.fits.gz", "events-hdf5.hdf5"])
def test_events_of_cosipy_are_binned_as_cosipy_does(written, tmp_path, name, frame):
    content, folder = written("cosipy")
    options = Binning(
        events=str(folder / name),
        output=str(tmp_path / "binned.h5"),
        frame=frame,
        time_edges=(1835478000.0, 1835478010.0),
        energy_edges=ENERGIES,
        phi_width="6 deg",
        nside=1,
    )

    bin_events(options)

    counts = read_counts(options.output, None).counts
    assert counts.sum() > 100
    assert np.array_equal(counts, np.array(content["counts"][frame]))


@pytest.mark.parametrize("frame", ["local", "galactic"])
def test_histograms_of_cosipy_are_read(written, frame):
    content, folder = written("cosipy")

    counts = read_counts(str(folder / f"binned-{frame}.hdf5"), None).counts

    assert np.array_equal(counts, np.array(content["counts"][frame]))


@pytest.mark.parametrize("name", ["orientation.fits", "packed.fits.gz"])
def test_orientation_of_cosipy_is_read(written, name):
    content, folder = written("cosipy")

    orientation = read_orientation(folder / name)

    assert orientation.time == pytest.approx(content["times"], abs=1e-5)
    assert orientation.livetime[:-1] == pytest.approx(content["livetime"], abs=1e-5)


def test_response_of_cosipy_is_opened(written):
    _, folder = written("cosipy")

    with open_response(str(folder / "response.h5")) as response:
        n_channels = response.space.em_edges.size - 1
        largest = max(block.max() for _, block in response.blocks(slice(0, n_channels)))

    assert response.frame == "local"
    assert 0 < largest < 100  # cm2


# --- gammapy ---


@pytest.mark.parametrize(
    "name", ["defaults", "packed", "migra", "diagonal", "mask", "galactic", "reco"]
)
def test_map_dataset_of_gammapy_expects_the_same_counts(written, name):
    content, _ = written("gammapy")
    about = content[name]

    problem = problem_of({"file": about["path"]}, POWER_LAW)

    assert problem.counts.sum() == about["counts"]
    assert problem.background_total == pytest.approx(about["background"], rel=1e-6)
    place = position_to_vec(83.6, 22.0, "icrs", problem.frame)
    expected = problem.expectation.block(place[np.newaxis]).total[0]
    # gammapy adds up the point spread function in pixels, and photons near the border are lost
    assert expected == pytest.approx(about["npred"], rel=0.01)


# --- healpy ---


@pytest.mark.parametrize("name", ["defaults", "nested", "float64", "packed", "partial"])
def test_maps_of_healpy_are_read(written, name, make_response):
    content, folder = written("healpy")
    ending = ".fits.gz" if name == "packed" else ".fits"
    paths = {what: str(folder / f"{name}-{what}{ending}") for what in ("counts", "background")}

    data = {what: {"path": path} for what, path in (paths | make_response(folder)).items()}
    spectrum = POWER_LAW | {"pivot": "10 GeV"}
    problem = problem_of(data, spectrum)

    assert problem.counts.sum() == content["counts"]
    assert problem.background_total == pytest.approx(content["background"], rel=1e-6)  # float32


# --- sky maps ---

SKY_MAPS = {
    "ligo_skymap": (
        *("many.multiorder.fits", "distances.multiorder.fits", "packed.fits.gz", "flat.fits"),
    ),
    "mhealpy": ("upper.multiorder.fits", "name.multiorder.fits"),
    "mocpy": ("cone.fits", "old.fits"),
}


@pytest.mark.parametrize(
    ("program", "name"), [(program, name) for program, names in SKY_MAPS.items() for name in names]
)
def test_sky_maps_of_others_hold_the_position(written, program, name):
    content, folder = written(program)
    lon, lat = content["position"]

    near, far = (ask_skymap(folder / name, lon, lat + aside, "icrs") for aside in (1, 15))

    assert set(content["names"]) == set(SKY_MAPS[program])
    assert near.is_inside
    assert not far.is_inside


# --- astropy ---

TABLES = (
    *("plain.fits", "packed.fits.gz", "united.ecsv", "mixin.ecsv", "mixin.fits", "skycoord.ecsv"),
    *("masked.fits", "masked.vot", "plain.csv", "plain.txt", "fixed.txt", "tabs.tsv"),
    *("lines.tex", "united.tbl", "united.mrt", "united.rdb", "united.vot"),
    *("united.xml", "binary.vot"),
)


@pytest.mark.parametrize("name", TABLES)
def test_catalogues_of_astropy_are_read(written, name):
    content, folder = written("astropy")

    known = read_catalogue(Catalogue(path=str(folder / name)))

    assert set(content["names"]) == {*TABLES, "page.html"}
    # a table for print has 6 decimals
    expected = lonlat_to_vec(np.array(content["lon"]), np.array(content["lat"]))
    assert known.direction == pytest.approx(expected, abs=1e-7)
    assert known.name[0] == "Crab"


def test_catalogue_in_html_is_refused(written):
    _, folder = written("astropy")

    with pytest.raises(InputError, match=r"page\.html: cannot be read as a table .* allowed are"):
        read_catalogue(Catalogue(path=str(folder / "page.html")))


def problem_of(data, spectrum):
    """Fit problem of an imaging analysis."""
    analysis = {"instrument": "imaging", "data": data, "spectrum": spectrum, "map": {"nside": 1}}
    return prepare(ask_one(analysis), "").problem
