"""Fits of targets on a sky of pixels, two bands."""

from dataclasses import replace

import numpy as np
import pytest

from skyquilt.blocks import DenseBlock
from skyquilt.likelihood.options import FluxOptions
from skyquilt.likelihood.poisson import fit_flux
from skyquilt.likelihood.source_profile import ScanOptions
from skyquilt.sky.frames import lonlat_to_vec
from skyquilt.status import NO_HITS
from skyquilt.targets.fit import fit_target
from skyquilt.targets.gadf import common_scan, curve_of
from skyquilt.targets.neighbours import Neighbours, fit_baseline
from skyquilt.targets.scene import Around, Scene
from skyquilt.targets.sensitivity import detectable_norm
from skyquilt.testing.two_bands import two_band_model

NSIDE = 16
TARGET, BESIDE, FAR = (lonlat_to_vec(lon, 40.0) for lon in (30.0, 42.0, 200.0))
AROUND = Around(np.radians(25), np.radians(1), 0.05, (0.2,), ScanOptions())
ALONE = AROUND._replace(errors=(0.0,))
NONE = Neighbours(np.empty(0, str), np.empty((0, 3)), np.empty((0, 2)))


@pytest.fixture(scope="module")
def sky():
    """Problem of all bins: a target, one source beside it, one far away."""
    model = two_band_model((4.0, 6.0), (0.5, 0.2))
    block = model.expectation.block(np.array([TARGET, BESIDE, FAR]))
    expected = model.background + np.array([8.0, 30.0, 100.0]) @ block.dense().unit_counts
    return replace(model, counts=np.random.default_rng(4).poisson(expected).astype(float))


@pytest.fixture(scope="module")
def neighbours(sky):
    return fit_baseline(sky, np.array(["self", "beside", "far"]), np.array([TARGET, BESIDE, FAR]))


def test_baseline_finds_the_fluxes_that_were_put_in(neighbours):
    assert neighbours.flux == pytest.approx(
        np.repeat([[8.0], [30.0], [100.0]], 2, axis=1), rel=0.35
    )


def test_fixed_background_and_no_neighbours_are_a_map_of_the_band(sky):
    whole = ALONE._replace(radius=np.pi)
    found = fit_target(Scene(sky, NONE), sky.expectation, TARGET, whole)
    options = FluxOptions(confidence_level=0.95)
    row = sky.expectation.block(TARGET[np.newaxis]).dense().unit_counts
    totals = sky.band_totals(TARGET[np.newaxis])[0]
    for band in range(2):
        hit = (sky.bands.of_hit == band) & (sky.counts > 0)
        one = DenseBlock(row[:, hit], row[:, sky.bands.of_hit == band].sum(axis=1), np.zeros(1))
        wanted = fit_flux(sky.counts[hit], sky.background[hit], one, options)
        assert one.total[0] == pytest.approx(totals[band], rel=2e-3)
        for name, mine in (("flux", "norm"), ("flux_err", "norm_err"), ("ts", "ts")):
            wish = getattr(wanted, name)[0]
            assert found.numbers[mine][band] == pytest.approx(wish, rel=1e-6)
        wish = pytest.approx(wanted.flux_ul[0], rel=1e-4)
        assert found.numbers["norm_ul"][band] == wish


def test_fit_is_that_of_plain_sums(sky, neighbours):
    found = fit_target(Scene(sky, neighbours), sky.expectation, TARGET, AROUND)
    assert found.own == ("self",)
    assert found.numbers["n_free"].tolist() == [1, 1]
    center = sky.expectation.image.shapes[np.repeat(np.arange(12 * NSIDE**2), 2), :3]
    inside = center @ TARGET >= np.cos(AROUND.radius)
    rows = sky.expectation.block(np.array([TARGET, BESIDE])).dense().unit_counts
    for band in range(2):
        own = inside & (sky.bands.of_hit == band)
        d, e, b = sky.counts[own], rows[:, own], sky.background[own]

        def loglike(x, d=d, e=e, b=b):
            mu = x[:2] @ e + x[2] * b
            return np.sum(d * np.log(mu) - mu) - (x[2] - 1) ** 2 / (2 * 0.2**2)

        best = np.array(
            [
                found.numbers["norm"][band],
                neighbours.flux[1, band],
                found.numbers["factor"][band],
            ]
        )
        # of the neighbour only the best is not told
        steps = np.linspace(0.7, 1.4, 7001)
        values = [loglike(best * [1, step, 1]) for step in steps]
        best[1] *= steps[int(np.argmax(values))]
        for number in range(3):
            for sign in (-1, 1):
                moved = best.copy()
                moved[number] *= 1 + 1e-3 * sign
                assert loglike(moved) < loglike(best) + 1e-7
        assert found.numbers["counts_region"][band] == d.sum()
        assert found.numbers["npred"][band] == pytest.approx(best[0] * e[0].sum())


