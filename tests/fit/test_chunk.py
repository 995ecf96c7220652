"""Fit of a chunk."""

from dataclasses import replace

import numpy as np
import pytest

from skyquilt.errors import ProductError
from skyquilt.fit.chunk import fit_chunk
from skyquilt.fit.pixels import fit_pixels
from skyquilt.fit.plan import make_plan
from skyquilt.likelihood.options import FluxOptions
from skyquilt.parallel.team import Team
from skyquilt.sky.frames import rotate, rotation
from skyquilt.sky.healpix import nest_to_vec
from skyquilt.sky.regions import full_sky
from skyquilt.testing.ranks import run_ranks


def plan_of(problem, **changes):
    settings = {"nside": 4, "ordering": "nested", "frame": "icrs", "ranges": full_sky(4)}
    return make_plan(problem, **settings | {"chunks": 12} | changes)


def whole_map(problem, plan, **options):
    results = [fit_chunk(problem, plan, index, **options) for index in plan.chunks]
    ipix = np.concatenate([result.ipix for result in results])
    return ipix, [np.concatenate(parts) for parts in zip(*(r.fit for r in results), strict=True)]


@pytest.mark.parametrize("frame", ["icrs", "galactic"])
@pytest.mark.parametrize("n_chunks", [1, 3, 48])
def test_fit_chunk_with_any_number_of_chunks_gives_the_same_map(problem, n_chunks, frame):
    ipix, fit = whole_map(problem, plan_of(problem, chunks=n_chunks, frame=frame))
    expected_ipix, expected = whole_map(problem, plan_of(problem, frame=frame))
    assert np.array_equal(ipix, expected_ipix)
    # bit by bit: a pixel is the same sums in the same order
    assert all(a.tobytes() == b.tobytes() for a, b in zip(fit, expected, strict=True))


@pytest.mark.parametrize("size", [1, 2, 3, 20])  # 16 pixels per chunk
def test_fit_chunk_with_any_number_of_ranks_is_the_same(problem, size):
    plan = plan_of(problem, frame="galactic")
    serial = fit_chunk(problem, plan, 3)
    shared, *others = run_ranks(size, lambda comm: fit_chunk(problem, plan, 3, team=Team(comm)))
    assert others == [None] * (size - 1)
    assert np.array_equal(shared.ipix, serial.ipix)
    assert all(a.tobytes() == b.tobytes() for a, b in zip(shared.fit, serial.fit, strict=True))


@pytest.mark.parametrize("frame", ["icrs", "galactic"])
def test_fit_chunk_turns_the_map_into_the_frame_of_the_problem(problem, frame):
    result = fit_chunk(problem, plan_of(problem, frame=frame), 5)
    directions = rotate(rotation(frame, "icrs"), nest_to_vec(4, result.ipix))
    expected = fit_pixels(problem, directions)
    assert result.fit.ts.tobytes() == expected.ts.tobytes()


@pytest.mark.parametrize("frame", ["icrs", "galactic"])
def test_fit_chunk_when_the_problem_is_in_another_frame_gives_the_same_map(problem, frame):
    to_icrs = rotation("galactic", "icrs")
    table = problem.expectation
    turned = replace(table, rotation=table.rotation @ to_icrs, zenith=table.zenith @ to_icrs)
    galactic = replace(problem, expectation=turned, frame="galactic")
    _, fit = whole_map(galactic, plan_of(galactic, frame=frame))
    _, expected = whole_map(problem, plan_of(problem, frame=frame))
    # rounding of directions, 1e-16, times the slope of TS and the weights' 1e-14
    np.testing.assert_allclose(fit[0], expected[0], rtol=1e-10, atol=1e-10)


def test_fit_chunk_of_a_region_fits_only_its_pixels(problem):
    plan = plan_of(problem, ranges=np.array([[5, 8], [17, 18]]))
    assert fit_chunk(problem, plan, 0).ipix.tolist() == [5, 6, 7]
    assert fit_chunk(problem, plan, 1).ipix.tolist() == [17]


def test_fit_chunk_passes_on_allow_negative(problem):
    flux = fit_chunk(
        problem, plan_of(problem, chunks=1, options=FluxOptions(allow_negative=True)), 0
    ).fit.flux
    assert np.nanmin(flux) < 0
    flux = fit_chunk(problem, plan_of(problem, chunks=1), 0).fit.flux
    assert np.nanmin(flux) == 0


def test_fit_chunk_reports_progress(problem):
    calls = []
    fit_chunk(problem, plan_of(problem), 0, team=Team(on_progress=lambda *call: calls.append(call)))
    assert calls[-1] == (16, 16)


def test_fit_chunk_when_plan_is_for_another_problem_is_refused(problem):
    plan = plan_of(problem)
    with pytest.raises(ProductError, match="the plan is for problem 'ffffffffffff'"):
        fit_chunk(replace(problem, identity="other"), plan, 0)


def test_fit_chunk_when_it_does_not_exist_names_it(problem):
    with pytest.raises(ValueError, match="chunk 12: allowed are 0 to 11"):
        fit_chunk(problem, plan_of(problem), 12)
