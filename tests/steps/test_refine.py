"""Step `refine`: what it writes, and what it refuses."""

import numpy as np
import pytest

from skyquilt.errors import ProductError
from skyquilt.maps.multiorder_file import read_multiorder
from skyquilt.steps.prepare import prepare_analysis
from skyquilt.steps.refine import refine_analysis


@pytest.fixture
def refined(local):
    """Refine the maps of the analysis; the refined map and its provenance."""

    def refined(**options):
        if options or not (local.folder / "results/tiny/maps.fits").exists():
            local.settings |= options
            local.run()
        folder, path = local.path("results/tiny"), local.path("refined.fits")
        refine_analysis(local.config(), "tiny", f"{folder}/problem.h5", f"{folder}/maps.fits", path)
        return read_multiorder(path)

    return refined


def test_refined_map_has_the_columns_of_the_maps_and_covers_the_sky(refined, local):
    cells, _ = refined(map={"nside": 4})

    assert list(cells.columns) == list(local.run().columns)
    assert cells.frame == "icrs"
    assert cells.total_area == pytest.approx(4 * np.pi * (180 / np.pi) ** 2, rel=1e-12)  # rounding
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
