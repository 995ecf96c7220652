"""Step `refine`: what it writes, and what it refuses."""

import json

import numpy as np
import pytest

from skyquilt.errors import ProductError
from skyquilt.maps.multiorder_file import read_multiorder
from skyquilt.sky.chunks import chunk_name
from skyquilt.steps.fit_chunk import fit_chunk_file
from skyquilt.steps.prepare import prepare_analysis
from skyquilt.steps.refine import plan_refinement, refine_analysis


def names_of(local):
    """Files that a refinement reads."""
    return [local.folder / "results/tiny" / name for name in ("problem.h5", "maps.fits")]


@pytest.fixture
def refined(local):
    """Refine the maps of the analysis; the refined map and its provenance."""

    def refined(**options):
        if options or not (local.folder / "results/tiny/maps.fits").exists():
            local.settings |= options
            local.run()
        path = local.path("refined.fits")
        refine_analysis(local.config(), "tiny", *names_of(local), path)
        return read_multiorder(path)

    return refined


def test_refined_map_has_the_columns_of_the_maps_and_covers_the_sky(refined, local):
    cells, _ = refined(map={"nside": 4})

    assert list(cells.columns) == list(local.run().columns)
    assert cells.frame == "icrs"
    assert cells.pixel_area.sum() == pytest.approx(
        4 * np.pi * (180 / np.pi) ** 2, rel=1e-12
    )  # rounding
    assert cells.max_order > 2


def test_refined_map_records_all_stages_settings_and_the_problem(refined):
    _, record = refined()

    assert [stage["stage"] for stage in record["stages"]] == [
        *("contract", "prepare", "fit", "merge", "refine")
    ]
    assert set(record["settings"]) == {"refine", "localise"}
    assert len(record["problem_identity"]) == 64
    assert record["description"]["instrument"] == "compton"


@pytest.mark.parametrize("options", [{"max_order": 4}, {"enabled": False}])
def test_options_of_the_refinement_are_passed_on(refined, options):
    cells, _ = refined(map={"nside": 4}, refine=options)

    assert cells.max_order == options.get("max_order", 2)


def test_levels_decide_how_fine_the_map_becomes(refined):
    wide, _ = refined(map={"nside": 4}, localise={"levels": [0.99]})
    narrow, _ = refined(localise={"levels": [0.2, 0.99]})

    assert narrow.max_order > wide.max_order


def test_negative_fluxes_are_fitted_when_allowed(refined, local):
    local.settings["data"]["accept"] = ["totals"]
    local.write_counts("counts.h5", np.floor(local.background / 2))
    bound, _ = refined()
    free, _ = refined(fit={"allow_negative": True})

    assert np.all(bound.columns["flux"] == 0)
    assert np.all(free.columns["flux"] < 0)


def test_progress_is_logged(refined, caplog):
    caplog.set_level("INFO")

    refined(map={"nside": 4})

    assert "cells of order 2: 192/192 pixels" in caplog.text


def test_maps_of_another_problem_are_refused(local, tmp_path):
    local.run()
    local.write_counts("counts.h5", local.counts + 1)
    prepare_analysis(local.config(), "tiny", tmp_path / "problem.h5")
    maps, output = local.path("results/tiny/maps.fits"), tmp_path / "refined.fits"

    with pytest.raises(
        ProductError, match=r"maps\.fits: answers problem \w{12}, but .*problem\.h5"
    ):
        refine_analysis(local.config(), "tiny", tmp_path / "problem.h5", maps, output)

    assert not output.exists()


@pytest.fixture
def in_chunks(local):
    """Refine the maps step by step in chunks; the plans of the steps, and the last one."""
    local.settings |= {"map": {"nside": 4}, "refine": {"max_order": 4}}
    local.run()
    names, folder = names_of(local), local.folder / "results/tiny/refine"
    steps = []
    while True:
        plan = folder / f"{len(steps)}.json"
        plan_refinement(local.config(), "tiny", *names, plan, steps=steps)
        content = json.loads(plan.read_text())
        if not content["chunks"]:
            return steps, plan
        steps.append(plan)
        for index in content["chunks"]:
            chunk = plan.with_suffix("") / chunk_name(index, content["n_chunks"])
            fit_chunk_file(names[0], plan, index, chunk)


def test_refinement_in_chunks_gives_the_map_of_one_process(local, in_chunks, tmp_path):
    steps, _ = in_chunks
    refine_analysis(local.config(), "tiny", *names_of(local), tmp_path / "alone.fits")
    alone, _ = read_multiorder(tmp_path / "alone.fits")

    refine_analysis(local.config(), "tiny", *names_of(local), tmp_path / "r.fits", steps=steps)
    cells, record = read_multiorder(tmp_path / "r.fits")

    # three of the region, two more where the systematic error widens it
    assert len(steps) == 5
    np.testing.assert_array_equal(cells.uniq, alone.uniq)
    for name, values in alone.columns.items():
        np.testing.assert_array_equal(cells.columns[name], values)
    stages = [stage["stage"] for stage in record["stages"]]
    orders = [int(stage.removeprefix("fit, order ")) for stage in stages[-6:-1]]
    assert (min(orders), max(orders), stages[-1]) == (2, 4, "refine")


def test_what_the_steps_leave_is_fitted_at_the_end(local, in_chunks, tmp_path, caplog):
    caplog.set_level("INFO")

    refine_analysis(
        local.config(), "tiny", *names_of(local), tmp_path / "r.fits", steps=in_chunks[0][:2]
    )

    assert "cells of order 4" in caplog.text
    assert "cells of order 3" not in caplog.text
    assert read_multiorder(tmp_path / "r.fits")[0].max_order == 4


def test_last_plan_of_a_refinement_has_no_pixels_and_cannot_be_fitted(local, in_chunks, tmp_path):
    _, last = in_chunks
    assert json.loads(last.read_text())["ranges"] == []

    with pytest.raises(ProductError, match="no pixels to fit"):
        fit_chunk_file(names_of(local)[0], last, 0, tmp_path / "chunk.h5")


def test_missing_chunk_of_a_step_is_named(local, in_chunks, tmp_path):
    steps, _ = in_chunks
    next(steps[1].with_suffix("").iterdir()).unlink()

    with pytest.raises(ProductError, match=r"1 of 1 chunks are missing: 000-of-001\.h5"):
        refine_analysis(local.config(), "tiny", *names_of(local), tmp_path / "r.fits", steps=steps)

    assert not (tmp_path / "r.fits").exists()


def test_step_of_another_problem_is_refused(local, in_chunks, tmp_path):
    steps, _ = in_chunks
    local.write_counts("counts.h5", local.counts + 1)
    local.run()

    with pytest.raises(ProductError, match=r"0\.json: answers problem .*plan-refinement"):
        refine_analysis(local.config(), "tiny", *names_of(local), tmp_path / "r.fits", steps=steps)
