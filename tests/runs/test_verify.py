"""What is whole, missing, foreign, damaged."""

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from astropy.io import fits

from skyquilt.errors import ConfigError, SkyquiltError
from skyquilt.fit.file import PLAN, read_chunk
from skyquilt.io.fits_table import Column
from skyquilt.io.json_file import write_json
from skyquilt.io.listing import SCHEMA as FIGURES
from skyquilt.io.listing import write_listing
from skyquilt.io.provenance import Provenance
from skyquilt.io.schema import Schema
from skyquilt.io.seal import seal_text, write_sealed
from skyquilt.maps.summary_file import SCHEMA as SUMMARY
from skyquilt.plots.style import new_figure, save
from skyquilt.products import PRODUCTS
from skyquilt.runs.verify import State, set_aside, verify_tree
from skyquilt.sources.file import write_sources
from skyquilt.steps.export_gadf import export_maps
from skyquilt.steps.status import describe_status
from skyquilt.steps.verify import verify_results

PAGE = Schema("skyquilt/page", "1.0", "skyquilt report")


def wrong(results):
    """State of each file that is not whole."""
    found = verify_tree(results)
    return {
        str(finding.path.relative_to(results)): finding.state
        for finding in found
        if finding.state is not State.WHOLE
    }


def test_finished_tree_is_whole(finished):
    assert wrong(finished) == {}
    whole = {str(finding.path.relative_to(finished)) for finding in verify_tree(finished)}
    for name in ("problem.h5", "plan.json", "maps.fits", "refined.fits", "summary.json"):
        assert {f"burst/{name}", f"other/{name}"} <= whole
    assert {f"burst/chunks/00{index}-of-003.h5" for index in range(3)} <= whole
    assert verify_results(finished, repair=False)[1]


def test_folder_of_one_analysis_is_enough(finished):
    assert {finding.path.parts[-2] for finding in verify_tree(finished / "burst")} == {
        "burst",
        "chunks",
        "regions",
    }


def test_folder_without_results_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="no results; give the folder that the configuration"):
        verify_tree(tmp_path)


@pytest.mark.parametrize(
    "name",
    [
        "problem.h5",
        "plan.json",
        "chunks/001-of-003.h5",
        "maps.fits",
        "refined.fits",
        "skymap.multiorder.fits",
        "skymap.fits",
        "summary.json",
    ],
)
def test_truncated_file_is_damaged_and_deleted_one_missing(results, truncate, name):
    truncate(results / "burst" / name, 0.7)
    assert wrong(results)[f"burst/{name}"] is State.DAMAGED
    (results / "burst" / name).unlink()
    expected = {} if name == "plan.json" else {f"burst/{name}": State.MISSING}
    assert expected.items() <= wrong(results).items()


@pytest.mark.parametrize("name", ["maps.fits", "skymap.fits", "skymap.multiorder.fits"])
def test_file_behind_which_another_stands_is_damaged(results, name):
    path = results / "burst" / name
    path.write_bytes(2 * path.read_bytes())
    assert wrong(results)[f"burst/{name}"] is State.DAMAGED


@pytest.mark.parametrize("name", ["summary.json", "plan.json", "sources.ecsv"])
def test_folder_in_the_place_of_a_file_is_damaged(results, name):
    path = results / "burst" / name
    path.unlink(missing_ok=True)
    path.mkdir()
    assert wrong(results)[f"burst/{name}"] is State.DAMAGED


def test_folder_in_the_place_of_the_index_is_damaged(results):
    (results / "index.html").mkdir()
    assert wrong(results) == {"index.html": State.DAMAGED}


def test_deleted_plan_is_missing_and_hides_no_other_fault(results, truncate):
    (results / "burst/plan.json").unlink()
    truncate(results / "burst/chunks/000-of-003.h5")
    found = wrong(results)
    assert found["burst/plan.json"] is State.MISSING
    assert found["burst/chunks/000-of-003.h5"] is State.DAMAGED


@pytest.mark.slow
@pytest.mark.parametrize("name", ["chunks/001-of-003.h5", "problem.h5", "maps.fits", "plan.json"])
def test_one_flipped_bit_is_found_or_changes_nothing_that_is_read(results, name):
    path = results / "burst" / name
    content = path.read_bytes()
    rng = np.random.default_rng(3)
    n_found = 0
    for offset in rng.integers(0, len(content), 40):
        flipped = bytearray(content)
        flipped[offset] ^= 1 << int(rng.integers(8))
        path.write_bytes(flipped)
        n_found += name in wrong(results / "burst")
        if name.startswith("chunks"):
            same_or_refused(path, content)
    assert n_found >= 10  # the rest hit padding between datasets


