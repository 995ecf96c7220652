"""All steps of targets, from the files of an observation to its tables."""

import json
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from skyquilt.errors import ConfigError, InputError, ProductError
from skyquilt.io.inspect import inspect_file
from skyquilt.io.listing import read_listing
from skyquilt.runs.verify import State, verify_tree
from skyquilt.steps.check import check_files
from skyquilt.steps.run import run_analysis
from skyquilt.steps.targets.fit import fit_targets
from skyquilt.steps.targets.plot import plot_targets
from skyquilt.targets.files import read_baseline

ROSTERS = {
    "one": {
        "here": {"lon": 45.0, "lat": 41.8, "frame": "galactic", "weight": 2.0},
        "there": {"lon": 200.0, "lat": -41.8, "frame": "galactic", "version": "long"},
    },
    "two": {"here": {"lon": 45.0, "lat": 41.8, "frame": "galactic", "weight": 2.0}},
}


@pytest.fixture
def asked(local):
    """Observation of a Compton telescope, whose analysis asks for targets."""
    local.write_counts("counts.h5", np.rint(local.background + 40 * local.area[3].sum(axis=0)))
    local.settings["targets"] = {"rosters": ROSTERS, "aliases": {"long": "l"}}
    return local


def _run(local):
    times = run_analysis(local.config(), "tiny", 1)
    return times, Path(local.path("results/tiny/targets"))


def test_run_makes_tables_of_all_targets(asked):
    times, folder = _run(asked)
    assert [name for name in times if "targets" in name or name == "baseline"] == [
        "prepare targets",
        "baseline",
        "list targets",
        "fit targets",
        "merge targets",
    ]
    listed = Table.read(folder / "targets.ecsv")
    assert listed["name"].tolist() == ["here", "there"]
    assert listed["roster"].tolist() == ["one,two", "one"]
    assert listed["version"].filled("").tolist() == ["", "l"]
    assert listed["weight"][0] == 2.0
    seds = Table.read(folder / "seds.ecsv")
    assert len(seds) == 2 * 3  # measured channels
    here = seds[seds["name"] == "here"]
    assert np.all(here["ts"] > 25)
    assert np.all(here["flux_ul"] > here["flux"])
    assert here["e_min"].unit == "MeV"
    assert here["eflux"] == pytest.approx(here["norm"] * np.array(here["eflux"] / here["norm"]))
    assert sorted(path.name for path in (folder / "sed").iterdir()) == [
        "here.point.fits",
        "there.point.fits",
    ]
    assert len(Table.read(folder / "spectra.ecsv")) == 0
    assert run_analysis(asked.config(), "tiny", 1) == {}


def test_spectra_are_fitted_where_they_are_asked_for(asked):
    asked.settings["targets"]["spectra"] = {"pl": {"model": "power_law", "free": ["index"]}}
    _, folder = _run(asked)
    found = Table.read(folder / "spectra.ecsv")
    assert found["spectrum"].tolist() == ["pl", "pl"]
    assert found["ts"][0] > 25
    assert np.all(np.isfinite(found["index_err"][:1]))


def test_files_of_targets_open_as_others_read_them(asked):
    _, folder = _run(asked)
    with fits.open(folder / "sed" / "here.point.fits") as file:
        table, header = file["FLUXPOINTS"].data, file["FLUXPOINTS"].header
        assert file.index_of("FLUXPOINTS") == 1
        assert (header["SED_TYPE"], header["UL_CONF"], header["SRCNAME"]) == (
            *("likelihood", 0.95),
            "here",
        )
        assert not {"npred", "counts"} & set(table.names)
        assert np.all(table["norm_scan"] == table["norm_scan"][0])
        assert table["stat_scan"] == pytest.approx(-2 * table["dloglike_scan"])
        assert table["stat_null"] == pytest.approx(table["ts"])
    with fits.open(folder / "seds.fits") as file:
        assert file[1].name == "SCANDATA"
        assert file["SCANDATA"].data["norm_scan"].shape == (2, 3, 31)
        assert np.all(np.isfinite(file["SCANDATA"].data["dloglike_scan"]))
        assert file["EBOUNDS"].columns["E_MIN"].unit == "keV"
    for path in folder.rglob("*.*"):
        assert inspect_file(path).schema.startswith("skyquilt/")


def test_numbers_do_not_depend_on_jobs_or_the_order_of_rosters(asked):
    _, folder = _run(asked)
    before = Table.read(folder / "seds.ecsv")
    rosters = {key: dict(reversed(ROSTERS[key].items())) for key in reversed(ROSTERS)}
    asked.settings["targets"] |= {"rosters": rosters, "targets_per_job": 1}
    _run(asked)
    assert len(json.loads((folder / "plan.json").read_text())["seds"]) == 2
    after = Table.read(folder / "seds.ecsv")
    for name in before.colnames:
        assert np.array_equal(before[name], after[name], equal_nan=before[name].dtype.kind == "f")


