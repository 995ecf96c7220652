"""Plans: which pixels in which chunks."""

import json
import logging
from dataclasses import replace

import numpy as np
import pytest

from skyquilt import RESULTS_VERSION
from skyquilt.errors import ConfigError, ProductError
from skyquilt.fit import plan as plan_module
from skyquilt.fit.plan import Plan, empty_plan, make_plan, seconds_per_pixel
from skyquilt.likelihood.options import FluxOptions
from skyquilt.problem.cost import Cost
from skyquilt.sky.chunks import MIN_COST_S
from skyquilt.sky.regions import full_sky

REGION = np.array([[10, 20], [64, 65], [100, 130]])


def plan_of(problem, **changes):
    settings = {"nside": 4, "ordering": "ring", "frame": "galactic", "ranges": REGION, "chunks": 12}
    return make_plan(problem, **settings | changes)


def test_plan_knows_the_chunks_that_hold_pixels(problem):
    plan = plan_of(problem)
    assert plan.chunks == [0, 1, 4, 6, 7, 8]
    assert plan.n_pixels == 41


def test_plan_chunks_hold_every_pixel_once(problem):
    plan = plan_of(problem)
    ipix = np.concatenate([plan.chunk_ipix(index) for index in plan.chunks])
    assert np.array_equal(ipix, [*range(10, 20), 64, *range(100, 130)])


def test_plan_chunk_without_pixels_is_empty(problem):
    assert plan_of(problem).chunk_ipix(2).size == 0


@pytest.mark.parametrize("index", [-1, 12])
def test_plan_chunk_when_it_does_not_exist_names_it(problem, index):
    with pytest.raises(ValueError, match=f"chunk {index}: allowed are 0 to 11"):
        plan_of(problem).chunk_ipix(index)


def test_plan_round_trip_through_json_keeps_everything(problem):
    plan = plan_of(problem, options=FluxOptions(allow_negative=True))
    back = Plan.from_content(json.loads(json.dumps(plan.to_content())))
    assert back.to_content() == plan.to_content()
    assert back.identity == plan.identity
    assert back.options.allow_negative is True
    assert back.ranges.dtype == np.int64


def test_plan_content_lists_its_chunks(problem):
    assert plan_of(problem).to_content()["chunks"] == [0, 1, 4, 6, 7, 8]


def test_plan_names_the_files_of_its_chunks(problem):
    files = plan_of(problem).chunk_files("chunks")
    assert [path.name for path in files.values()][:2] == ["000-of-012.h5", "001-of-012.h5"]
    assert list(files) == [0, 1, 4, 6, 7, 8]


def test_plan_without_pixels_is_read_as_it_was_written(problem):
    plan = empty_plan(problem)
    back = Plan.from_content(json.loads(json.dumps(plan.to_content())))
    assert back.to_content() == plan.to_content()
    assert (back.chunks, back.n_pixels, back.chunk_files("refine/1")) == ([], 0, {})


@pytest.mark.parametrize(
    "change",
    [
        {"nside": 8},
        {"frame": "icrs"},
        {"ranges": REGION[:2]},
        {"chunks": 3},
        {"options": FluxOptions(allow_negative=True)},
    ],
)
def test_plan_identity_when_chunks_would_differ_changes(problem, change):
    assert plan_of(problem, **change).identity != plan_of(problem).identity


def test_plan_identity_when_only_the_map_is_written_otherwise_stays(problem):
    assert plan_of(problem, ordering="nested").identity == plan_of(problem).identity


@pytest.mark.parametrize("chunks", [5, 0, -1])
def test_make_plan_when_chunks_are_no_divisor_names_them(problem, chunks):
    with pytest.raises(ConfigError, match=f"fit.chunks: {chunks} chunks: allowed at nside 4"):
        plan_of(problem, chunks=chunks)


def test_make_plan_when_nside_is_not_allowed_names_it(problem):
    with pytest.raises(ConfigError, match="nside 3: allowed are"):
        plan_of(problem, nside=3)


@pytest.mark.parametrize(
    ("ranges", "message"),
    [
        (np.empty((0, 2)), "no pixels to fit"),
        (np.array([1, 2]), r"ranges of shape \(2,\)"),
        (np.array([[5, 9], [2, 4]]), "ascending"),
        (np.array([[0, 9], [9, 12]]), "separate"),
        (np.array([[5, 5]]), "ascending"),
        (np.array([[-1, 5]]), "within 0 to 192"),
        (np.array([[0, 193]]), "within 0 to 192"),
    ],
)
def test_make_plan_when_ranges_are_wrong_says_what_is_allowed(problem, ranges, message):
    with pytest.raises(ConfigError, match=message):
        plan_of(problem, ranges=ranges)


def test_make_plan_when_auto_and_cheap_is_one_chunk(problem):
    assert plan_of(problem, chunks="auto").n_chunks == 1


@pytest.mark.parametrize(("factor", "n_chunks"), [(0.99, 1), (1.01, 12), (3.99, 12), (4.01, 48)])
def test_make_plan_when_auto_follows_the_estimated_work(problem, monkeypatch, factor, n_chunks):
    monkeypatch.setattr(
        plan_module, "seconds_per_pixel", lambda *args, **options: factor * 12 * MIN_COST_S / 192
    )
    assert plan_of(problem, ranges=full_sky(4), chunks="auto").n_chunks == n_chunks


def test_make_plan_logs_pixels_chunks_and_time(problem, caplog):
    with caplog.at_level(logging.INFO):
        plan_of(problem)
    assert "41 pixels in 6 chunks, about " in caplog.text


def test_seconds_per_pixel_grows_with_the_work_of_the_expectation(problem):
    class Dearer:
        def cost(self, directions, nside):
            return Cost(0.2, 40.0)

    class DearProblem:
        expectation = Dearer()

    assert 0 < seconds_per_pixel(problem) < 1e-4 < 0.1 < seconds_per_pixel(DearProblem())


def test_seconds_per_pixel_grows_with_limits(problem):
    assert (
        seconds_per_pixel(problem) + 3e-6
        < seconds_per_pixel(problem, FluxOptions(confidence_level=0.95))
        < 1e-4
    )


def test_make_plan_when_background_shall_be_free_without_its_total_says_so(problem):
    with pytest.raises(ConfigError, match=r"fit\.background: free needs the background's total"):
        plan_of(replace(problem, background_total=None), options=FluxOptions(free_background=True))


def changed(problem, **changes):
    return plan_of(problem).to_content() | changes


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"nside": 5}, "nside 5: allowed are"),
        ({"nside": "4"}, "not a possible plan"),
        ({"n_chunks": 7}, "7 chunks: allowed"),
        ({"ranges": [[3, 1]]}, "ascending"),
    ],
)
def test_plan_from_content_when_it_is_wrong_names_file_and_value(problem, changes, message):
    with pytest.raises(ProductError, match=message) as caught:
        Plan.from_content(changed(problem, **changes), "results/a/plan.json")
    assert str(caught.value).startswith("results/a/plan.json: ")
    assert "skyquilt plan" in str(caught.value)


def test_plan_from_content_when_a_key_is_missing_names_it(problem):
    content = plan_of(problem).to_content()
    del content["frame"]
    with pytest.raises(ProductError, match=r"not a possible plan .*frame"):
        Plan.from_content(content)


def test_identity_changes_with_the_version_of_results(problem, monkeypatch):
    before = plan_of(problem).identity
    monkeypatch.setattr("skyquilt.fit.plan.RESULTS_VERSION", RESULTS_VERSION + 1)
    assert plan_of(problem).identity != before
