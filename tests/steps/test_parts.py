from types import SimpleNamespace

import numpy as np
import pytest

from skyquilt.fit.plan import Plan
from skyquilt.steps.parts import (
    is_refined_in_chunks,
    list_chunks,
    list_step_chunks,
    list_steps,
)

ALL = np.array([[0, 192]])


def analysis(*, chunks="auto", region=None, refine="auto"):
    """What of an analysis tells its parts."""
    return SimpleNamespace(
        fit=SimpleNamespace(chunks=chunks),
        map=SimpleNamespace(region=region),
        refine=SimpleNamespace(chunks=refine),
    )


def plan(n_chunks, ranges=ALL, seconds=0.0):
    return Plan("0" * 64, 4, "nested", "icrs", ranges, n_chunks, seconds_per_pixel=seconds)


def not_needed(*_):
    raise AssertionError("no plan is needed for this")


def test_chunks_of_a_set_number_and_the_whole_sky_need_no_plan():
    files = list_chunks("a/chunks", analysis(chunks=3), not_needed)
    assert files == [f"a/chunks/00{index}-of-003.h5" for index in range(3)]


@pytest.mark.parametrize("asked", [{"chunks": "auto"}, {"chunks": 12, "region": "a cone"}])
def test_other_chunks_are_those_of_the_plan_that_hold_pixels(asked):
    files = list_chunks("c", analysis(**asked), lambda: plan(12, np.array([[0, 5], [190, 192]])))
    assert files == ["c/000-of-012.h5", "c/011-of-012.h5"]


def test_steps_end_at_the_plan_that_has_nothing_to_fit():
    plans = [plan(1), plan(12), plan(1, np.empty((0, 2), np.int64))]
    assert list_steps(plans.__getitem__) == plans[:2]


def test_chunks_of_steps_lie_in_folders_of_their_numbers():
    steps = [plan(1), plan(3, np.array([[0, 1], [191, 192]]))]
    assert list_step_chunks("refine", steps) == [
        "refine/0/000-of-001.h5",
        "refine/1/000-of-003.h5",
        "refine/1/002-of-003.h5",
    ]


@pytest.mark.parametrize("asked", [True, False])
def test_refinement_follows_what_is_asked_without_a_plan(asked):
    assert is_refined_in_chunks(analysis(refine=asked), not_needed) is asked


@pytest.mark.parametrize(("seconds", "is_in_chunks"), [(1e-5, False), (1.0, True)])
def test_refinement_by_itself_follows_the_time_of_a_pixel(seconds, is_in_chunks):
    assert is_refined_in_chunks(analysis(), lambda: plan(1, seconds=seconds)) is is_in_chunks
