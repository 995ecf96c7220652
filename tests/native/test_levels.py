"""The kernels of all levels of vector instructions, compiled by any compiler: the same bits."""

import platform
import shutil
from pathlib import Path

import healpy
import numpy as np
import pytest

from skyquilt import native
from skyquilt.blocks import counts, rows
from skyquilt.fit.pixels import fit_pixels
from skyquilt.likelihood import concave
from skyquilt.likelihood.options import FluxOptions
from skyquilt.native import build
from skyquilt.problem import (
    Description,
    EventWise,
    FitProblem,
    LocalTable,
    PointSpread,
    event_wise,
    local,
    point_spread,
)
from skyquilt.problem.buckets import Buckets
from skyquilt.problem.pixel_image import find_hits
from skyquilt.problem.sky_grid import HealpixGrid
from skyquilt.sky import healpix
from skyquilt.sky.healpix import interp_ring, nest_to_vec

IS_X86 = platform.machine() in ("x86_64", "AMD64")
COMPILERS = [name for name in ("gcc", "clang") if shutil.which(name)]
USERS = (counts, rows, local, healpix, event_wise, point_spread, concave)
DIRECTIONS = nest_to_vec(8, np.arange(768))


def levels_here():
    """Levels that this processor has."""
    return [level for level in build.LEVELS if level <= native.kernels.processor_level()]


@pytest.fixture
def use(monkeypatch):
    """Let all modules use the kernels of one library."""

    def set_kernels(kernels):
        for module in USERS:
            monkeypatch.setattr(module, "kernels", kernels)

    return set_kernels


@pytest.fixture(scope="module")
def problem():
    """Counts, half of them some fractions, with a source; 301 bins, no multiple of a block."""
    rng = np.random.default_rng(8)
    rows = rng.gamma(0.5, 1, (192, 301)).astype(np.float32)
    background = rng.gamma(2, 1, 301) + 0.2
    counts = rng.poisson(background + rows[7]) + 0.0
    counts[160:] += rng.choice([0.0, 0.3], 141)
    table = LocalTable(
        rows=rows,
        totals=1.4 * rows.sum(axis=1, dtype=float),
        nside=4,
        rotation=np.linalg.qr(rng.normal(size=(11, 3, 3)))[0],
        weight=rng.uniform(0, 1, 11),
        zenith=DIRECTIONS[rng.integers(0, 768, 11)],
        horizon_cos=np.full(11, -0.4),
    )
    return FitProblem(
        *(counts, background, table, "icrs", 1.0, Description("t", "n", (1.0, 2.0))),
        background_total=1.3 * background.sum(),
    )


THETA = np.linspace(0, 1, 90) ** 2
PROFILE = np.exp(-((THETA / np.array([[0.1], [0.3], [0.2]])) ** 2) / 2)


@pytest.fixture(scope="module")
def images():
    """Events, and pixels of a part of the sky, seen through three profiles."""
    rng = np.random.default_rng(9)
    buckets, order = Buckets.sort(4, DIRECTIONS)
    events = EventWise(
        direction=DIRECTIONS[order],
        flux_density=rng.uniform(1, 2, 768),
        psf_node=rng.uniform(0, 2, 768),
        exposure_node=rng.uniform(0, 1, 768),
        buckets=buckets,
        exposure=HealpixGrid(1, rng.uniform(1, 2, (12, 2))),
        total_weight=np.array([0.3, 0.7]),
        theta=THETA,
        profile=PROFILE,
    )
    corners = np.moveaxis(healpy.boundaries(8, np.arange(300), step=2, nest=True), 1, 2)
    image, _ = find_hits(corners, rng.poisson(1.0, (300, 2)))
    yields = HealpixGrid(1, rng.uniform(1, 2, (12, 3)))
    pixels = PointSpread(image, yields, THETA, PROFILE, rng.uniform(0, 1, (3, 2)))
    return events, pixels


def assert_same_bits(kernels, use, problem, images):
    expected = everything(problem, images)
    assert {0, 1} <= set(expected[0].status.tolist())
    use(kernels)
    found = everything(problem, images)
    for a, b in zip(expected, found, strict=True):
        for x, y in zip(a, b, strict=True):
            assert np.asarray(x).tobytes() == np.asarray(y).tobytes()


def everything(problem, images):
    """Results of all kernels."""
    blocks = [image.block(DIRECTIONS) for image in images]
    options = FluxOptions(confidence_level=0.95, free_background=True)
    fits = fit_pixels(problem, DIRECTIONS), fit_pixels(problem, DIRECTIONS, options)
    return *fits, interp_ring(16, DIRECTIONS), *blocks, maxima()


def maxima():
    """Best of three parameters, of two the same, over 29 bins; no multiple of a block."""
    rng = np.random.default_rng(6)
    columns = rng.gamma(0.5, 1, (3, 29))
    columns[2] = columns[1]
    ones = np.ones(3)
    data = concave.Counts(
        *(rng.poisson(2, 29) + 1.0, 0.1 * columns[0], columns, columns.sum(axis=1), ones, ones)
    )
    return concave.maximise(data, rng.uniform(0.5, 2, (5, 3)), np.arange(3) > 4)


@pytest.mark.parametrize("level", build.LEVELS)
def test_kernels_of_each_level_give_the_same_bits(level, use, problem, images):
    if level not in levels_here():
        pytest.skip(f"this processor has no level {level}")
    assert_same_bits(native.load(level), use, problem, images)


@pytest.mark.parametrize("name", COMPILERS)
def test_kernels_of_any_compiler_give_the_same_bits(
    name, use, problem, images, tmp_path, monkeypatch
):
    monkeypatch.setenv("CC", name)
    build.find_compiler.cache_clear()
    build.compile_kernels(max(levels_here()), native.library_path(max(levels_here()), tmp_path))
    assert_same_bits(native.load(max(levels_here()), tmp_path), use, problem, images)


@pytest.mark.skipif(not IS_X86, reason="other machines have one level")
def test_best_level_is_what_the_processor_has():
    flags = Path("/proc/cpuinfo").read_text().split()
    expected = 4 if "avx512bw" in flags else 3 if "avx2" in flags else 1
    assert native.kernels.processor_level() == expected
    assert native.kernels._name.endswith(f"kernels{expected}.so")