def same_or_refused(path, content):
    """A flipped chunk that is read without complaint has the values of the whole one."""
    whole = path.with_name("whole.h5")
    whole.write_bytes(content)
    try:
        flipped = read_chunk(path).result
    except SkyquiltError:
        return
    finally:
        expected = read_chunk(whole).result
        whole.unlink()
    assert flipped.ipix.tobytes() == expected.ipix.tobytes()
    assert all(a.tobytes() == b.tobytes() for a, b in zip(flipped.fit, expected.fit, strict=True))


def test_chunk_of_another_problem_plan_or_place_is_foreign(results):
    chunks = results / "burst/chunks"
    shutil.copy(results / "other/chunks/000-of-001.h5", chunks / "000-of-003.h5")
    shutil.copy(chunks / "002-of-003.h5", chunks / "001-of-003.h5")
    shutil.copy(chunks / "002-of-003.h5", chunks / "005-of-012.h5")
    found = {finding.path.name: finding for finding in verify_tree(results / "burst")}
    assert found["000-of-003.h5"].state is State.FOREIGN
    assert "another plan" in found["000-of-003.h5"].reason
    assert found["001-of-003.h5"].state is State.FOREIGN
    assert found["001-of-003.h5"].reason == "it holds chunk 2"
    assert found["005-of-012.h5"].state is State.FOREIGN
    assert found["002-of-003.h5"].state is State.WHOLE


@pytest.mark.parametrize(
    ("name", "place", "reason"),
    [
        ("refined.fits", "skymap.multiorder.fits", "it is skyquilt/refined, not skyquilt/skymap"),
        ("plan.json", "summary.json", "it is skyquilt/plan, not skyquilt/summary"),
        ("maps.fits", "chunks/maps.fits", "it is skyquilt/maps, not skyquilt/chunk"),
    ],
)
def test_file_at_the_place_of_another_kind_is_foreign(results, name, place, reason):
    shutil.copy(results / "burst" / name, results / "burst" / place)
    found = {finding.path: finding for finding in verify_tree(results / "burst")}
    assert found[results / "burst" / place].state is State.FOREIGN
    assert found[results / "burst" / place].reason == reason


def test_files_of_another_problem_are_foreign(results, session_observation):
    from skyquilt.problem.file import read_problem, write_problem

    problem = read_problem(results / "burst/problem.h5")
    changed = problem.counts.copy()
    changed[0] += 1
    other = replace(problem, counts=changed)
    write_problem(results / "new.h5", other, Provenance("prepare"))
    os.replace(results / "new.h5", results / "burst/problem.h5")
    names = ("plan.json", "maps.fits", *(f"chunks/00{index}-of-003.h5" for index in range(3)))
    found = wrong(results)
    assert {f"burst/{name}": State.FOREIGN for name in names}.items() <= found.items()


def test_localisation_of_other_maps_is_foreign(results):
    shutil.copy(results / "other/maps.fits", results / "burst/maps.fits")
    names = ["maps.fits", "refined.fits"]
    names += ["summary.json", "skymap.multiorder.fits", "skymap.fits"]
    kinds, endings = ("containment", "credible"), ("fits", "reg")
    names += [f"regions/{kind}-90.{ending}" for kind in kinds for ending in endings]
    assert wrong(results) == {f"burst/{name}": State.FOREIGN for name in names}


def test_repair_sets_damaged_files_aside_and_removes_half_written_ones(results, truncate):
    truncate(results / "burst/chunks/001-of-003.h5")
    half = results / "burst/chunks/.002-of-003.h5.ab12cd_9"
    half.mkdir()
    text, is_well = verify_results(results, repair=False)
    assert not is_well
    assert "damaged" in text
    assert "1 half-written" in text
    assert "--repair" in text
    text, is_well = verify_results(results, repair=True)
    assert not is_well
    assert "1 set aside, 1 half-written removed" in text
    assert wrong(results) == {"burst/chunks/001-of-003.h5": State.MISSING}
    (moved,) = (results / "burst/.set-aside").rglob("*.h5")
    assert moved.parts[-2:] == ("chunks", "001-of-003.h5")
    assert not half.exists()


