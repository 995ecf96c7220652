"""Steps one after the other: what each writes, and what it refuses."""

import json
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from skyquilt.config import parse_config
from skyquilt.errors import ConfigError, ProductError
from skyquilt.fit.file import read_chunk, read_plan
from skyquilt.host import host_name
from skyquilt.instruments.compton.table import read_table
from skyquilt.io.digest import file_digest
from skyquilt.io.listing import LISTING, read_listing
from skyquilt.maps.file import read_skymap
from skyquilt.problem.file import read_problem, read_record
from skyquilt.sky.pixels import ring_to_nest
from skyquilt.steps.bin_events import bin_events_file
from skyquilt.steps.contract import contract_analysis
from skyquilt.steps.fit_chunk import fit_all_chunks, fit_chunk_file
from skyquilt.steps.merge import merge_files
from skyquilt.steps.plan import plan_analysis
from skyquilt.steps.plot import plot_analysis
from skyquilt.steps.prepare import prepare_analysis
from skyquilt.steps.run import make_inputs
from skyquilt.steps.simulate import simulate_files
from skyquilt.testing.ranks import run_ranks

CENTER = {"lon": 45.0, "lat": 41.8, "frame": "galactic"}  # a pixel centre at nside 1


def test_contract_writes_a_note_that_names_the_table(local, tmp_path):
    contract_analysis(local.config(), "tiny", tmp_path / "table.json")

    note = json.loads((tmp_path / "table.json").read_text())
    assert note["schema"] == "skyquilt/table-note"
    record = note["provenance"]
    assert (record["stage"], record["hosts"]) == ("contract", [host_name()])
    (response,) = record["inputs"]
    assert response["sha256"] == file_digest(response["path"])
    assert read_table(note["tables"][""]).rows.shape == (12, 108)


def test_prepare_records_settings_inputs_and_the_stage_before(local):
    folder = local.prepare()

    record = read_record(f"{folder}/problem.h5")
    whole = ("instrument", "data", "energy", "datasets", "spectrum", "spectra", "shape")
    assert record["settings"] == local.analysis().model_dump(
        mode="json",
        include=dict.fromkeys((*whole, "flux_range"), True) | {"fit": {"allow_negative"}},
        exclude={"data": {"time_bins"}},  # of models
    )
    assert [item["path"] for item in record["inputs"]] == list(local.analysis().paths())
    assert [stage["stage"] for stage in record["stages"]] == ["contract", "prepare"]


def test_prepare_after_contract_does_not_contract_again(local, monkeypatch, tmp_path):
    contract_analysis(local.config(), "tiny", tmp_path / "table.json")
    monkeypatch.setattr("skyquilt.instruments.compton.response.model.Response.blocks", None)

    local.prepare()


def test_prepare_with_a_damaged_table_is_refused(local, damage, tmp_path, untouched):
    contract_analysis(local.config(), "tiny", tmp_path / "table.json")
    damage(json.loads((tmp_path / "table.json").read_text())["tables"][""], dataset="rows")

    with pytest.raises(ProductError, match=r"checksum differs.*remove it and run again"):
        prepare_analysis(local.config(), "tiny", tmp_path / "problem.h5")

    assert not (tmp_path / "problem.h5").exists()


def _planned(local, **settings):
    local.settings["map"] = {"nside": 2, **settings}
    plan = read_plan(f"{local.prepare()}/plan.json")
    return np.concatenate([plan.chunk_ipix(index) for index in plan.chunks])


def test_plan_of_the_whole_sky_has_all_pixels(local):
    np.testing.assert_array_equal(_planned(local), np.arange(48))


def test_plan_of_a_cone_has_the_pixels_inside(local):
    # pixel 0 (nested, nside 1) lies at (45, 41.8); its children are up to 23 deg away
    found = _planned(local, region={"center": CENTER, "radius": 25})

    np.testing.assert_array_equal(found, [0, 1, 2, 3])


