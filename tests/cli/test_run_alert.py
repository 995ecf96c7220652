"""`run` for alerts: settings of one run, numbers for programs, a circular, figures, the page."""

import json
import re
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture
def config(local, write_config):
    """An observation of two time bins, and a map of 48 pixels."""
    for name, counts in (("counts.h5", local.counts), ("background.h5", local.background)):
        local.write_counts(name, np.stack([counts] * 2), time=[0, 5, 10])
    local.settings["map"] = {"nside": 2}
    return write_config(local)


def read_json(run, *arguments):
    code, out, errors = run("run", "--quiet", "--json", *arguments)
    assert code == 0, errors
    return [json.loads(line) for line in out.splitlines()]


def test_json_holds_what_the_summary_and_the_files_say(run, config, local):
    (notice,) = read_json(run, "--config", config)

    folder = Path(local.path("results/tiny"))
    summary = json.loads((folder / "summary.json").read_text())
    assert notice["analysis"] == "tiny"
    assert notice["instrument"] == "compton"
    assert notice["ts"] == summary["best"]["ts"]
    assert notice["position"]["ra"] == summary["best"]["icrs"]["lon"]
    assert notice["flux"]["value"] == summary["best"]["photon_flux"]
    assert notice["flux"]["unit"] == "ph cm-2 s-1"
    assert notice["regions"][0]["area_deg2"] == summary["credible"][0]["area_deg2"]
    assert notice["p_value"] is None  # no simulated skies
    assert notice["time"]["start_utc"] == "2027-01-15T08:00:00.000Z"
    assert notice["time"]["duration_s"] == 10
    for path in (*notice["files"].values(), notice["regions"][0]["moc"]):
        assert Path(path).is_file()


def test_tstart_and_tstop_are_those_of_the_interval(run, config):
    times = ("--tstart", "2027-01-15T08:00:00", "--tstop", "2027-01-15 08:00:05Z")
    (in_dates,) = read_json(run, "--config", config, *times)
    (in_seconds,) = read_json(run, "--config", config, "--tstart", "1.8e9", "--tstop", "1800000005")
    (by_set,) = read_json(run, "--config", config, "--set", "data.interval=[1.8e+9, 1800000005.0]")
    assert in_dates["time"]["duration_s"] == 5
    assert in_dates == in_seconds == by_set


def test_tstop_alone_keeps_the_start_of_the_analysis(run, config):
    interval = ("--set", "data.interval=[1800000000.0, 1800000010.0]")
    (notice,) = read_json(run, "--config", config, *interval, "--tstop", "2027-01-15T08:00:05")
    assert (notice["time"]["start_unix_s"], notice["time"]["duration_s"]) == (1.8e9, 5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--tstart", "2027-01-15T08:00:00"], "--tstop is missing"),
        (["--tstop", "2027-01-15T08:00:00"], "--tstart is missing"),
        (["--tstart", "today", "--tstop", "5"], "--tstart: 'today' is no time: give UNIX s, or"),
        (["--tstart", "2027-13-01", "--tstop", "5"], "--tstart: '2027-13-01' is no time"),
        (["--tstart", "5", "--tstop", "4"], "the start must lie before the end"),
        (["--tstart", "nan", "--tstop", "4"], "interval"),
        (["--set", "map.nside"], "give KEY=VALUE"),
        (["--set", "map.nside=3"], "nside 3"),
        (["--set", "mop.nside=4"], "mop"),
        (["--set", "analyses.other.map.nside=4"], "other"),
        (["--analysis", "none", "--set", "map.nside=4"], "none"),
    ],
)
def test_wrong_settings_of_one_run_are_one_line_and_nothing_written(
    run, config, local, arguments, message
):
    code, out, errors = run("run", "--quiet", "--config", config, *arguments)
    assert (code, out) == (2, "")
    assert len(errors) == 1
    assert message in errors[0]
    assert not Path(local.path("results")).exists()


def test_set_changes_the_result_and_the_settings_beside_it(run, config, local):
    (notice,) = read_json(
        run, "--config", config, "--set", "map.nside=1", "--set", f"results={local.path('other')}"
    )
    assert str(local.path("other")) in notice["files"]["maps"]
    assert "nside: 1" in Path(local.path("other/tiny/config.yaml")).read_text()
    assert not Path(local.path("results")).exists()


def test_circular_says_what_the_json_says(run, config):
    (notice,) = read_json(run, "--config", config)
    code, text, _ = run("run", "--quiet", "--circular", "--config", config)
    assert code == 0
    assert text.isascii()
    assert max(map(len, text.splitlines())) < 200  # paths stay whole
    assert text.startswith("SUBJECT: tiny: ")
    assert f"RA  = {notice['position']['ra']:.3f} deg" in text
    assert f"{notice['regions'][0]['area_deg2']:.3g} deg2" in re.sub(r"\s+", " ", text)
    assert "2027-01-15T08:00:00.000Z" in text
    assert "None" not in text