def test_file_and_folder_that_cannot_be_read_are_findings(results, monkeypatch):
    closed = results / "burst/summary.json"
    read = Path.read_text

    def read_text(path, **options):
        if path == closed:
            raise PermissionError(13, "Permission denied", str(path))
        return read(path, **options)

    monkeypatch.setattr(Path, "read_text", read_text)
    assert wrong(results) == {"burst/summary.json": State.DAMAGED}
    monkeypatch.undo()
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, how: path.name != "zone" and access(path, how))
    (results / "zone").mkdir()
    (found,) = [one for one in verify_tree(results) if one.state is not State.WHOLE]
    assert (found.path, found.state) == (results / "zone", State.DAMAGED)
    assert "no permission" in found.reason
    assert set_aside([found]) == []
    shutil.rmtree(results / "burst")
    shutil.rmtree(results / "other")
    with pytest.raises(ConfigError, match=r"zone: no permission to look into it"):
        verify_tree(results)


def test_set_aside_leaves_whole_and_missing_files_alone(results, untouched):
    (results / "other/summary.json").unlink()
    with untouched(results):
        assert set_aside(verify_tree(results)) == []


def test_summary_whose_number_was_changed_by_hand_is_damaged(results):
    path = Path(results / "burst/summary.json")
    content = json.loads(path.read_text())
    content["analysis"] = "crab"
    path.write_text(json.dumps(content))
    assert wrong(results) == {"burst/summary.json": State.DAMAGED}


CALIBRATE = {"null_skies": 100, "injections": 20, "fluxes": [1.0], "skies_per_job": 50}


def ask_for(folder, **sections):
    """Let the configuration beside products ask for more."""
    settings = yaml.safe_load((folder / "config.yaml").read_text())
    settings["analyses"][folder.name] |= sections
    (folder / "config.yaml").write_text(yaml.safe_dump(settings))


def test_what_the_configuration_asks_for_is_missing_until_it_is_there(results):
    burst = results / "burst"
    ask_for(burst, sources={}, calibrate=CALIBRATE)
    (burst / "logs").mkdir()
    names = ["sources.fits", "sources.ecsv", "model.h5", "calibration.json", "calibration.h5"]
    names += ["report.html", "plots/figures.json", "calibration-plots/figures.json"]
    names += [f"skies/null-00{k}-of-002.h5" for k in range(2)]
    names += ["skies/injected-000-of-001.h5"]
    assert wrong(results) == {f"burst/{name}": State.MISSING for name in names}
    for name in ("sources.ecsv", "report.html"):
        (burst / name).write_text("text")
    found = {f"burst/{name}": State.MISSING for name in names}
    found |= {f"burst/{name}": State.DAMAGED for name in ("sources.ecsv", "report.html")}
    assert wrong(results) == found


@pytest.fixture
def stepped(results):
    """The tree with a refinement of `burst` in steps, as its files would lie."""
    burst = results / "burst"
    for step in range(2):
        shutil.copytree(burst / "chunks", burst / f"refine/{step}")
        shutil.copy(burst / "plan.json", burst / f"refine/{step}.json")
    end = json.loads((burst / "plan.json").read_text()) | {"chunks": [], "ranges": []}
    del end["sha256"]
    write_json(burst / "refine/2.json", PLAN, end | {"n_chunks": 0})
    return results


STEPS = ("0.json", "1.json", "2.json", "0/001-of-003.h5", "1/002-of-003.h5")


@pytest.mark.parametrize("name", STEPS)
def test_plan_or_chunk_of_a_refinement_that_was_deleted_is_missing(stepped, name):
    assert wrong(stepped) == {}
    (stepped / "burst/refine" / name).unlink()
    assert wrong(stepped)[f"burst/refine/{name}"] is State.MISSING


@pytest.mark.parametrize("text", ["analyses: [", "analyses: {burst: {nside: 3}}", "- 1", "é"])
def test_configuration_of_results_that_cannot_be_used_is_damaged(results, text):
    path = results / "burst/config.yaml"
    path.write_text(text, encoding="latin-1")
    (found,) = [one for one in verify_tree(results) if one.state is not State.WHOLE]
    assert (found.path, found.state) == (path, State.DAMAGED)
    assert "Products are not compared with it; a run writes it again" in found.reason
    text, is_well = verify_results(results, repair=True)
    assert not is_well
    assert "0 set aside" in text
    assert path.is_file()
    assert "burst" in describe_status(results, results)


