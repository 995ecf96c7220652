"""Draws from densities that are known at nodes."""

import numpy as np

from skyquilt.simulate.draws import draw_between, turn_away
from skyquilt.sky.frames import separation


def test_turn_away_gives_the_angle_and_uses_all_azimuths():
    rng = np.random.default_rng(5)
    direction = rng.normal(size=(1000, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    angle, azimuth = np.pi * rng.random(1000), 2 * np.pi * rng.random(1000)
    turned = turn_away(direction, angle, azimuth)
    np.testing.assert_allclose(separation(turned, direction), np.degrees(angle), atol=1e-6)
    pole = turn_away(np.tile([0, 0, 1.0], (1000, 1)), np.full(1000, np.pi / 2), azimuth)
    assert np.abs(pole.mean(axis=0)).max() < 0.12  # five sigma of a mean of 1000


def test_values_fall_between_nodes_as_often_as_their_amounts():
    nodes, amount = np.array([0.0, 1.0, 5.0, 6.0]), np.array([1.0, 0.0, 3.0])
    values = draw_between(nodes, amount, 8000, np.random.default_rng(1))
    counts = np.histogram(values, nodes)[0]
    assert counts[1] == 0
    # four binomial errors
    assert abs(counts[0] - 2000) < 4 * np.sqrt(1500)