def test_plan_of_a_cone_in_another_frame_than_the_map_has_the_same_place(local):
    from astropy.coordinates import SkyCoord

    icrs = SkyCoord(45, 41.8, unit="deg", frame="galactic").icrs
    center = {"lon": icrs.ra.deg, "lat": icrs.dec.deg, "frame": "icrs"}

    found = _planned(local, region={"center": center, "radius": 25})

    np.testing.assert_array_equal(found, [0, 1, 2, 3])


def test_plan_of_a_polygon_has_the_pixels_inside(local):
    corners = [(30, 10), (60, 10), (60, 75), (30, 75)]
    vertices = [{"lon": lon, "lat": lat, "frame": "galactic"} for lon, lat in corners]

    found = _planned(local, region={"vertices": vertices})

    np.testing.assert_array_equal(found, [0, 3])


def test_plan_of_listed_pixels_reads_them_in_the_ordering_of_the_map(local):
    np.testing.assert_array_equal(_planned(local, region={"pixels": [5, 6]}), [5, 6])
    np.testing.assert_array_equal(
        _planned(local, ordering="ring", region={"pixels": [5, 6]}),
        np.sort(ring_to_nest(2, np.array([5, 6]))),
    )


def test_plan_passes_the_options_of_the_fit_on(local):
    local.settings["fit"] = {"chunks": 4, "allow_negative": True}
    plan = read_plan(f"{local.prepare()}/plan.json")

    assert (plan.n_chunks, plan.options.allow_negative) == (4, True)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"map": {"nside": 1, "region": {"pixels": [12]}}}, r"map\.region: .*12"),
        (
            {"map": {"nside": 1, "region": {"center": {**CENTER, "lon": 0}, "radius": 0.1}}},
            r"map\.region: ",
        ),
        ({"fit": {"chunks": 7}}, "7"),
    ],
    ids=["pixel", "cone", "chunks"],
)
def test_plan_that_is_not_possible_is_refused(local, settings, message, tmp_path):
    local.settings |= settings
    prepare_analysis(local.config(), "tiny", tmp_path / "problem.h5")

    with pytest.raises(ConfigError, match=message):
        plan_analysis(local.config(), "tiny", tmp_path / "problem.h5", tmp_path / "plan.json")

    assert not (tmp_path / "plan.json").exists()


@pytest.mark.parametrize("index", [-1, 3, 12])
def test_fit_of_a_chunk_that_does_not_exist_lists_those_that_do(local, index, tmp_path):
    local.settings["fit"] = {"chunks": 3}
    folder = local.prepare()

    with pytest.raises(ConfigError, match=rf"no chunk {index} with pixels .*\[0, 1, 2\]"):
        fit_chunk_file(f"{folder}/problem.h5", f"{folder}/plan.json", index, tmp_path / "c.h5")


def test_inputs_that_do_not_say_what_made_them_are_made_again(local, monkeypatch):
    made, output = [], Path(local.path("results/counts.h5"))
    local.settings["data"]["counts"] = [{"path": str(output)}]
    binning = {"events": local.path("results/events.fits.gz"), "output": str(output)}
    binning |= {"frame": "galactic", "time_edges": [0, 1], "energy_edges": ["1 keV", "2 keV"]}
    binning |= {"phi_width": "10 deg", "nside": 1}
    source = {"position": CENTER, "spectrum": local.settings["spectrum"], "events": {}}
    sections = {"binning": {"day": binning, "other": binning | {"output": "results/other.h5"}}}
    sections["simulation"] = {"folder": local.path("results"), "sources": {"x": source}}
    sections["simulation"]["background"] = {"events": {}}
    binning["events"] = local.path("results/x_events.fits.gz")
    config = parse_config(local.raw_config() | sections)
    monkeypatch.setattr("skyquilt.steps.run.simulate_files", lambda config: made.append("simulate"))
    monkeypatch.setattr(
        "skyquilt.steps.run.bin_events_file", lambda config, name: made.append(name)
    )

    make_inputs(config, "tiny")
    assert made == ["simulate", "day"]
    output.parent.mkdir()
    output.touch()
    make_inputs(config, "tiny")
    assert made == ["simulate", "day", "simulate", "day"]


