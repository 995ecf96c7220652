"""Skies of problems with bins, with events, and with both."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import trapezoid
from scipy.stats import kstest

from skyquilt.calibration.skies import simulate_null
from skyquilt.calibration.sky import find_peak, make_grid
from skyquilt.errors import RunError
from skyquilt.fit.pixels import fit_pixels
from skyquilt.problem.joint import Joint, Part
from skyquilt.problem.shaped import Shaped
from skyquilt.problem.templates import Templates
from skyquilt.simulate import (
    InjectedSource,
    draw_sky,
    expected_sky,
    generator,
    hit_bins,
    observe,
)
from skyquilt.simulate.skies import expected_counts
from skyquilt.sky.frames import lonlat_to_vec, rotation, separation
from skyquilt.sky.healpix import nest_to_vec, vec_to_ring
from skyquilt.sky.nodes import Nodes
from skyquilt.sky.regions import full_sky
from skyquilt.testing.eventsky import NODES, SPAN, event_model

PLACE = lonlat_to_vec(40, 30)


def test_observe_gives_the_problem_of_the_hit_bins(telescope, model):
    counts = np.random.default_rng(0).poisson(telescope.background)
    wanted, directions = telescope.problem(counts), nest_to_vec(2, np.arange(48))

    problem = observe(model, counts)

    np.testing.assert_array_equal(problem.counts, wanted.counts)
    np.testing.assert_array_equal(problem.background, wanted.background)
    found, expected = (one.expectation.block(directions) for one in (problem, wanted))
    np.testing.assert_array_equal(found.unit_counts, expected.unit_counts)
    np.testing.assert_array_equal(found.total, expected.total)


def test_draw_sky_is_a_poisson_draw_of_background_and_sources(telescope, model):
    direction = telescope.random_direction(np.random.default_rng(5))
    expected = telescope.background + 2.0 * expected_counts(model.expectation, direction)

    sky = draw_sky(model, generator(4, 0), [InjectedSource(direction, 2.0)])

    np.testing.assert_array_equal(sky.counts, generator(4, 0).poisson(expected))


def test_expected_sky_gives_the_flux_that_was_put_in(telescope, model):
    direction = telescope.random_direction(np.random.default_rng(5))

    sky = hit_bins(expected_sky(model, [InjectedSource(direction, 2.0)]))

    assert fit_pixels(sky, direction[np.newaxis]).flux[0] == pytest.approx(2.0, rel=1e-6)
    assert sky.counts.sum() == pytest.approx(
        telescope.background.sum() + 2.0 * expected_counts(model.expectation, direction).sum()
    )


def test_parts_of_a_joint_problem_are_drawn_as_the_whole(model):
    parts = (Part(model.expectation, model.frame),) * 2
    double = replace(
        model,
        counts=np.tile(model.counts, 2),
        background=np.tile(model.background, 2),
        expectation=Joint(parts, model.frame),
    )

    sky = draw_sky(double, generator(1, 0))

    np.testing.assert_array_equal(sky.counts, generator(1, 0).poisson(double.background))


@pytest.mark.parametrize("circles", [(), ((*PLACE, 0.8),)], ids=["whole sky", "circle"])
def test_events_of_the_background_are_as_many_and_where_they_are_expected(circles):
    model = event_model(40000.0, circles)
    density = model.expectation.density
    sky = draw_sky(model, generator(3, 0))
    direction = sky.expectation.direction
    # what the density says of a fine grid of places and energies
    nside, energy = 32, np.geomspace(*SPAN, 301)
    places = nest_to_vec(nside, np.arange(12 * nside**2))
    rate = trapezoid(density.background.at(places, energy), energy, axis=1)
    rate = rate * density.is_inside(places) * 4 * np.pi / len(places)
    # three standard errors, and 0.1 % for the pixels of the sum
    assert abs(len(direction) - rate.sum()) < 3 * np.sqrt(rate.sum()) + 1e-3 * rate.sum()
    assert np.all(density.is_inside(direction))
    height = np.sort(places[:, 2])
    order = np.argsort(places[:, 2])
    upto = np.cumsum(rate[order]) / rate.sum()
    where = np.interp(direction[:, 2], height, upto)
    assert kstest(where, "uniform").statistic < 1.63 / np.sqrt(len(where)) + 5e-3


def test_energies_of_the_background_follow_its_density():
    model = event_model(40000.0)
    density = model.expectation.density
    sky = draw_sky(model, generator(3, 1))
    energies = np.geomspace(*SPAN, 2001)
    rate = density.background.at(PLACE[np.newaxis], energies)[0]
    upto = np.concatenate([[0], np.cumsum((rate[1:] + rate[:-1]) / 2 * np.diff(energies))])
    # of the places of events among the energies of the exposure their energies follow
    energy = np.exp(np.interp(sky.expectation.exposure_node, np.arange(21), np.log(NODES)))
    found = np.interp(energy, energies, upto / upto[-1])
    assert kstest(found, "uniform").statistic < 1.63 / np.sqrt(found.size) + 2e-3
    # band edges within the span are not crowded
    assert SPAN[0] <= energy.min() < energy.max() < SPAN[1] * (1 + 1e-9)


def test_density_at_drawn_events_is_that_of_the_model():
    model = event_model()
    density = model.expectation.density
    sky = draw_sky(model, generator(3, 2))
    energy = np.exp(np.interp(sky.expectation.exposure_node, np.arange(21), np.log(NODES)))
    wanted = density.background.at_each(sky.expectation.direction, energy)
    np.testing.assert_allclose(sky.background, wanted, rtol=1e-6)
    np.testing.assert_allclose(sky.expectation.flux_density, (energy / 100) ** -2 / 100, rtol=1e-6)


@pytest.mark.parametrize("index", [-2.0, -3.0])
def test_flux_of_a_source_in_events_is_recovered(index):
    model, pulls = event_model(index=index), []
    for number in range(24):
        sky = hit_bins(draw_sky(model, generator(5, number), [InjectedSource(PLACE, 0.06)]))
        fit = fit_pixels(sky, PLACE[np.newaxis])
        pulls.append((fit.flux[0] - 0.06) / fit.flux_err[0])
    # 24 pulls: four standard errors
    assert abs(np.mean(pulls)) < 4 / np.sqrt(24)
    assert abs(np.std(pulls) - 1) < 4 / np.sqrt(48)


def test_position_of_a_source_in_events_is_recovered():
    model, offsets = event_model(), []
    for number in range(8):
        sky = hit_bins(draw_sky(model, generator(12, number), [InjectedSource(PLACE, 0.06)]))
        peak = find_peak(sky, PLACE[np.newaxis], 1.0)
        offsets.append(separation(peak.direction, PLACE))
    # 300 photons of a width of 1.5 to 3 deg over a background: 0.15 deg or so along each axis
    assert 0.05 < np.sqrt(np.mean(np.square(offsets))) < 0.4


def test_photons_of_a_source_are_as_many_as_its_total():
    model = event_model(background=1e-9)
    total = model.expectation.block(PLACE[np.newaxis]).total[0]
    n = [
        draw_sky(model, generator(6, number), [InjectedSource(PLACE, 300 / total)]).counts.size
        for number in range(20)
    ]
    # where no background is expected nothing is drawn, and there is next to none; four errors
    assert abs(np.sum(n) - 6000) < 4 * np.sqrt(6000)


def test_null_ts_of_events_follows_half_chi2_where_there_are_many():
    model = event_model(background=40000.0)
    ts = []
    for number in range(16):
        sky = hit_bins(draw_sky(model, generator(7, number)))
        ts.append(fit_pixels(sky, nest_to_vec(2, np.arange(48))).ts)
    ts = np.ravel(ts)
    for level, part in ((0.0, 0.5), (1.0, 0.1587), (2.706, 0.05)):
        # 768 pixels, each 30 deg from the next: four binomial errors, and 0.02 for few photons
        error = np.sqrt(part * (1 - part) / ts.size)
        assert abs(np.mean(ts > level) - part) < 4 * error + 0.02


def test_an_extended_source_of_points_is_recovered():
    model = event_model()
    nodes = Nodes(np.radians([-5.0, 5.0]), np.radians([0.0, 3.0]), np.array([0.25, 0.75]))
    pole = rotation("icrs", "galactic")[:, 2]
    model = replace(model, expectation=Shaped(model.expectation, nodes, pole))
    sky = draw_sky(model, generator(8, 0), [InjectedSource(PLACE, 0.2)])
    fit = fit_pixels(hit_bins(sky), PLACE[np.newaxis])
    assert abs(fit.flux[0] - 0.2) < 3 * fit.flux_err[0]
    points = nodes.around(PLACE[np.newaxis], pole)[0]
    near = [np.sum(sky.expectation.expectation.direction @ point > 0.998) for point in points]
    assert near[1] > 2 * near[0]


def test_all_spectra_see_the_same_events():
    soft, hard = event_model(index=-3.0), event_model(index=-1.5)
    names = ("soft", "hard")
    both = Templates(names, (soft.expectation, hard.expectation), np.ones(2))
    sky = draw_sky(replace(soft, expectation=both), generator(9, 0), [InjectedSource(PLACE, 0.1)])
    one, other = sky.expectation.expectations
    np.testing.assert_array_equal(one.direction, other.direction)
    ratio = one.flux_density / other.flux_density
    assert np.ptp(ratio) > 0.1
    assert fit_pixels(hit_bins(sky), PLACE[np.newaxis]).ts[0] > 25


def test_events_and_bins_of_a_joint_problem_share_their_sources(telescope, model):
    events = event_model()
    parts = (Part(model.expectation, model.frame), Part(events.expectation, "galactic"))
    both = replace(
        model,
        expectation=Joint(parts, model.frame),
        background=model.background,
        counts=model.counts,
    )
    direction = telescope.random_direction(np.random.default_rng(5))

    sky = draw_sky(both, generator(2, 0), [InjectedSource(direction, 3.0)])

    binned = telescope.background + 3.0 * telescope.expected(direction)
    n = binned.size
    np.testing.assert_array_equal(sky.counts[:n], generator(2, 0).poisson(binned))
    assert np.all(sky.counts[n:] == 1)
    fit = fit_pixels(hit_bins(sky), direction[np.newaxis])
    assert abs(fit.flux[0] - 3.0) < 4 * fit.flux_err[0]


def test_events_without_their_density_are_refused():
    model = event_model()
    model = replace(model, expectation=replace(model.expectation, density=None))
    with pytest.raises(RunError, match="prepare --all-bins"):
        draw_sky(model, generator(1, 0))


def test_expected_counts_of_events_are_refused():
    with pytest.raises(RunError, match="events one by one have no bins"):
        expected_sky(event_model())


def test_sky_follows_from_its_generator_alone():
    model = event_model()
    draw_sky(model, generator(1, 5))
    skies = [draw_sky(one, generator(1, 6)) for one in (model, event_model())]
    np.testing.assert_array_equal(*(sky.expectation.direction for sky in skies))
    np.testing.assert_array_equal(*(sky.background for sky in skies))


def test_no_event_is_drawn_where_no_background_is_expected():
    model = event_model()
    density = model.expectation.density
    values = density.background.grid.values.copy()
    values[:384] = 0
    grid = replace(density.background.grid, values=values)
    background = replace(density.background, grid=grid)
    density = replace(density, background=background)
    model = replace(model, expectation=replace(model.expectation, density=density))
    sky = draw_sky(model, generator(1, 0), [InjectedSource(lonlat_to_vec(0, 80), 0.1)])
    assert np.all(sky.background > 0)
    assert vec_to_ring(8, sky.expectation.direction).min() > 300


def test_calibration_of_events_does_not_depend_on_the_cut():
    model = event_model()
    grid = make_grid(model, 1, "galactic", full_sky(1))

    def run(numbers):
        return simulate_null(model, grid, 1, numbers, lambda *_: None)

    whole, parts = run(range(4)), [run(range(1)), run(range(1, 4))]
    for values, *pieces in zip(whole, *parts, strict=True):
        np.testing.assert_array_equal(values, np.concatenate(pieces))