def test_damaged_and_missing_fits_are_found_and_made_again(asked, damage):
    _, folder = _run(asked)
    results = folder.parents[1]
    states = {item.state for item in verify_tree(results)}
    assert states <= {State.WHOLE, State.MISSING}
    part = next((folder / "seds").iterdir())
    damage(part, dataset="norm")
    (folder / "sed" / "here.point.fits").unlink()
    found = {item.path.name: item.state for item in verify_tree(results)}
    assert found[part.name] is State.DAMAGED
    assert found["here.point.fits"] is State.MISSING
    times, _ = _run(asked)
    assert list(times) == ["fit targets", "merge targets"]


def test_other_settings_make_only_what_depends_on_them(asked):
    _run(asked)
    asked.settings["targets"]["limits"] = 0.9
    times, _ = _run(asked)
    assert list(times) == ["list targets", "fit targets", "merge targets"]


def test_sources_of_the_map_are_the_neighbours(asked):
    asked.settings |= {"sources": {}, "map": {"nside": 4}}
    _, folder = _run(asked)
    neighbours, _ = read_baseline(folder / "baseline.h5")
    found = Table.read(folder.parent / "sources.ecsv")
    assert neighbours.name.tolist() == found["name"].tolist()
    assert Table.read(folder / "targets.ecsv")["n_neighbours"].tolist() == [len(found)] * 2
    asked.settings["sources"] = {"threshold": 1e6}
    times, _ = _run(asked)
    assert [name for name in times if name == "baseline" or "targets" in name] == [
        "baseline",
        "list targets",
        "fit targets",
        "merge targets",
    ]
    assert read_baseline(folder / "baseline.h5")[0].name.size == 0


def test_figures_are_made_of_those_of_largest_ts_or_of_some_names(asked):
    asked.settings["targets"]["spectra"] = {"pl": {"model": "power_law", "free": ["index"]}}
    asked.settings["targets"]["plots"] = {"castro": 1}
    _, folder = _run(asked)
    plots = folder / "plots"
    ts = Table.read(folder / "seds.ecsv")["ts"].reshape(2, 3).sum(axis=1)
    assert ts[0] > ts[1]

    plot_targets(asked.config(), "tiny", folder)

    pictures = ["castro-here.point.pdf", "castro-here.point.png"]
    assert sorted(path.name for path in plots.iterdir()) == [*pictures, "figures.json"]
    assert {item.state for item in verify_tree(folder.parents[1])} <= {State.WHOLE, State.MISSING}
    asked.settings["targets"]["plots"] = {"castro": ["there"]}
    assert run_analysis(asked.config(), "tiny", 1) == {}  # no number hangs on them
    plot_targets(asked.config(), "tiny", folder)
    assert [path.name for path in read_listing(plots)] == [
        "castro-there.point.pdf",
        "castro-there.point.png",
    ]
    asked.settings["targets"]["plots"] = {"castro": ["nowhere"]}
    for ask in (check_files, lambda config: plot_targets(config, "tiny", folder)):
        with pytest.raises(InputError, match=r"castro: no target 'nowhere' .* allowed are here, t"):
            ask(asked.config())


def test_check_counts_targets_and_tells_what_is_wrong_with_rosters(asked):
    assert "tiny: 2 targets on 2 rosters, 2 fits" in check_files(asked.config())
    asked.settings["targets"]["rosters"] = {"one": asked.path("none.yaml")}
    with pytest.raises(InputError, match=r"targets.rosters.one: .*none.yaml: no such file"):
        check_files(asked.config())


def test_a_job_that_is_not_in_the_plan_is_refused(asked):
    _, folder = _run(asked)
    with pytest.raises(ProductError, match="job 7: the plan has the jobs 0 to 0"):
        fit_targets(asked.config(), "tiny", 7, folder, folder / "seds" / "x.h5")
    asked.settings["targets"]["limits"] = 0.9
    with pytest.raises(ProductError, match=r"limits was not given and is 0\.9"):
        fit_targets(asked.config(), "tiny", 0, folder, folder / "seds" / "x.h5")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"region": 5}, "targets.region: 5: this instrument makes no images"),
        ({"bands": ["111 keV", "250 keV"]}, "111 keV is no edge .* or some in `targets.bands`"),
    ],
)
def test_what_the_data_do_not_allow_is_refused(asked, settings, message):
    asked.settings["targets"] |= settings
    with pytest.raises(ConfigError, match=message):
        _run(asked)
