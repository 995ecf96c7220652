import itertools
import shutil

import numpy as np
import pytest

from skyquilt.errors import ProductError
from skyquilt.fit.file import read_chunk, read_plan, write_chunk
from skyquilt.io.provenance import Provenance
from skyquilt.maps.merge import merge_chunks
from skyquilt.problem.file import read_problem


@pytest.fixture
def fitted(local):
    """Chunk files of a map in three chunks, its plan and photon flux."""
    local.settings["fit"] = {"chunks": 3}
    local.settings["map"]["nside"] = 2
    paths = local.fit()
    folder = local.path("results/tiny")
    return paths, read_plan(f"{folder}/plan.json"), read_problem(f"{folder}/problem.h5").photon_flux


def test_merged_map_does_not_depend_on_the_order_of_chunks(fitted):
    paths, *about = fitted
    wanted = merge_chunks(paths, *about).skymap.columns

    for order in itertools.permutations(paths):
        found = merge_chunks(order, *about).skymap.columns
        for name, values in wanted.items():
            np.testing.assert_array_equal(found[name], values)


def test_merged_map_holds_every_pixel_of_every_chunk(fitted):
    paths, plan, photon_flux = fitted
    chunks = [read_chunk(path).result for path in paths]

    skymap = merge_chunks(paths, plan, photon_flux).skymap

    np.testing.assert_array_equal(skymap.ipix, np.arange(48))
    assert (skymap.nside, skymap.frame) == (2, "galactic")
    for name in ("ts", "flux", "flux_err", "npred", "n_iter", "status"):
        joined = np.concatenate([getattr(chunk.fit, name) for chunk in chunks])
        np.testing.assert_array_equal(skymap.columns[name], joined)
        assert skymap.columns[name].dtype == joined.dtype


@pytest.mark.parametrize(
    ("options", "errors", "norm"),
    [
        ({}, ("flux_err_lo", "flux_err_hi", "flux_ul"), ()),
        ({"limits": False}, (), ()),
        ({"limits": False, "background": "free"}, (), ("background_norm",)),
    ],
)
def test_columns_are_those_asked_for_in_their_order(local, options, errors, norm):
    local.settings["fit"] = options
    assert list(local.run().columns) == [
        *("ts", "sqrt_ts", "flux", "flux_err", *errors),
        *("photon_flux", "npred", *norm, "n_iter", "status"),
    ]


def _change_ts(path, plan, ts, flux):
    chunk = read_chunk(path)
    chunk.result.fit.ts[:3], chunk.result.fit.flux[:3] = ts, flux
    write_chunk(path, plan, chunk.index, chunk.result, Provenance("fit"))


def test_derived_columns_follow_flux_and_keep_nan(fitted):
    paths, plan, _ = fitted
    _change_ts(paths[0], plan, ts=[4.0, 9.0, np.nan], flux=[2.0, -0.5, np.nan])

    columns = merge_chunks(paths, plan, 10.0).skymap.columns

    np.testing.assert_array_equal(columns["sqrt_ts"][:3], [2.0, -3.0, np.nan])
    np.testing.assert_array_equal(columns["photon_flux"][:3], [20.0, -5.0, np.nan])


def test_stage_adds_up_the_chunks(fitted):
    stage = merge_chunks(*fitted).stage

    records = [read_chunk(path).record["stages"][-1] for path in fitted[0]]
    assert stage["n_jobs"] == 3
    assert stage["wall_s"] == pytest.approx(sum(item["wall_s"] for item in records), abs=1e-3)
    assert stage["peak_memory_mb"] == max(item["peak_memory_mb"] for item in records)


def test_missing_chunks_are_named_with_the_command(fitted):
    paths, *about = fitted

    with pytest.raises(
        ProductError,
        match=r"2 of 3 chunks are missing: 000-of-003\.h5, 002-of-003\.h5; run `skyquilt fit-c",
    ):
        merge_chunks(paths[1:2], *about)


