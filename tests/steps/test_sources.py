"""Step `sources`, from the files of an observation to the list of sources."""

import numpy as np
import pytest
from astropy.table import Table

from skyquilt.errors import ConfigError, InputError, ProductError
from skyquilt.sources.file import read_sources
from skyquilt.steps.check import check_files
from skyquilt.steps.run import run_analysis
from skyquilt.steps.sources import sources_analysis

AT = (45.0, 41.8)  # galactic, the direction of the observation's source: a pixel centre at nside 1


@pytest.fixture
def searched(local):
    """Observation of 10 s with a source, fitted at nside 4; run the step with some settings."""
    local.settings["map"] = {"nside": 4}
    local.write_counts("counts.h5", np.rint(local.background + 40 * local.area[3].sum(axis=0)))
    local.settings["sources"] = {}
    local.run()

    def run(**settings):
        local.settings["sources"] = settings
        folder = local.path("results/tiny")
        sources_analysis(
            local.config(),
            "tiny",
            f"{folder}/problem.h5",
            f"{folder}/maps.fits",
            f"{folder}/sources.ecsv",
        )
        return Table.read(f"{folder}/sources.ecsv")

    run.observation = local
    return run


def catalogue(local, lon, lat, names=("A", "B")):
    path = local.path("catalogue.ecsv")
    Table({"Name": names, "GLON": lon, "GLAT": lat}).write(path)
    return path


def test_sources_writes_both_tables_and_their_provenance(searched):
    found = searched()
    local = searched.observation
    columns, record = read_sources(local.path("results/tiny/sources.fits"))
    assert len(found) >= 1
    np.testing.assert_array_equal(found["ts"], columns["ts"])
    assert record["analysis"] == "tiny"
    assert record["settings"]["threshold"] == 25
    assert [item["path"].rsplit("/", 1)[1] for item in record["inputs"]] == [
        "problem.h5",
        "maps.fits",
    ]
    assert found["ts"][0] >= 25


def test_methods_differ_in_what_they_do_with_several_peaks(searched):
    iterative, peaks = searched(threshold=10), searched(threshold=10, method="peaks")
    # positions end within 0.05 standard errors each: 0.0025 of TS
    assert peaks["ts"][0] >= iterative["ts"][0] - 0.005
    assert np.all(np.diff(peaks["ts"]) <= 0)


def test_errors_hold_the_systematic_error_of_the_localisation(searched):
    local = searched.observation
    found = {}
    for error in (0.0, 5.0, "auto"):
        local.settings["localise"] = {"systematic_error": error}
        found[error] = searched()
    statistical = found[0.0]["pos_err"][0]
    # pixels of nside 1 of the observation's response are 58.6 deg wide: 9 % of that
    for error, value in ((5.0, 5.0), ("auto", 0.09 * 58.6)):
        assert found[error]["pos_err_sys"][0] == pytest.approx(value, rel=1e-3)
        assert found[error]["pos_err"][0] == pytest.approx(np.hypot(statistical, value), rel=0.1)


def test_threshold_that_nothing_reaches_gives_an_empty_table(searched, caplog):
    caplog.set_level("INFO")
    found = searched(threshold=1e9)
    assert len(found) == 0
    assert "ra" in found.colnames
    assert "0 sources above TS 1e+09" in caplog.text


def test_prefix_begins_the_names(searched):
    assert searched(prefix="TEST")["name"][0].startswith("TEST J")


def test_catalogue_adds_counterparts_and_a_table_of_all_objects(searched, caplog):
    caplog.set_level("INFO")
    local = searched.observation
    lon, lat = searched()["glon"][0], searched()["glat"][0]
    path = catalogue(local, [lon + 0.1, lon + 90], [lat, -10.0])

    found = searched(catalogue={"path": path, "radius": 2.0})

    assert found["assoc"][0] == "A"
    assert found["assoc_sep"][0] == pytest.approx(0.1 * np.cos(np.radians(lat)), rel=1e-3)
    assert 0 < found["assoc_chance"][0] < 0.01
    objects = Table.read(local.path("results/tiny/sources.fits"), hdu="CATALOGUE")
    assert objects["name"].tolist() == ["A", "B"]
    assert objects["source"].tolist() == [found["name"][0], ""]
    assert objects["ts"][0] == pytest.approx(found["ts"][0], rel=0.1)
    assert objects["is_upper_limit"].tolist() == [False, bool(objects["ts"][1] < 25)]
    assert np.all(objects["flux_ul"] > objects["flux"])
    assert "1 of 2 catalogue objects in the map have a source; without: B (TS " in caplog.text


def test_objects_outside_the_region_are_left_out(local):
    local.settings["map"] = {
        "nside": 4,
        "region": {"center": {"lon": 45, "lat": 41.8, "frame": "galactic"}, "radius": 20},
    }
    path = catalogue(local, [45.0, 200.0], [41.0, -40.0])
    local.settings["sources"] = {"catalogue": {"path": path}}
    local.run()
    folder = local.path("results/tiny")
    sources_analysis(
        local.config(),
        "tiny",
        f"{folder}/problem.h5",
        f"{folder}/maps.fits",
        f"{folder}/sources.ecsv",
    )
    objects = Table.read(f"{folder}/sources.fits", hdu="CATALOGUE")
    assert objects["name"].tolist() == ["A"]


def test_analysis_without_the_section_is_refused(local):
    local.run()
    folder = local.path("results/tiny")
    with pytest.raises(ConfigError, match=r"analysis tiny has no section `sources`"):
        sources_analysis(
            local.config(),
            "tiny",
            f"{folder}/problem.h5",
            f"{folder}/maps.fits",
            f"{folder}/s.ecsv",
        )


def test_maps_of_another_problem_are_refused(searched, tmp_path):
    from skyquilt.steps.prepare import prepare_analysis

    local = searched.observation
    local.write_counts("counts.h5", local.counts + 1)
    other, maps = tmp_path / "problem.h5", local.path("results/tiny/maps.fits")
    prepare_analysis(local.config(), "tiny", other)
    with pytest.raises(ProductError, match=r"answers problem \w{12}, but .*problem\.h5"):
        sources_analysis(local.config(), "tiny", other, maps, tmp_path / "sources.ecsv")
    assert not (tmp_path / "sources.ecsv").exists()


def test_catalogue_that_cannot_be_read_is_refused_before_the_search(searched):
    local = searched.observation
    with pytest.raises(InputError, match=r"none\.fits: no such file"):
        searched(catalogue={"path": local.path("none.fits")})


def test_check_reads_the_catalogue(local):
    path = catalogue(local, [1.0, 2.0], [3.0, 4.0])
    local.settings["sources"] = {"catalogue": {"path": path}}
    assert f"tiny: 2 objects in {path}" in check_files(local.config())

    local.settings["sources"] = {"catalogue": {"path": path, "name": "Who"}}
    with pytest.raises(InputError, match=r"sources\.catalogue: .*no column 'Who'"):
        check_files(local.config())


@pytest.mark.parametrize("section", [None, {}])
def test_run_searches_when_asked_to(local, section):
    local.settings["sources"] = section
    times = run_analysis(local.config(), "tiny", 1)
    assert ("sources" in times) == (section is not None)
    assert (local.folder / "results/tiny/sources.ecsv").exists() == (section is not None)
