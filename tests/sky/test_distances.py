import numpy as np
import pytest

from skyquilt.localisation import systematic
from skyquilt.sky import distances
from skyquilt.sky.distances import near_pairs, nearest_chords
from skyquilt.sky.healpix import nest_to_vec


@pytest.fixture
def sets():
    return nest_to_vec(8, np.arange(300)), nest_to_vec(16, np.arange(100, 700))


@pytest.fixture
def by_tree(monkeypatch):
    return lambda: monkeypatch.setattr(distances, "_FEW_PAIRS", 0)


def test_nearest_is_that_of_a_tree(sets, by_tree):
    few = nearest_chords(*sets)
    by_tree()
    np.testing.assert_allclose(few, nearest_chords(*sets), rtol=1e-15, atol=1e-15)


def test_near_pairs_are_those_of_a_tree(sets, by_tree):
    few = near_pairs(*sets, 0.11)
    by_tree()
    many = near_pairs(*sets, 0.11)
    order = np.lexsort((many.second, many.first))
    assert few.first.size > 1000
    for name, values in few._asdict().items():
        np.testing.assert_allclose(values, getattr(many, name)[order], rtol=1e-14)


def test_no_pair_is_beyond_the_reach(sets):
    found = near_pairs(*sets, 0.05)
    assert found.chord.max() <= 0.05
    want = np.linalg.norm(sets[0][found.first] - sets[1][found.second], axis=1)
    np.testing.assert_allclose(found.chord, want, rtol=1e-12)


def test_spread_is_the_same_by_a_tree(sets, monkeypatch):
    directions, _ = sets
    moved, area = np.linspace(1, 2, 300), np.linspace(0.5, 1, 300)
    few = systematic._spread_block(directions, directions, moved, 0.03, area)
    assert few.sum() == pytest.approx(moved.sum(), rel=1e-12)
    monkeypatch.setattr(distances, "_FEW_PAIRS", 0)
    many = systematic._spread_block(directions, directions, moved, 0.03, area)
    np.testing.assert_allclose(few, many, rtol=1e-13)