def test_fit_of_all_chunks_is_that_of_each_and_logs_progress_of_the_whole(local, caplog):
    local.settings["fit"] = {"chunks": 4}
    folder = local.prepare()
    problem, plan = f"{folder}/problem.h5", f"{folder}/plan.json"
    plan_analysis(local.config(), "tiny", problem, plan)
    caplog.set_level("INFO")

    made = fit_all_chunks(problem, plan, local.folder / "all")

    assert [path.name for path in made] == [f"00{index}-of-004.h5" for index in range(4)]
    assert caplog.text.count("fit: 12/12 pixels") == 1
    fit_chunk_file(problem, plan, 2, local.folder / "two.h5")
    alone, among = (read_chunk(path).result for path in (local.folder / "two.h5", made[2]))
    np.testing.assert_array_equal(alone.ipix, among.ipix)
    np.testing.assert_array_equal(alone.fit.ts, among.fit.ts)


def test_fit_of_a_chunk_logs_progress_and_does_not_depend_on_threads(local, caplog):
    caplog.set_level("INFO")
    folder = local.prepare()
    results = []
    for threads in (1, 3):
        path = local.path(f"{threads}.h5")
        fit_chunk_file(f"{folder}/problem.h5", f"{folder}/plan.json", 0, path, threads=threads)
        results.append(read_chunk(path).result)

    assert "chunk 0: 12/12 pixels" in caplog.text
    np.testing.assert_array_equal(results[0].fit.ts, results[1].fit.ts)


def test_fit_of_a_chunk_reads_the_copy_on_the_node(local, tmp_path, monkeypatch):
    folder, scratch = local.prepare(), tmp_path / "scratch"
    scratch.mkdir()
    read = []
    monkeypatch.setattr(
        "skyquilt.steps.fit_chunk.read_problem",
        lambda path: read.append(path) or read_problem(path),
    )
    results = []
    for place in (None, str(scratch)):
        path = tmp_path / "chunk.h5"
        fit_chunk_file(f"{folder}/problem.h5", f"{folder}/plan.json", 0, path, scratch=place)
        results.append(read_chunk(path).result)
    assert [path.is_relative_to(scratch) for path in read] == [False, True]
    np.testing.assert_array_equal(results[0].fit.ts, results[1].fit.ts)
    assert list(scratch.iterdir()) == []


def test_copy_on_one_node_that_takes_long_is_no_stall_for_the_others(local, tmp_path, monkeypatch):
    folder, slow = local.prepare(), threading.Lock()
    monkeypatch.setattr("skyquilt.parallel.team._BEAT_S", 0.05)

    @contextmanager
    def staged(path, _):
        if slow.acquire(blocking=False):  # the first rank to come copies
            time.sleep(3)
        yield path

    monkeypatch.setattr("skyquilt.steps.fit_chunk.staged", staged)
    names = (f"{folder}/problem.h5", f"{folder}/plan.json", 0, tmp_path / "chunk.h5")
    run_ranks(2, lambda comm: fit_chunk_file(*names, comm=comm, stall_s=2, scratch="there"))
    assert read_chunk(tmp_path / "chunk.h5").result.ipix.size == 12


def test_fit_with_a_plan_of_another_problem_is_refused(local, tmp_path):
    folder = local.prepare()
    local.write_counts("counts.h5", local.counts + 1)
    prepare_analysis(local.config(), "tiny", tmp_path / "problem.h5")

    with pytest.raises(
        ProductError, match=r"plan\.json: answers problem .*problem\.h5 .*`skyquilt plan`"
    ):
        fit_chunk_file(tmp_path / "problem.h5", f"{folder}/plan.json", 0, tmp_path / "c.h5")

    assert not (tmp_path / "c.h5").exists()


