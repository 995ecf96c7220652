"""Every verb runs its step with its arguments."""

import json
import re

import numpy as np
import pytest
import yaml
from astropy.io import fits

from skyquilt.fit.file import read_chunk
from skyquilt.io.digest import file_digest
from skyquilt.io.fits import read_maps
from skyquilt.maps.multiorder_file import read_multiorder


@pytest.fixture
def finished(local, run, write_config):
    """Folder and configuration after all verbs up to `localise`, chunks in two."""
    local.settings["fit"] = {"chunks": 2}
    config, folder = write_config(local), local.folder / "out"
    analysis = ("--config", config, "--analysis", "tiny")
    problem, plan = folder / "problem.h5", folder / "plan.json"
    steps = [
        ("contract", *analysis, "--output", folder / "table.json"),
        ("prepare", *analysis, "--output", problem),
        ("plan", *analysis, "--problem", problem, "--output", plan),
    ]
    chunks = [folder / f"{index}.h5" for index in range(2)]
    for index, chunk in enumerate(chunks):
        fit = ("--problem", problem, "--plan", plan, "--chunk", index, "--output", chunk)
        steps.append(("fit-chunk", *fit, "--threads", 2))
    maps = folder / "maps.fits"
    steps.append(("merge", "--problem", problem, "--plan", plan, "--output", maps, *chunks[::-1]))
    refine = ("--problem", problem, "--maps", maps, "--output", folder / "refined.fits")
    steps.append(("refine", *analysis, *refine, "--threads", 2))
    step = folder / "refine" / "0.json"
    steps.append(("plan-refinement", *analysis, *refine[:4], "--output", step))
    fit = ("--problem", problem, "--plan", step, "--chunk", 0)
    steps.append(("fit-chunk", *fit, "--output", folder / "refine" / "0" / "000-of-001.h5"))
    refine = (*refine[:4], "--output", folder / "refined-in-chunks.fits")
    steps.append(("refine", *analysis, *refine, "--steps", step))
    files = ("--problem", problem, "--maps", maps, "--refined", folder / "refined.fits")
    steps.append(("localise", *analysis, *files, "--output", folder))
    for step in steps:
        code, out, err = run(*step)
        assert (code, out) == (0, ""), err
    return folder, analysis


def test_verbs_in_order_give_a_map_and_a_summary(finished, local):
    folder, _ = finished

    maps = read_maps(folder / "maps.fits")[3]
    np.testing.assert_array_equal(maps["TS"], local.run().ts)
    assert read_multiorder(folder / "refined.fits")[0].ts.max() >= maps["TS"].max()
    assert json.loads((folder / "summary.json").read_text())["analysis"] == "tiny"
    assert (folder / "skymap.multiorder.fits").exists()


def test_refinement_of_cells_fitted_in_chunks_is_that_of_one_process(finished):
    folder, _ = finished
    cells = [read_multiorder(folder / f"refined{name}.fits") for name in ("", "-in-chunks")]

    np.testing.assert_array_equal(cells[0][0].ts, cells[1][0].ts)
    assert cells[1][1]["stages"][-2]["stage"] == "fit, order 0"


def test_fit_chunk_fits_the_chunk_asked_for(finished):
    folder, _ = finished

    np.testing.assert_array_equal(read_chunk(folder / "1.h5").result.ipix, np.arange(6, 12))


@pytest.mark.slow
def test_plot_writes_figures(finished, run):
    folder, analysis = finished
    names = {"problem": "problem.h5", "maps": "maps.fits", "summary": "summary.json"}
    names["skymap"] = "skymap.multiorder.fits"
    files = [item for key, name in names.items() for item in (f"--{key}", folder / name)]

    code, _, err = run("plot", *analysis, *files, "--output", folder / "plots")

    assert code == 0, err
    assert list((folder / "plots").glob("*.png"))


@pytest.mark.parametrize(("level", "code"), [(0.99999, 0), (1e-9, 3)])
def test_contains_answers_by_text_and_exit_code(finished, run, level, code):
    folder, _ = finished
    worst = json.loads((folder / "summary.json").read_text())["best"]["icrs"]
    position = ("--lon", worst["lon"], "--lat", worst["lat"], "--frame", "icrs")
    if code:
        position = ("--lon", (worst["lon"] + 180) % 360, *position[2:])
    skymap = ("--skymap", folder / "skymap.multiorder.fits")

    found, out, _ = run("contains", *skymap, *position, "--level", level)

    assert found == code
    assert out.startswith("in the " if code == 0 else "not in the ")
    assert "smallest credible region that holds it: " in out


@pytest.mark.parametrize("name", ["skymap.fits", "regions/credible-90.fits"])
def test_contains_reads_the_other_files_of_a_localisation(finished, run, name):
    folder, _ = finished
    best = json.loads((folder / "summary.json").read_text())["best"]["icrs"]
    position = ("--lon", best["lon"], "--lat", best["lat"], "--frame", "icrs")

    code, out, err = run("contains", "--skymap", folder / name, *position)

    assert code == 0, err
    assert out.startswith("in the ")


def cut_rows(table):
    table.data = table.data[:1]


def forget_kind(table):
    table.header["SCHEMA"] = ""


@pytest.mark.parametrize("change", [cut_rows, forget_kind])
@pytest.mark.parametrize(
    "name", ["skymap.fits", "skymap.multiorder.fits", "regions/credible-90.fits"]
)
def test_contains_refuses_files_of_skyquilt_that_were_changed(
    finished, run, tmp_path, name, change
):
    path = tmp_path / "changed.fits"
    with fits.open(finished[0] / name) as file:
        change(file[1])
        file.writeto(path)  # the checksums stay what they were

    code, _, err = run("contains", "--skymap", path, "--lon", 1, "--lat", 2, "--frame", "icrs")

    assert code == 2
    assert f"{path}: damaged: its checksum differs" in err[-1]