def test_configuration_of_results_that_was_deleted_is_missing(results):
    (results / "burst/config.yaml").unlink()
    assert wrong(results) == {"burst/config.yaml": State.MISSING}
    assert wrong(results / "burst") == {"config.yaml": State.MISSING}


def test_product_that_was_deleted_is_missing_whichever_it_is(results):
    burst = results / "burst"
    ask_for(burst, sources={}, calibrate=CALIBRATE, refine={"chunks": True})
    (burst / "logs").mkdir()
    (results / "_inputs").mkdir()
    shutil.copy(burst / "config.yaml", results / "_inputs/config.yaml")
    found = wrong(results)
    there = {str(path.relative_to(results)) for path in burst.rglob("*") if path.is_file()}
    made = there | {name for name, state in found.items() if state is State.MISSING}
    asked = (one for one in PRODUCTS.values() if one.asked_by in ("", "sources", "calibrate"))
    for product in asked:
        for file in product.files:
            name = f"burst/{file}"
            assert any(one == name or one.startswith(f"{name}/") for one in made), name
            if file not in ("plan.json", "chunks") and (burst / file).is_file():
                (burst / file).unlink()
                assert wrong(results)[name] is State.MISSING
    assert "index.html" in made


@pytest.mark.parametrize(
    "name", ["notes.json", "mine/table.h5", "photo.fits", "plots/extra.png", "regions/mine.reg"]
)
@pytest.mark.parametrize("content", [b"", b"{}", b"of another program"])
def test_file_of_another_program_is_said_to_be_and_left_alone(shown, name, content):
    path = shown / "burst" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    assert wrong(shown) == {f"burst/{name}": State.OTHERS}
    text, is_well = verify_results(shown, repair=True)
    assert is_well
    assert f"not skyquilt's {path}: left as it is" in text
    assert "0 damaged, 1 not skyquilt's" in text
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    "name", ["maps.fits", "skymap.fits", "sources.fits", "regions/credible-90.fits"]
)
def test_fits_of_another_program_in_the_place_of_a_product_is_damaged(shown, name):
    fits.PrimaryHDU(np.zeros((2, 2))).writeto(shown / "burst" / name, overwrite=True)
    assert wrong(shown)[f"burst/{name}"] is State.DAMAGED


def test_fits_of_another_program_elsewhere_is_not_skyquilts(results):
    fits.PrimaryHDU(np.zeros((2, 2))).writeto(results / "burst/photo.fits")
    assert wrong(results) == {"burst/photo.fits": State.OTHERS}


def test_region_that_the_summary_names_is_missing(results):
    names = [f"burst/regions/credible-90.{ending}" for ending in ("fits", "reg")]
    for name in names:
        (results / name).unlink()
    assert wrong(results) == dict.fromkeys(names, State.MISSING)


@pytest.fixture
def shown(results):
    """The tree with figures, page and list of sources of `burst`, and the index of all."""
    burst = results / "burst"
    provenance = Provenance("plot", inputs=(str(burst / "summary.json"),))
    made = [
        save(new_figure(4, 3), burst / f"plots/ts.{ending}", provenance)
        for ending in ("png", "pdf")
    ]
    write_listing(burst / "plots", made, provenance)
    export_maps(burst / "maps.fits", burst / "maps.gadf.fits")
    write_sealed(burst / "report.html", seal_text(PAGE, provenance.record()))
    pages = Provenance("index", inputs=(str(burst / "report.html"),))
    write_sealed(results / "index.html", seal_text(PAGE, pages.record()))
    column = {"ts": Column(np.array([30.0]), "", "TS")}
    write_sources(burst / "sources.ecsv", column, None, provenance.record())
    return results


SHOWN = (
    *("burst/plots/ts.png", "burst/plots/ts.pdf", "burst/report.html", "burst/sources.ecsv"),
    *("burst/regions/credible-90.reg", "index.html"),
)


