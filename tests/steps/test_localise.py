"""Step `localise`: what it writes, and what it refuses."""

import json
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from skyquilt.errors import InputError, ProductError
from skyquilt.localisation.file import SKYMAP
from skyquilt.maps.file import read_skymap, write_skymap
from skyquilt.maps.multiorder_file import read_multiorder
from skyquilt.maps.skymap import SkyMap
from skyquilt.steps.localise import localise_analysis
from skyquilt.steps.prepare import prepare_analysis

CENTER = {"lon": 45.0, "lat": 41.8, "frame": "galactic"}


@pytest.fixture
def localised(local):
    """Run all steps with some settings of the section; the folder and the summary."""

    def localised(**settings):
        local.settings["localise"] = settings
        folder = local.localise()
        return folder, json.loads((folder / "summary.json").read_text())

    return localised


def test_all_files_are_written_and_named_in_the_summary(localised):
    folder, summary = localised(levels=[0.5, 0.9])

    regions = [*summary["containment"], *summary["credible"]]
    named = {name for region in regions for name in region["files"].values()}
    assert len(named) == 8
    named |= {*summary["files"].values()}
    assert all((folder / name).is_file() for name in named)
    assert (summary["schema"], summary["analysis"]) == ("skyquilt/summary", "tiny")


def test_summary_has_the_stages_and_provenance_of_all_before(localised):
    _, summary = localised()

    stages = ["contract", "prepare", "fit", "merge", "refine", "localise"]
    assert [stage["stage"] for stage in summary["stages"]] == stages
    assert set(summary["provenance"]) == {"maps", "localise"}
    inputs = summary["provenance"]["localise"]["inputs"]
    assert [Path(item["path"]).name for item in inputs] == ["maps.fits", "refined.fits"]


def test_levels_and_true_position_are_passed_on(localised):
    _, summary = localised(levels=[0.2, 0.6], true_position=CENTER, systematic_error=0)

    assert [region["level"] for region in summary["credible"]] == [0.2, 0.6]
    assert summary["true_position"]["lon"] == 45
    assert summary["searched"]["probability"] > 0


def test_regions_of_other_levels_are_removed_and_other_files_left(localised):
    folder, _ = localised(levels=[0.5])
    (folder / "regions" / "note.txt").write_text("mine")

    localised(levels=[0.9])

    names = {path.name for path in (folder / "regions").iterdir()}
    kinds = ("containment", "credible")
    assert names == {"note.txt"} | {f"{k}-90.{end}" for k in kinds for end in ("fits", "reg")}


@pytest.mark.parametrize("max_nside", [2, 256])
def test_flat_map_is_as_fine_as_the_cells_up_to_the_limit(localised, max_nside):
    folder, summary = localised(max_nside=max_nside)

    with fits.open(folder / "skymap.fits") as file:
        assert file[1].header["NSIDE"] == min(max_nside, 2 ** summary["cells"]["max_order"])
        assert file[1].data["PROB"].sum() == pytest.approx(1, rel=1e-12)  # rounding


def test_skymap_holds_the_refined_cells(localised):
    folder, summary = localised()

    cells, _ = read_multiorder(folder / "skymap.multiorder.fits", SKYMAP)
    refined, _ = read_multiorder(folder / "refined.fits")
    assert list(cells.columns)[:2] == ["probdensity", "ts"]
    np.testing.assert_array_equal(cells.uniq, refined.uniq)
    np.testing.assert_array_equal(cells.ts, refined.ts)
    assert summary["best"]["ts"] == refined.ts.max()


def test_exposure_as_prior_moves_the_regions_to_where_it_is_large(localised, local):
    folder, flat = localised(levels=[0.5], systematic_error=0)
    before, _ = read_multiorder(folder / "skymap.multiorder.fits", SKYMAP)
    _, summary = localised(levels=[0.5], prior="exposure", systematic_error=0)
    after, _ = read_multiorder(folder / "skymap.multiorder.fits", SKYMAP)

    assert (flat["prior"], summary["prior"]) == ("flat", "exposure")
    weight = before.columns["probdensity"] * after.columns["exposure"]
    ratio = after.columns["probdensity"] / weight
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-12)
    # the expected counts of the fit are flux times exposure
    good = after.columns["flux"] > 0
    npred = after.columns["photon_flux"] * after.columns["exposure"]
    np.testing.assert_allclose(npred[good], after.columns["npred"][good], rtol=1e-12)
    assert good.any()


def test_problem_of_another_map_is_refused_where_it_is_read(local, localised, tmp_path):
    folder, _ = localised(prior="exposure")
    local.write_counts("counts.h5", local.counts + 1)
    prepare_analysis(local.config(), "tiny", tmp_path / "other.h5")
    files = (folder / "maps.fits", folder / "refined.fits")

    with pytest.raises(ProductError, match=r"other\.h5: answers problem .*`skyquilt prepare`"):
        localise_analysis(local.config(), "tiny", tmp_path / "other.h5", *files, tmp_path)


def test_refined_map_of_another_problem_is_refused(local, localised, untouched):
    folder, _ = localised()
    (folder / "refined.fits").rename(folder / "old.fits")
    local.write_counts("counts.h5", local.counts + 1)
    local.localise()
    files = (folder / "problem.h5", folder / "maps.fits", folder / "old.fits")

    with (
        untouched(folder),
        pytest.raises(
            ProductError, match=r"old\.fits: answers problem \w{12}, but .*maps\.fits is of"
        ),
    ):
        localise_analysis(local.config(), "tiny", *files, folder)


def test_map_without_fitted_pixel_is_refused_and_nothing_written(local, localised, untouched):
    folder, _ = localised()
    skymap, record = read_skymap(folder / "maps.fits")
    columns = skymap.columns | {"ts": np.full(12, np.nan), "status": np.full(12, 2, np.uint8)}
    write_skymap(folder / "maps.fits", SkyMap(1, "galactic", skymap.ipix, columns), "ring", record)

    files = [folder / name for name in ("problem.h5", "maps.fits", "refined.fits")]
    with untouched(folder), pytest.raises(InputError, match=r"maps\.fits: none of the 12 pixels"):
        localise_analysis(local.config(), "tiny", *files, folder)


def test_systematic_error_widens_the_credible_regions_alone(localised):
    _, before = localised(systematic_error=0)
    folder, after = localised(systematic_error=20)

    assert (before["systematic_error_deg"], after["systematic_error_deg"]) == (0, 20)
    assert after["credible"][0]["area_deg2"] > 1.1 * before["credible"][0]["area_deg2"]
    # finer cells may say a cell more or less
    assert after["containment"][0]["area_deg2"] == pytest.approx(
        before["containment"][0]["area_deg2"], rel=0.02
    )
    for name in ("skymap.multiorder.fits", "skymap.fits"):
        assert fits.getheader(folder / name, 1)["SYSERR"] == 20


def test_systematic_error_by_default_is_a_share_of_the_pixels_of_the_response(localised):
    _, summary = localised()

    # the response has nside 1: pixels of 58.6 deg
    assert summary["systematic_error_deg"] == pytest.approx(0.09 * 58.632, rel=1e-4)