def test_contains_of_a_product_without_probabilities_is_refused(finished, run):
    folder, _ = finished
    position = ("--lon", 1, "--lat", 2, "--frame", "icrs")

    code, _, err = run("contains", "--skymap", folder / "maps.fits", *position)

    assert code == 2
    assert "maps.fits: is of the kind skyquilt/maps, and no sky map: give skymap." in err[-1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("--lat", "91"), "'91': give degrees from -90 to 90"),
        (("--lon", "nan"), "'nan': give degrees from -180 to 360"),
        (("--lon", "x"), "'x': give degrees from -180 to 360"),
        (("--frame", "altaz"), "frame 'altaz': a position cannot be given in it"),
        (("--level", "90"), "level 90.0: allowed are numbers between 0 and 1"),
        (("--skymap", "nowhere.fits"), "nowhere.fits: no such file"),
    ],
)
def test_contains_of_what_is_not_possible_is_refused(finished, run, change, message):
    folder, _ = finished
    arguments = {"--skymap": folder / "skymap.multiorder.fits", "--lon": 1, "--lat": 2}
    arguments |= {"--frame": "icrs", change[0]: change[1]}

    code, out, err = run("contains", *(item for pair in arguments.items() for item in pair))

    assert (code, out) == (2, "")
    assert message in err[-1]


def test_export_gadf_writes_every_quantity(finished, run):
    folder, _ = finished

    code, _, err = run(
        "export-gadf", "--maps", folder / "maps.fits", "--output", folder / "maps.gadf.fits"
    )

    assert code == 0, err
    maps = read_maps(folder / "maps.fits")[3]
    with fits.open(folder / "maps.gadf.fits") as file:
        file.verify("exception")
        assert [table.name for table in file[1:]] == [*maps, "PROVENANCE"]
        np.testing.assert_array_equal(file["FLUX"].data["CHANNEL1"], maps["FLUX"])
        assert file["PHOTON_FLUX"].header["BUNIT"] == "cm-2 s-1"
    code, out, err = run("provenance", folder / "maps.gadf.fits")
    assert code == 0, err
    record = yaml.safe_load(out)
    assert (record["schema"], record["stage"]) == ("skyquilt/gadf-maps 1.0", "export-gadf")
    assert record["inputs"][0]["sha256"] == file_digest(folder / "maps.fits")


def test_check_prints_one_line_per_analysis(local, run, write_config):
    code, out, _ = run("check", "--config", write_config(local))

    assert code == 0
    assert out.startswith("tiny: good; ")
    assert out.count("\n") == 1


@pytest.mark.parametrize(
    ("verb", "options", "message"),
    [
        ("simulate", [], "no section `simulation`"),
        ("bin-events", ["--binning", "x"], "no binning 'x'"),
        ("contract", ["--analysis", "x", "--output", "o"], "no analysis 'x'; there are: tiny"),
        ("prepare", ["--analysis", "x", "--output", "o"], "no analysis 'x'; there are: tiny"),
    ],
)
def test_verb_passes_its_arguments_on(local, run, write_config, verb, options, message):
    code, _, err = run(verb, "--config", write_config(local), *options)

    assert code == 2
    assert message in err[-1]


def test_run_makes_the_files_of_all_steps_and_tells_the_result(local, run, write_config):
    code, out, err = run("run", "--config", write_config(local), "--threads", 2)

    assert code == 0, err
    folder = local.folder / "results" / "tiny"
    code, listed, _ = run("status", folder.parent)
    assert code == 0
    assert re.search(r"^tiny +finished", listed, re.MULTILINE)
    code, listed, err = run("verify", folder.parent)
    assert code == 0, listed
    maps = read_maps(folder / "maps.fits")[3]
    np.testing.assert_array_equal(maps["TS"], local.run().ts)
    summary = json.loads((folder / "summary.json").read_text())
    assert out.startswith(f"tiny: TS {summary['best']['ts']:.1f}, sqrt(TS) ")
    assert f"90 % credible: {summary['credible'][0]['area_deg2']:.4g} deg2" in out
    assert read_multiorder(folder / "refined.fits")[0].ts.max() >= maps["TS"].max()
    for step in ("contract", "prepare", "plan", "fit", "merge", "refine", "localise"):
        assert re.search(rf"\b{step} \d+\.\d\d s", out)


def test_run_without_a_source_says_so(local, run, write_config):
    local.settings["data"]["accept"] = ["totals"]
    local.write_counts("counts.h5", np.floor(local.background / 2))

    code, out, _ = run("run", "--config", write_config(local))

    assert code == 0
    assert out.startswith("tiny: no pixel prefers a source -> ")


def test_run_of_one_analysis_makes_only_that(local, tmp_path, run):
    import yaml

    config = local.raw_config()
    config["analyses"]["second"] = config["analyses"]["tiny"]
    (tmp_path / "c.yaml").write_text(yaml.safe_dump(config))

    code, out, _ = run("run", "--config", tmp_path / "c.yaml", "--analysis", "second")

    assert code == 0
    assert out.startswith("second: ")
    assert not (tmp_path / "results" / "tiny").exists()


def test_run_with_no_threads_is_refused(run):
    code, _, err = run("run", "--config", "c.yaml", "--threads", 0)

    assert code == 2
    assert "'0': give a whole number above zero" in err[-1]
