"""Sources that overlap: told apart, fitted together, and no more of them than there are."""

import numpy as np
import pytest

from skyquilt.config.sources import SourceOptions
from skyquilt.sky.frames import lonlat_to_vec, separation
from skyquilt.sky.regions import cone, ipix_from_ranges
from skyquilt.sources.crowd import Crowd
from skyquilt.sources.joint import Moves, fit_jointly
from skyquilt.sources.links import correlations
from skyquilt.sources.model import source_counts_at
from skyquilt.sources.search import Search

# Point spread 3 deg, pixels 1.8 deg, 0.2 background counts per pixel; a flux of 1 are 100 counts.
WIDTH = 3.0


def pair(gap, flux=3.0):
    """Two equal sources, as many widths of the point spread apart, as (lon, lat, flux)."""
    return [(50.0, 0.0, flux), (50.0 + gap * WIDTH, 0.0, flux)]


def direction_of(sources):
    lon, lat, _ = np.array(sources).T
    return lonlat_to_vec(lon, lat)


def around(sources, nside=32, radius=25.0):
    middle = direction_of(sources).sum(axis=0)
    return ipix_from_ranges(cone(nside, middle / np.linalg.norm(middle), radius))


def log_likelihood(problem, fit):
    """L of the sources of a joint fit, as it is defined."""
    block = problem.expectation.block(fit.direction)
    owner = block.direction
    counts = np.bincount(block.bin, fit.flux[owner] * block.unit_counts, problem.counts.size)
    return problem.counts @ np.log(problem.background + counts) - fit.flux @ block.total


def crowd_at(problem, direction, flux, threshold=25.0, min_separation=1.8):
    """A crowd of sources that stand at given places with given fluxes."""

    def is_inside(vec):
        return np.ones(len(vec), dtype=bool)

    crowd = Crowd(problem, 1.8, threshold, min_separation, is_inside)
    crowd.add(direction, np.array(flux))
    return crowd


def fit_group(problem, direction, flux):
    """Sources fitted together, free to go anywhere."""

    def anywhere(every, numbers, here, there):
        return np.ones(len(numbers), dtype=bool)

    moves = Moves(1.8, anywhere, np.full(len(flux), 0.9))
    return fit_jointly(problem, direction, flux, [np.arange(len(flux))], moves=moves)


@pytest.mark.parametrize("gap", [2.0, 2.5, 3.0, 4.0])
@pytest.mark.parametrize("seed", range(3))
def test_two_equal_sources_are_two(search, gap, seed):
    """The map's first peak may lie between them: it must not stay there."""
    sources = pair(gap)
    _, _, found = search(*sources, seed=seed, ipix=around(sources))
    assert found.measured.ts.size == 2
    apart = separation(direction_of(sources)[:, None], found.position.direction)
    number = apart.argmin(axis=1)
    assert sorted(number) == [0, 1]
    error = np.linalg.det(found.position.covariance) ** 0.25
    # 4 standard errors of a position in two dimensions: 3e-4
    assert np.all(apart.min(axis=1) < 4 * error[number])
    pull = (found.measured.flux - 3.0) / found.measured.flux_err
    assert np.all(np.abs(pull) < 3.3)


@pytest.mark.parametrize("flux", [0.5, 3.0, 30.0, 300.0])
def test_one_source_is_one_whatever_its_brightness(search, flux):
    rng = np.random.default_rng(int(flux))
    for seed in range(5):  # anywhere in its pixel
        source = [(50.0 + rng.uniform(-2, 2), rng.uniform(-2, 2), flux)]
        _, _, found = search(*source, seed=seed, ipix=around(source, radius=15.0))
        assert found.measured.ts.size == 1


@pytest.mark.slow
def test_pairs_are_listed_where_the_likelihood_asks_for_two(search):
    """Beside one source in the middle of both, neither may have a TS of its own."""
    sources = pair(2.2, flux=0.56)
    truth, n_pairs = direction_of(sources), 0
    for seed in range(8):
        problem, _, found = search(*sources, seed=seed, ipix=around(sources))
        two, one = (
            fit_group(problem, start, flux)
            for start, flux in ((truth, np.full(2, 0.56)), (truth[:1], np.ones(1)))
        )
        gain = 2 * (log_likelihood(problem, two) - log_likelihood(problem, one))
        n_pairs += gain > 25
        if abs(gain - 25) > 0.5:  # or where the tops are 0.03 standard errors away
            assert found.measured.ts.size == 1 + (gain > 25)
    assert 0 < n_pairs < 8


def test_source_between_two_makes_room_for_them(imager):
    sources = pair(2.5)
    truth = direction_of(sources)
    problem = imager.Imager().observe(truth, np.full(2, 3.0), np.random.default_rng(3))
    start = direction_of([(53.0, 0.0, 0), (59.0, 1.0, 0)])  # the first nearly in the middle
    fit = fit_group(problem, start, np.array([4.0, 2.0]))
    apart = separation(fit.direction[:, None], truth)
    assert np.all(apart.diagonal() < 4 * fit.sigma)
    assert fit.delta_loglike[0] > 50