def test_many_missing_chunks_are_named_in_part(local):
    local.settings["fit"] = {"chunks": 12}
    folder = local.prepare()

    with pytest.raises(
        ProductError, match=r"12 of 12 chunks are missing: .*004-of-012\.h5, \.\.\.;"
    ):
        merge_chunks([], read_plan(f"{folder}/plan.json"), 1.0)


def test_chunk_given_twice_is_named(fitted, tmp_path):
    paths, *about = fitted
    copy = shutil.copy(paths[1], tmp_path / "copy.h5")

    with pytest.raises(ProductError, match=r"copy\.h5: chunk 1 was given already as .*001-of-003"):
        merge_chunks([*paths, copy], *about)


def test_chunk_of_another_problem_is_named_with_the_command(fitted, local):
    paths, *about = fitted
    kept = shutil.copy(paths[0], local.path("kept.h5"))
    local.write_counts("counts.h5", local.counts + 1)
    others = local.fit()

    with pytest.raises(
        ProductError,
        match=r"001-of-003\.h5: answers problem \w{12}, not \w{12}; .*fit-chunk`",
    ):
        merge_chunks([kept, others[1]], *about)


@pytest.mark.parametrize(
    "change",
    [{"fit": {"chunks": 6}}, {"fit": {"chunks": 3, "allow_negative": True}}, {"map": {"nside": 4}}],
    ids=["chunks", "allow_negative", "nside"],
)
def test_chunk_of_another_plan_is_named_with_the_command(fitted, local, change):
    paths, *about = fitted
    kept = shutil.copy(paths[0], local.path("kept.h5"))
    local.settings |= change
    other = local.fit()[1]

    with pytest.raises(
        ProductError, match=r"001-of-.*: was made with another plan .*fit-chunk` for"
    ):
        merge_chunks([kept, other], *about)


def test_chunk_of_a_plan_that_differs_in_ordering_only_is_used(fitted, local):
    paths, _, photon_flux = fitted
    local.settings["map"]["ordering"] = "ring"
    local.prepare()
    plan = read_plan(local.path("results/tiny/plan.json"))

    assert merge_chunks(paths, plan, photon_flux).skymap.ts.size == 48


def test_chunk_with_other_pixels_than_its_number_is_named(fitted):
    paths, plan, photon_flux = fitted
    other = read_chunk(paths[1]).result
    write_chunk(paths[2], plan, 2, other, Provenance("fit"))

    with pytest.raises(ProductError, match=r"002-of-003\.h5: holds other pixels than chunk 2"):
        merge_chunks(paths, plan, photon_flux)


def test_damaged_chunk_is_named_with_the_command(fitted, damage):
    paths, *about = fitted
    damage(paths[1], dataset="flux")

    with pytest.raises(ProductError, match=r"001-of-003\.h5: damaged: .*`skyquilt fit-chunk`"):
        merge_chunks(paths, *about)


def test_missing_file_is_named_with_the_command(fitted, tmp_path):
    paths, *about = fitted

    with pytest.raises(ProductError, match=r"gone\.h5: no such file; .*`skyquilt fit-chunk`"):
        merge_chunks([*paths[:2], tmp_path / "gone.h5"], *about)


def test_part_of_the_sky_merges_to_its_pixels(local):
    local.settings["map"] = {"nside": 2, "region": {"pixels": [3, 17, 40]}}
    local.settings["fit"] = {"chunks": 12}

    skymap = local.run()

    np.testing.assert_array_equal(skymap.ipix, [3, 17, 40])


def test_map_does_not_depend_on_the_number_of_chunks(local):
    local.settings["map"]["nside"] = 2
    maps = []
    for chunks in (1, 3, 16):
        local.settings["fit"] = {"chunks": chunks}
        maps.append(local.run())

    for skymap in maps[1:]:
        for name, values in maps[0].columns.items():
            np.testing.assert_array_equal(skymap.columns[name], values)
