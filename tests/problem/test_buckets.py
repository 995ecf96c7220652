import healpy
import numpy as np
import pytest

from skyquilt.problem.buckets import Buckets, bucket_radius
from skyquilt.sky.frames import separation


def random_directions(n, seed):
    vec = np.random.default_rng(seed).normal(size=(n, 3))
    return vec / np.linalg.norm(vec, axis=1)[:, np.newaxis]


@pytest.mark.parametrize("radius", [0.5, 20.0, 180.0])
@pytest.mark.parametrize("nside", [1, 8])
def test_near_finds_every_item_within_the_radius(nside, radius):
    items, directions = random_directions(500, 1), random_directions(40, 2)
    buckets, order = Buckets.sort(nside, items)
    items = items[order]

    near = buckets.near(directions, np.radians(radius))

    for direction, group in zip(directions, near.group, strict=True):
        own = slice(*near.indptr[group : group + 2])
        listed = [np.arange(*pair) for pair in near.ranges[own]]
        found = np.concatenate([*listed, np.empty(0, int)])
        assert len(set(found)) == len(found)
        assert set(np.flatnonzero(separation(items, direction) <= radius)) <= set(found)


def test_near_looks_at_few_items_far_away():
    items = random_directions(5000, 3)
    buckets, _ = Buckets.sort(16, items)

    near = buckets.near(random_directions(1, 4), np.radians(2.0))

    n_looked_at = near.sum_over_items(np.arange(5001))[0]
    # discs of the radius and two buckets of 3.7 deg, and the corners of those at the rim
    assert 0 < n_looked_at < 5000 * np.sin(np.radians(16) / 2) ** 2


def test_sum_over_items_of_each_direction():
    items, directions = random_directions(300, 5), random_directions(7, 6)
    buckets, _ = Buckets.sort(4, items)
    near = buckets.near(directions, 0.1)

    sums = near.sum_over_items(np.append(0, np.cumsum(np.arange(300))))

    for total, group in zip(sums, near.group, strict=True):
        own = slice(*near.indptr[group : group + 2])
        assert total == sum(np.arange(*r).sum() for r in near.ranges[own])


def test_sorted_items_follow_the_buckets():
    items = random_directions(200, 7)

    buckets, order = Buckets.sort(2, items)

    ipix = healpy.vec2pix(2, *items[order].T, nest=True)
    np.testing.assert_array_equal(np.diff(buckets.start), np.bincount(ipix, minlength=48))
    assert np.all(np.diff(ipix) >= 0)
    assert buckets.n_item == 200


def test_selected_items_keep_their_buckets():
    items = random_directions(200, 8)
    buckets, order = Buckets.sort(2, items)
    kept = np.arange(0, 200, 3)

    selected = buckets.select(kept)

    again, _ = Buckets.sort(2, items[order][kept])
    np.testing.assert_array_equal(selected.start, again.start)


@pytest.mark.parametrize("nside", [1, 2, 64, 1024])
def test_bucket_radius_equals_healpy(nside):
    # two ways to one angle: rounding only
    assert bucket_radius(nside) == pytest.approx(np.degrees(healpy.max_pixrad(nside)), rel=1e-9)


def test_no_items_are_near_nothing():
    buckets = Buckets(1, np.zeros(13, np.int64))

    near = buckets.near(random_directions(3, 9), 1.0)

    assert near.sum_over_items(np.zeros(1, np.int64)).tolist() == [0, 0, 0]