def test_joint_fit_ends_where_the_likelihood_has_no_slope(imager):
    truth = direction_of(pair(2.0))
    problem = imager.Imager().observe(truth, np.full(2, 3.0), np.random.default_rng(4))
    fit = fit_group(problem, truth, np.full(2, 3.0))

    top = log_likelihood(problem, fit)
    start = fit._replace(direction=truth, flux=np.full(2, 3.0))
    assert top - log_likelihood(problem, start) == pytest.approx(fit.delta_loglike[0], abs=1e-9)
    rng = np.random.default_rng(0)
    for _ in range(50):
        moved = fit.direction + rng.normal(size=(2, 3)) * np.radians(fit.sigma)[:, None] * 0.3
        moved /= np.linalg.norm(moved, axis=1, keepdims=True)
        other = fit._replace(direction=moved, flux=fit.flux * rng.uniform(0.98, 1.02, 2))
        assert log_likelihood(problem, other) < top + 1e-3


def test_companion_of_one_source_leaves_and_its_counts_go_over(imager):
    source = direction_of([(50.0, 0.0, 3.0)])
    problem = imager.Imager().observe(source, np.array([30.0]), np.random.default_rng(5))
    crowd = crowd_at(problem, direction_of([(48.5, 0.0, 0), (52.0, 0.0, 0)]), [15.0, 15.0])
    assert crowd.drop(np.array([0])).size == 1
    assert separation(crowd.direction, source)[0] < 4 * 3 / np.sqrt(3000)
    assert crowd.flux[0] == pytest.approx(30, abs=4 * np.sqrt(0.3))


def test_companion_that_is_real_stays(imager):
    truth = direction_of(pair(2.0))
    problem = imager.Imager().observe(truth, np.full(2, 3.0), np.random.default_rng(5))
    crowd = crowd_at(problem, truth, [3.0, 3.0])
    assert crowd.drop(np.arange(2)).size == 0


def test_coupling_is_that_of_the_fit_of_all_fluxes(imager):
    """Bright sources hide what the background alone would show: they belong into it."""
    truth, flux = direction_of(pair(2.5)), np.array([100.0, 1.0])
    problem = imager.Imager().observe(truth, flux, np.random.default_rng(6))
    crowd = crowd_at(problem, truth, flux)
    crowd.settle(np.arange(2))
    fit = fit_jointly(problem, crowd.direction, crowd.flux, [np.arange(2)])
    curvature = fit.curvature[0]
    size = np.sqrt(np.diag(curvature))
    expected = curvature / np.outer(size, size)
    counts = source_counts_at(problem, crowd.direction)
    found = correlations(crowd.problem, counts).toarray()
    np.testing.assert_allclose(found, expected, rtol=1e-3)
    alone = correlations(problem, counts).toarray()
    assert alone[0, 1] > 2 * expected[0, 1]


def test_sources_keep_the_least_separation_while_they_move(imager):
    source = direction_of([(50.0, 0.0, 3.0)])
    problem = imager.Imager().observe(source, np.array([30.0]), np.random.default_rng(5))
    start = direction_of([(47.0, 0.0, 0), (53.0, 0.0, 0)])
    crowd = crowd_at(problem, start, [15.0, 15.0], min_separation=5.0)
    crowd.settle(np.arange(2))
    assert separation(*crowd.direction) >= 5.0


def test_sources_below_the_threshold_together_leave(search, imager):
    """Two faint sources may each have more TS alone than beside the other."""
    sources = [(50.0, 0.0, 0.4), (59.0, 0.0, 0.16)]
    for seed in range(6):
        _, _, found = search(*sources, seed=seed, ipix=around(sources))
        assert np.all(found.measured.ts >= 25)
    problem = imager.Imager().observe(
        direction_of(sources), np.array([0.4, 0.16]), np.random.default_rng(0)
    )
    crowd = crowd_at(problem, direction_of(sources), [0.4, 0.16], threshold=60.0)
    crowd.finish()
    assert crowd.flux.size < 2


def test_sources_stay_in_the_map(imager):
    """A source may be pushed towards one beyond the edge, and stops there."""
    sources = [(50.0, 0.0, 3.0), (58.0, 0.0, 3.0)]
    problem = imager.Imager().observe(
        direction_of(sources), np.full(2, 3.0), np.random.default_rng(1)
    )
    ipix = ipix_from_ranges(cone(32, lonlat_to_vec(42.0, 0.0), 10.0))
    search = Search(problem, imager.map_of(problem, 32, ipix), SourceOptions())
    search.find_iteratively()
    reach = separation(search.crowd.direction, lonlat_to_vec(42.0, 0.0))
    # from the outermost centre to the far corner of the pixel beyond: 1.5 diagonals, some longer
    assert np.all(reach < 10 + 2 * np.sqrt(2) * 1.84)
