"""A map does not depend on how the work was cut.

Tolerance: none. Each pixel is computed by itself and its sums have one order, whatever the block,
chunk or thread it is in; so maps are compared bit by bit.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skyquilt.fit.chunk import fit_chunk
from skyquilt.fit.file import write_chunk
from skyquilt.fit.pixels import block_size, fit_pixels
from skyquilt.fit.plan import make_plan
from skyquilt.io.provenance import Provenance
from skyquilt.likelihood.options import FluxOptions
from skyquilt.maps.merge import merge_chunks
from skyquilt.sky.chunks import chunk_name
from skyquilt.sky.healpix import nest_to_vec
from skyquilt.sky.pixels import nside_to_npix
from skyquilt.sky.regions import cone, full_sky

NSIDE = 8
OPTIONS = FluxOptions(confidence_level=0.95, free_background=True)
DIRECTIONS = nest_to_vec(NSIDE, np.arange(nside_to_npix(NSIDE)))


@pytest.fixture(scope="module")
def whole(problem):
    """Fit of the whole sky in one go."""
    return fit_pixels(problem, DIRECTIONS, OPTIONS)


def is_equal_map(fit, skymap, ipix=slice(None)):
    """Whether a map has the columns of a fit, but for the spectrum, of which there is one."""
    names = [name for name in fit._fields if name != "template"]
    return is_equal(
        [getattr(fit, name)[ipix] for name in names], [skymap.columns[name] for name in names]
    )


def is_equal(first, second):
    return all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def fit_in_chunks(problem, folder, chunks, ranges, *, backwards=False, threads=1):
    """Merged map of a region, by way of chunk files."""
    plan = make_plan(
        problem,
        nside=NSIDE,
        ordering="nested",
        frame="galactic",
        ranges=ranges,
        chunks=chunks,
        options=OPTIONS,
    )
    paths = []
    for index in plan.chunks:
        result = fit_chunk(problem, plan, index, threads=threads)
        paths.append(folder / chunk_name(index, chunks))
        write_chunk(paths[-1], plan, index, result, Provenance("fit"))
    return merge_chunks(paths[::-1] if backwards else paths, plan, problem.photon_flux).skymap


@pytest.mark.parametrize("chunks", [1, 3, 12, 48])
def test_map_of_any_number_of_chunks_is_bit_identical(problem, whole, tmp_path, chunks):
    skymap = fit_in_chunks(problem, tmp_path, chunks, full_sky(NSIDE))
    assert is_equal_map(whole, skymap)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_map_of_any_number_of_threads_is_bit_identical(problem, whole, threads):
    size = block_size(problem.expectation, len(DIRECTIONS), threads)
    assert threads == 1 or len(DIRECTIONS) > 2 * size  # work for 3 threads
    assert is_equal(whole, fit_pixels(problem, DIRECTIONS, OPTIONS, threads=threads))


def test_map_of_chunks_in_any_order_is_the_same(problem, whole, tmp_path):
    skymap = fit_in_chunks(problem, tmp_path, 12, full_sky(NSIDE), backwards=True)
    assert is_equal_map(whole, skymap)


def test_map_of_a_region_is_bit_identical_to_the_whole_sky_there(problem, whole, tmp_path):
    ranges = cone(NSIDE, np.array([0.6, 0.0, 0.8]), 30.0)
    skymap = fit_in_chunks(problem, tmp_path, 48, ranges, threads=2)
    assert is_equal_map(whole, skymap, skymap.ipix)


@given(edges=st.lists(st.integers(0, len(DIRECTIONS)), max_size=6))
@settings(derandomize=True, deadline=None, max_examples=25)
def test_fit_pixels_of_any_pieces_is_bit_identical(problem, whole, edges):
    pieces = np.split(DIRECTIONS, sorted(edges))
    fits = [fit_pixels(problem, piece, OPTIONS) for piece in pieces]
    assert is_equal(whole, map(np.concatenate, zip(*fits, strict=True)))


@given(seed=st.integers(0, 2**32 - 1))
@settings(derandomize=True, deadline=None, max_examples=10)
def test_fit_pixels_in_any_order_is_bit_identical(problem, whole, seed):
    order = np.random.default_rng(seed).permutation(len(DIRECTIONS))
    fit = fit_pixels(problem, DIRECTIONS[order], OPTIONS)
    assert is_equal([values[order] for values in whole], fit)
