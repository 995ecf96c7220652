"""Bins in a circle, and what is expected in all of them."""

from dataclasses import replace

import numpy as np
import pytest

from skyquilt.problem.backgrounds import BackgroundComponent
from skyquilt.problem.circle import (
    Circle,
    background_totals,
    bins_inside,
    has_image,
    source_totals,
    spread_radii,
)
from skyquilt.problem.contained import contained_fraction
from skyquilt.simulate.draws import draw_angles, turn_away
from skyquilt.simulate.skies import InjectedSource, draw_sky
from skyquilt.testing.eventsky import event_model
from skyquilt.testing.two_bands import two_band_model


@pytest.mark.parametrize("distance", [0.0, 0.3, 0.9, 1.0, 1.3])
def test_contained_fraction_is_that_of_drawn_photons(distance):
    theta = np.radians(np.linspace(0, 2, 200))
    profile = np.exp(-np.degrees(theta[np.newaxis]) * 4)
    rng, n = np.random.default_rng(1), 40_000
    angle = draw_angles(np.zeros(n), theta, profile, rng)
    source = np.array([np.cos(np.radians(distance)), np.sin(np.radians(distance)), 0])
    photons = turn_away(np.tile(source, (n, 1)), angle, rng.uniform(0, 2 * np.pi, n))
    drawn = np.mean(photons[:, 0] > np.cos(np.radians(1)))

    found = contained_fraction(theta, profile, np.radians(distance), np.radians(1), theta[-1])

    assert found[0] == pytest.approx(drawn, abs=4 * np.sqrt(0.25 / n))


def test_contained_fraction_is_all_or_none_far_from_the_border():
    theta = np.radians(np.linspace(0, 1, 50))
    profile = np.ones((2, 50))
    where = {"radius": np.radians(3), "reach": np.radians(1)}
    assert contained_fraction(theta, profile, np.radians(1.9), **where).tolist() == [1, 1]
    assert contained_fraction(theta, profile, np.radians(4.1), **where).tolist() == [0, 0]


def _image():
    return two_band_model((3.0, 6.0), (2.0, 0.5))


def test_bins_of_an_image_are_those_with_centres_inside():
    problem = _image()
    circle = Circle(np.array([0.0, 0.6, 0.8]), np.radians(20))
    inside = bins_inside(problem.expectation, circle)
    pixel = np.repeat(np.arange(12 * 16**2), 2)
    center = problem.expectation.image.shapes[pixel, :3]
    assert np.array_equal(inside, np.flatnonzero(center @ circle.center >= np.cos(circle.radius)))
    assert has_image(problem.expectation)


def test_background_at_bins_is_that_of_all_bins_and_none_of_other_data_sets():
    component = BackgroundComponent("", "", 3, np.array([1.0, 2.0, 4.0]), np.ones(1))
    bins = np.array([0, 2, 3, 5, 6, 7])
    assert component.at(bins).tolist() == [0, 0, 1, 4, 0, 0]
    assert np.array_equal(component.at(bins), component.in_bins(8)[bins])


def test_totals_of_an_image_are_sums_over_its_bins():
    problem = _image()
    circle = Circle(np.array([0.0, 0.6, 0.8]), np.radians(20))
    inside = bins_inside(problem.expectation, circle)
    directions = np.array([circle.center, [0.0, 0.8, 0.6], [1.0, 0.0, 0.0]])
    block = problem.expectation.block(directions)

    found = source_totals(problem, block, directions, inside, circle)

    dense = block.dense().unit_counts[:, inside]
    band = problem.bands.of_hit[inside]
    wanted = [dense[:, band == number].sum(axis=1) for number in range(2)]
    assert found == pytest.approx(np.array(wanted).T)
    assert found[0] == pytest.approx([10, 4], rel=0.01)  # nearly all of it
    of_background = background_totals(problem, inside, circle)
    assert of_background == pytest.approx(
        np.array([[2.0 * np.sum(band == 0), 0.5 * np.sum(band == 1)]])
    )


def test_radii_are_those_of_the_narrowest_and_the_widest_gaussian():
    narrow, wide = spread_radii(_image())
    assert np.degrees(narrow) == pytest.approx(3 * 1.5096, rel=0.01)
    assert np.degrees(wide) == pytest.approx(6 * 2.4477, rel=0.02)


def test_events_in_a_circle_are_those_of_drawn_skies():
    model = event_model()
    band_weight = model.expectation.total_weight[np.newaxis]
    expectation = replace(model.expectation, band_weight=band_weight)
    model = replace(model, expectation=expectation)
    circle = Circle(np.array([0.0, 0.6, 0.8]), np.radians(5))
    source = InjectedSource(np.array([0.0, 0.64, 0.7684]) / np.hypot(0.64, 0.7684), 4.0)
    alone, both = 0, 0
    rng, n = np.random.default_rng(2), 6
    for _ in range(n):
        alone += len(bins_inside(draw_sky(model, rng).expectation, circle))
        both += len(bins_inside(draw_sky(model, rng, [source]).expectation, circle))

    none = np.empty(0, np.int64)
    of_background = background_totals(model, none, circle)[0].sum()
    of_source = source_totals(
        model,
        expectation.block(source.direction[np.newaxis]),
        source.direction[np.newaxis],
        none,
        circle,
    ).sum()

    assert alone / n == pytest.approx(of_background, abs=4 * np.sqrt(of_background / n))
    wanted = 4 * of_source + of_background
    assert both / n == pytest.approx(wanted, abs=4 * np.sqrt(wanted / n))
    whole = Circle(circle.center, np.pi)
    total = model.expectation.density.background
    assert background_totals(model, none, whole).sum() == pytest.approx(
        total.grid.values.sum(axis=0) @ total.fractions((20.0, 600.0)), rel=2e-3
    )


def test_an_instrument_without_images_has_all_bins_inside():
    problem = replace(
        _image(),
        expectation=_Bare(_image().expectation),
    )
    circle = Circle(np.array([0.0, 0.6, 0.8]), np.radians(20))
    assert np.array_equal(
        bins_inside(problem.expectation, circle), np.arange(problem.expectation.n_hit)
    )
    assert not has_image(problem.expectation)
    assert np.isinf(spread_radii(problem)[1])
    assert np.isnan(background_totals(problem, np.empty(0, np.int64), circle)).all()


class _Bare:
    """What is left of an expectation of which no position of bins is known."""

    def __init__(self, inner):
        self.n_hit, self.band_totals = inner.n_hit, inner.band_totals