@pytest.mark.slow
@pytest.mark.parametrize("name", SHOWN)
def test_figure_page_text_or_outline_that_is_truncated_or_flipped_is_damaged(shown, name):
    whole = {str(item.path.relative_to(shown)): item.state for item in verify_tree(shown)}
    assert {whole[name] for name in SHOWN} == {State.WHOLE}
    path = shown / name
    content = path.read_bytes()
    for size in (0, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:size])
        assert wrong(shown)[name] is State.DAMAGED
    rng = np.random.default_rng(4)
    for offset in rng.integers(0, len(content), 10):
        flipped = bytearray(content)
        flipped[offset] ^= 1 << int(rng.integers(8))
        path.write_bytes(flipped)
        assert wrong(shown)[name] is State.DAMAGED


def test_what_shows_another_summary_is_foreign(shown):
    summary = shown / "burst/summary.json"
    content = json.loads(summary.read_text()) | {"analysis": "other"}
    del content["sha256"]
    write_json(summary, SUMMARY, content)
    names = ["plots/ts.png", "plots/ts.pdf", "plots/figures.json", "report.html"]
    names += ["sources.ecsv", "sources.fits"]
    assert wrong(shown) == {f"burst/{name}": State.FOREIGN for name in names}
    write_sealed(shown / "burst/report.html", seal_text(PAGE, Provenance("report").record()))
    assert wrong(shown)["index.html"] is State.FOREIGN


def test_damaged_figure_takes_its_folder_along_and_other_figures_are_nobodys(shown, truncate):
    (shown / "burst/mine.png").write_bytes(b"of someone")
    truncate(shown / "burst/plots/ts.png")
    truncate(shown / "index.html")
    moved = set_aside(verify_tree(shown))
    assert sorted(path.name for path in moved) == ["index.html", "plots"]
    assert not (shown / "burst/plots").exists()
    assert (shown / "burst/mine.png").exists()


@pytest.mark.parametrize("name", ["plots/ts.png", "plots/figures.json", "regions/credible-90.reg"])
def test_deleted_figure_or_region_is_missing_and_its_folder_set_aside(shown, name):
    path = shown / "burst" / name
    path.unlink()
    assert wrong(shown) == {f"burst/{name}": State.MISSING}
    assert "folders of figures and regions" in verify_results(shown, repair=False)[0]
    assert [moved.name for moved in set_aside(verify_tree(shown))] == [path.parent.name]
    assert not path.parent.exists()


@pytest.mark.parametrize("name", ["plots", "regions", "model"])
def test_analysis_may_have_the_name_of_a_folder_of_products(results, truncate, name):
    text = (results / "burst/config.yaml").read_text()
    shutil.move(results / "burst", results / name)
    (results / name / "config.yaml").write_text(text.replace("burst:", f"{name}:"))
    truncate(results / name / "skymap.fits")
    moved = set_aside([one for one in verify_tree(results) if one.state is State.DAMAGED])
    assert [path.name for path in moved] == ["skymap.fits"]


def test_folder_of_figures_that_was_deleted_is_missing_and_the_next_run_makes_it(shown):
    (shown / "burst/logs").mkdir()
    shutil.rmtree(shown / "burst/plots")
    assert wrong(shown) == {"burst/plots/figures.json": State.MISSING}
    assert set_aside(verify_tree(shown)) == []


def test_list_of_figures_that_names_what_lies_elsewhere_stays_in_its_folder(shown):
    listing = shown / "burst/plots/figures.json"
    content = json.loads(listing.read_text()) | {"files": ["../../other/maps.fits"]}
    del content["sha256"]
    write_json(listing, FIGURES, content)
    assert wrong(shown) == {"burst/plots/maps.fits": State.MISSING}


def test_maps_for_gammapy_are_damaged_or_foreign_like_others(shown, damage, truncate):
    path = shown / "burst/maps.gadf.fits"
    with fits.open(path) as file:
        offset = file["FLUX"].fileinfo()["datLoc"] + 5
    whole = path.read_bytes()
    for spoil in (lambda: damage(path, offset), lambda: truncate(path, 0.7)):
        spoil()
        assert wrong(shown) == {"burst/maps.gadf.fits": State.DAMAGED}
        path.write_bytes(whole)
    shutil.copy(shown / "other/maps.fits", shown / "burst/maps.fits")
    assert wrong(shown)["burst/maps.gadf.fits"] is State.FOREIGN
