import numpy as np
import pytest
from scipy.stats import kstest

from skyquilt.sky.frames import lonlat_to_vec, separation
from skyquilt.sources.catalogue.objects import KnownObjects
from skyquilt.sources.crossmatch import N_LOCAL, find_counterparts


def known(lon, lat, r95=0.0):
    lon = np.atleast_1d(np.asarray(lon, dtype=float))
    names = np.array([f"object {k}" for k in range(lon.size)])
    direction = lonlat_to_vec(lon, np.broadcast_to(np.asarray(lat, dtype=float), lon.shape))
    return KnownObjects(names, direction, np.full(lon.size, r95))


def random_directions(n, rng):
    vec = rng.normal(size=(n, 3))
    return vec / np.linalg.norm(vec, axis=1)[:, None]


def test_nearest_object_is_found_across_longitude_zero_and_at_the_pole():
    catalogue = known([0.1, 50.0, 180.0], [0.0, 89.9, -40.0])
    sources = lonlat_to_vec(np.array([359.95, 230.0]), np.array([0.0, 89.95]))
    found = find_counterparts(sources, np.full(2, 0.05), catalogue, 1.0)
    assert found.number.tolist() == [0, 1]
    np.testing.assert_allclose(found.separation, [0.15, 0.15], rtol=1e-9)


def test_nearest_object_equals_a_search_through_all():
    rng = np.random.default_rng(1)
    sources, objects = random_directions(50, rng), random_directions(300, rng)
    catalogue = KnownObjects(np.arange(300).astype(str), objects, np.zeros(300))
    found = find_counterparts(sources, np.zeros(50), catalogue, 180.0)
    assert found.number.tolist() == separation(sources[:, None], objects).argmin(axis=1).tolist()


@pytest.mark.parametrize(("radius", "number"), [(0.9, -1), (1.1, 0)])
def test_object_beyond_the_radius_is_no_counterpart(radius, number):
    found = find_counterparts(
        lonlat_to_vec(np.array([10.0]), np.array([0.0])), np.ones(1), known(11.0, 0.0), radius
    )
    assert found.number[0] == number
    assert np.isnan(found.separation[0]) == (number == -1)
    assert np.isnan(found.chance[0]) == (number == -1)


@pytest.mark.parametrize(
    ("r95", "known_r95", "is_within"),
    [(0.4, 0.0, False), (0.6, 0.0, True), (0.4, 0.4, True), (np.nan, 0.0, False)],
)
def test_counterpart_within_errors_of_both_positions(r95, known_r95, is_within):
    source = lonlat_to_vec(np.array([10.0]), np.array([0.0]))
    found = find_counterparts(source, np.array([r95]), known(10.5, 0.0, known_r95), 1.0)
    assert found.is_within_errors.tolist() == [is_within]


def test_chance_of_unrelated_objects_is_uniform():
    """The probability of an object as near by chance is uniform for objects that are unrelated."""
    rng = np.random.default_rng(3)
    sources, objects = random_directions(500, rng), random_directions(2000, rng)
    catalogue = KnownObjects(np.arange(2000).astype(str), objects, np.zeros(2000))
    chance = find_counterparts(sources, np.zeros(500), catalogue, 180.0).chance
    # the density has an error of 1 / sqrt(20), a distortion of 2 %, less than what 500 show
    assert kstest(chance, "uniform").pvalue > 0.01


def test_chance_follows_the_local_density():
    rng = np.random.default_rng(4)
    dense = lonlat_to_vec(rng.uniform(-10, 10, 400), rng.uniform(-10, 10, 400))
    sparse = lonlat_to_vec(rng.uniform(90, 270, 200), rng.uniform(-60, 60, 200))
    catalogue = KnownObjects(
        np.arange(602).astype(str),
        np.vstack([dense, sparse, lonlat_to_vec(np.array([0.1, 180.1]), np.zeros(2))]),
        np.zeros(602),
    )
    sources = lonlat_to_vec(np.array([0.0, 180.0]), np.zeros(2))
    chance = find_counterparts(sources, np.zeros(2), catalogue, 1.0).chance
    # one object per deg2, within at most 0.1 deg: pi 0.01; the density has an error of 23 %
    assert chance[0] <= 0.0314 * (1 + 3 * N_LOCAL**-0.5)
    assert chance[1] < chance[0]


@pytest.mark.parametrize("n", [1, 2, 3])
def test_chance_in_a_catalogue_of_few_objects_is_a_probability(n):
    source = lonlat_to_vec(np.array([10.0]), np.array([0.0]))
    found = find_counterparts(source, np.ones(1), known([10.2, 90.0, 200.0][:n], 0.0), 1.0)
    assert 0 < found.chance[0] < 1e-4


def test_no_sources_have_no_counterparts():
    found = find_counterparts(np.empty((0, 3)), np.empty(0), known(1.0, 2.0), 1.0)
    assert [values.shape for values in found] == [(0,)] * 4