def test_neighbours_matter_and_are_the_same_when_others_are_listed(sky, neighbours):
    with_all = fit_target(Scene(sky, neighbours), sky.expectation, TARGET, AROUND)
    near = Neighbours(*(part[:2] for part in neighbours))
    with_near = fit_target(Scene(sky, near), sky.expectation, TARGET, AROUND)
    without = fit_target(Scene(sky, NONE), sky.expectation, TARGET, AROUND)
    assert np.array_equal(with_all.scan, with_near.scan)
    assert np.all(without.numbers["norm"] > 1.1 * with_all.numbers["norm"])
    assert with_all.numbers["norm"] == pytest.approx([8, 8], rel=0.5)


def test_neighbours_below_the_correlation_stay_fixed(sky, neighbours):
    fixed = AROUND._replace(free_above=1.0)
    found = fit_target(Scene(sky, neighbours), sky.expectation, TARGET, fixed)
    assert found.numbers["n_free"].tolist() == [0, 0]
    free = fit_target(Scene(sky, neighbours), sky.expectation, TARGET, AROUND)
    assert np.all(free.numbers["norm_err"] > found.numbers["norm_err"])


def test_factor_follows_a_wrong_background_as_far_as_its_error_allows(sky, neighbours):
    wrong = replace(sky, background=sky.background / 1.5)
    scene = Scene(wrong, neighbours)
    tight, loose, none = (
        fit_target(scene, sky.expectation, TARGET, AROUND._replace(errors=(error,))).numbers
        for error in (0.02, 0.2, np.inf)
    )
    assert np.all(tight["factor"] < loose["factor"])
    assert np.all(loose["factor"] < none["factor"])
    assert none["factor"][0] == pytest.approx(1.5, abs=4 * none["factor_err"][0])


def test_without_counts_the_limit_is_exact(sky):
    empty = replace(sky, counts=np.zeros_like(sky.counts))
    found = fit_target(Scene(empty, NONE), sky.expectation, TARGET, ALONE).numbers
    assert found["status"].tolist() == [NO_HITS, NO_HITS]
    total = found["norm_ul"] / -np.log(0.05)
    assert 1 / total == pytest.approx([10, 4], rel=0.01)


def test_sensitivity_has_ts_25_or_three_counts():
    e, b = np.array([1.0, 0.5]), np.array([50.0, 10.0])
    norm = detectable_norm(b, e, 1.5)
    mu = b + norm * e
    assert 2 * np.sum(mu * np.log(mu / b) - norm * e) == pytest.approx(25, rel=1e-9)
    assert detectable_norm(1e-9 * b, e, 1.5) == pytest.approx(2.0)


def test_scans_of_bands_on_common_fluxes_keep_the_profiles(sky, neighbours):
    found = fit_target(Scene(sky, neighbours), sky.expectation, TARGET, AROUND)
    norm, curves = common_scan(found.scan)
    assert norm[0] == 0
    assert np.all(np.diff(norm) > 0)
    for band in range(2):
        own = np.isin(norm, found.scan[0, band])
        assert curves[band, own] == pytest.approx(found.scan[1, band])
        limit = curve_of(found.scan[:, band]).limit(0.95)
        # as others recompute it: from the points alone
        fine = np.linspace(0, norm[-1], 20_000)
        values = np.exp(np.interp(fine, norm, curves[band]))
        mine = np.interp(0.95, np.cumsum(values) / values.sum(), fine)
        assert mine == pytest.approx(limit, rel=3e-3)