def test_circular_without_a_source_says_so(run, config, local):
    for name in ("counts.h5", "background.h5"):
        local.write_counts(name, np.stack([np.full_like(local.counts, 3.0)] * 2), time=[0, 5, 10])
    local.write_counts(
        "counts.h5", np.stack([np.full_like(local.counts, 2.0)] * 2), time=[0, 5, 10]
    )
    code, text, _ = run("run", "--quiet", "--circular", "--config", config)
    assert code == 0
    assert text == "tiny: no position prefers a source; there is nothing to report.\n"
    (notice,) = read_json(run, "--config", config)
    assert notice["position"] is notice["flux"] is notice["ts"] is None


def test_json_and_circular_exclude_each_other(run, config):
    code, _, errors = run("run", "--config", config, "--json", "--circular")
    assert code == 2
    assert "not allowed with" in errors[-1]


@pytest.mark.slow
def test_report_writes_figures_page_and_index(run, config, local):
    code, _, errors = run("run", "--quiet", "--report", "--config", config)
    assert code == 0, errors
    results = Path(local.path("results"))
    for path in ("tiny/report.html", "index.html", "tiny/plots/ts.png"):
        assert (results / path).is_file()
    assert run("verify", "--quiet", results)[0] == 0


@pytest.mark.slow
def test_plots_of_an_analysis_with_skies_that_are_not_there(run, local, write_config, caplog):
    local.settings["calibrate"] = {"null_skies": 100, "injections": 20, "nside": 1}
    config = write_config(local)
    code, _, errors = run("run", "--quiet", "--report", "--config", config)
    assert code == 0, errors
    assert "without simulated skies" in caplog.text
    page = Path(local.path("results/tiny/report.html"))
    made = page.stat().st_mtime_ns
    assert run("run", "--quiet", "--config", config)[0] == 0
    assert page.stat().st_mtime_ns == made  # it is what `run` writes
    local.settings["spectrum"]["index"] = -1.5
    assert run("run", "--quiet", "--config", write_config(local))[0] == 0
    assert not page.is_file()


@pytest.fixture
def model_config(local, write_config):
    """A model without a map: a source at a known position, two fits."""
    del local.settings["spectrum"], local.settings["map"]
    spectrum = {"model": "power_law", "norm": "1e-3 cm-2 s-1 keV-1", "pivot": "100 keV"}
    position = {"lon": 40.0, "lat": 25.0, "frame": "galactic"}
    local.settings["model"] = {
        "sources": {"a": {"position": position, "spectrum": spectrum | {"index": -2}}},
        "background": {"start": 1.0, "range": [0, None]},
        "fits": {"free": {}, "off": {"set": {"a.flux": 0.0}}},
        "compare": [["off", "free"]],
    }
    return write_config(local)


def test_json_of_a_model_without_a_map_holds_its_fits(run, model_config, local):
    (notice,) = read_json(run, "--config", model_config)
    assert notice.keys() == {"analysis", "model"}
    fits = notice["model"]["fits"]
    assert fits["free"]["status"] == "good"
    flux = fits["free"]["parameters"]["a.flux"]
    assert flux["error"] > 0
    assert "a.flux" not in fits["off"]["parameters"]
    (comparison,) = notice["model"]["comparisons"]
    loglike = [fits[name]["log_likelihood"] for name in ("free", "off")]
    assert comparison["ts"] == pytest.approx(2 * (loglike[0] - loglike[1]))
    assert Path(fits["free"]["file"]).is_file()


def test_json_of_a_map_with_a_model_holds_both(run, config, local, write_config):
    spectrum = {"model": "power_law", "norm": "1e-3 cm-2 s-1 keV-1", "pivot": "100 keV"}
    source = {"position": {"start": "best"}, "spectrum": spectrum | {"index": -2}}
    local.settings["model"] = {"sources": {"a": source}, "background": 1.0, "fits": {"only": {}}}
    (notice,) = read_json(run, "--config", write_config(local))
    assert notice["position"] is not None
    assert list(notice["model"]["fits"]) == ["only"]


def test_circular_of_a_model_without_a_map_is_refused_before_anything_is_made(
    run, model_config, local
):
    code, _, errors = run("run", "--circular", "--config", model_config)
    assert code == 2
    assert "--circular: tiny has no map, and a circular tells of a position" in " ".join(errors)
    assert not Path(local.path("results")).exists()