def test_merge_with_a_plan_of_another_problem_is_refused(local, tmp_path):
    chunks, folder = local.fit(), local.path("results/tiny")
    local.write_counts("counts.h5", local.counts + 1)
    prepare_analysis(local.config(), "tiny", tmp_path / "problem.h5")

    with pytest.raises(
        ProductError, match=r"plan\.json: answers problem \w{12}, but .*problem\.h5"
    ):
        merge_files(tmp_path / "problem.h5", f"{folder}/plan.json", chunks, tmp_path / "maps.fits")

    assert not (tmp_path / "maps.fits").exists()


def test_maps_record_all_stages_and_the_problem(local):
    local.settings["fit"] = {"chunks": 3}
    local.run()

    record = read_skymap(local.path("results/tiny/maps.fits"))[1]

    stages = {stage["stage"]: stage["n_jobs"] for stage in record["stages"]}
    assert stages == {"contract": 1, "prepare": 1, "fit": 3, "merge": 1}
    identity = read_problem(local.path("results/tiny/problem.h5")).identity
    assert record["problem_identity"] == identity
    assert record["description"]["instrument"] == "compton"


@pytest.mark.parametrize("ordering", ["nested", "ring"])
@pytest.mark.parametrize("frame", ["galactic", "icrs"])
def test_maps_have_the_frame_and_ordering_of_the_analysis(local, ordering, frame):
    from astropy.io import fits

    local.settings["map"] = {"nside": 2, "ordering": ordering, "frame": frame}

    assert local.run().frame == frame
    header = fits.getheader(local.path("results/tiny/maps.fits"), "SKYMAP")
    assert header["ORDERING"] == ordering.upper()


def test_negative_fluxes_are_fitted_when_allowed(local):
    local.settings["data"]["accept"] = ["totals"]
    local.write_counts("counts.h5", np.floor(local.background / 2))
    at_bound = local.run()
    local.settings["fit"] = {"allow_negative": True}
    negative = local.run()

    assert np.all(at_bound.columns["flux"] == 0)
    assert np.all(negative.columns["flux"] < 0)
    assert np.all(negative.columns["sqrt_ts"] < 0)


def plot(local, output, **changes):
    folder = local.folder / "results/tiny"
    names = {"problem": "problem.h5", "maps": "maps.fits", "skymap": "skymap.multiorder.fits"}
    names |= {"summary": "summary.json"}
    files = {key: folder / name for key, name in names.items()} | changes
    plot_analysis(local.config(), "tiny", *files.values(), output)


@pytest.mark.slow
def test_plot_ends_the_way(local, tmp_path):
    local.settings["localise"] = {"true_position": CENTER}
    local.localise()

    plot(local, tmp_path / "plots")

    made = {path for path in (tmp_path / "plots").iterdir() if path.name != LISTING}
    assert {path.suffix for path in made} == {".png", ".pdf"}
    assert set(read_listing(tmp_path / "plots")) == made


@pytest.mark.parametrize("content", [None, b"{", b"\xff\xfe"])
def test_plot_with_a_damaged_summary_names_the_command(local, content, tmp_path):
    local.localise()
    summary = tmp_path / "summary.json"
    if content is not None:
        summary.write_bytes(content)

    with pytest.raises(ProductError, match=r"summary\.json: cannot be read .*`skyquilt localise`"):
        plot(local, tmp_path / "plots", summary=summary)


@pytest.mark.parametrize("step", [contract_analysis, prepare_analysis])
def test_unknown_analysis_lists_those_that_exist(local, step, tmp_path):
    with pytest.raises(ConfigError, match=r"no analysis 'grb'; there are: tiny"):
        step(local.config(), "grb", tmp_path / "out")


def test_unknown_binning_lists_those_that_exist(local):
    with pytest.raises(ConfigError, match=r"no binning 'grb'; there are: none"):
        bin_events_file(local.config(), "grb")


def test_simulation_that_is_not_configured_is_refused(local):
    with pytest.raises(ConfigError, match="no section `simulation`"):
        simulate_files(parse_config(local.raw_config()))
