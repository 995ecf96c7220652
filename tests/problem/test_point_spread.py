"""Integrals over pixels against closed forms and against sums over many small pixels."""

from dataclasses import replace

import healpy
import numpy as np
import pytest

from skyquilt.problem import point_spread
from skyquilt.problem.pixel_image import are_squares, find_hits, pixel_shapes
from skyquilt.problem.point_spread import PointSpread
from skyquilt.problem.profiles import tabulate
from skyquilt.problem.sky_grid import HealpixGrid
from skyquilt.sky.frames import lonlat_to_vec, separation
from skyquilt.sky.healpix import nest_to_vec
from skyquilt.status import GOOD

NSIDE = 16  # pixels of 3.7 deg
THETA = np.radians(np.linspace(0, 1, 1500) ** 2 * 30)
DIRECTIONS = nest_to_vec(64, np.arange(7, 49152, 4001))


def corners(ipix, nside=NSIDE, step=16):
    return np.moveaxis(healpy.boundaries(nside, ipix, step=step, nest=True), 1, 2)


def gaussian(sigma):
    sigma = np.radians(np.atleast_1d(sigma))[:, np.newaxis]
    return np.exp(-((THETA / sigma) ** 2) / 2) / (2 * np.pi * sigma**2)


def king(core, gamma=2.0):
    """Long tails, as those of a real telescope."""
    x = (THETA / np.radians(core)) ** 2 / (2 * gamma)
    return (1 / (2 * np.pi * np.radians(core) ** 2) * (1 - 1 / gamma) * (1 + x) ** -gamma)[None]


def integral_of(profile):
    """Integral of a profile as it is given, linear between its angles."""
    return tabulate(THETA, profile, 1e-3).total[0]


def make(profile, ipix=None, counts=None, to_band=None, nside=NSIDE, **options):
    ipix = np.arange(12 * nside**2) if ipix is None else ipix
    n = len(profile)
    to_band = np.eye(n) if to_band is None else to_band
    counts = np.ones((len(ipix), to_band.shape[1])) if counts is None else counts
    image, place = find_hits(corners(ipix, nside), counts)
    yields = HealpixGrid(1, np.tile(2.0 + np.arange(n), (12, 1)))
    return PointSpread(image, yields, THETA, profile, to_band, **options), place


def dense(block, place, shape):
    """Expected counts per direction, pixel and band."""
    values = np.zeros((len(block.total), np.prod(shape)))
    row = block.direction
    values[row, place[block.bin]] = block.unit_counts
    return values.reshape(-1, *shape)


def slow_integrals(source, profile, radius=20.0, nside=2048):
    """Integral over each pixel as a sum over small ones near the source."""
    small = healpy.query_disc(nside, source, np.radians(radius), nest=True)
    theta = np.radians(separation(nest_to_vec(nside, small), source))
    density = np.interp(theta, THETA, profile) * 4 * np.pi / (12 * nside**2)
    return np.bincount(small // (nside // NSIDE) ** 2, density, minlength=12 * NSIDE**2)


@pytest.mark.parametrize("profile", [gaussian(0.4), gaussian(2.0), king(0.4)])
def test_integrals_over_pixels_equal_sums_over_small_pixels(profile):
    expectation, place = make(profile)

    found = dense(expectation.block(DIRECTIONS[:4]), place, (12 * NSIDE**2, 1))[..., 0] / 2

    for row, source in zip(found, DIRECTIONS, strict=False):
        expected = slow_integrals(source, profile[0])
        # small pixels of 0.03 deg, jagged at the edges of the large ones: 1e-3 of the source
        near = separation(nest_to_vec(NSIDE, np.arange(12 * NSIDE**2)), source) < 15
        np.testing.assert_allclose(row[near], expected[near], atol=1e-3)
        # in the tails that is much, and straight lines in place of curved edges are 6 percent
        tail = near & (expected > 1e-5) & (expected < 1e-3) & (row > 0)
        np.testing.assert_allclose(row[tail], expected[tail], rtol=0.07)


@pytest.mark.parametrize("sigma", [0.02, 0.3, 1.5, 4.0])
def test_pixels_of_the_whole_sky_hold_all_but_the_lost_fraction(sigma):
    expectation, _ = make(gaussian(sigma), lost_fraction=1e-3)

    block = expectation.block(DIRECTIONS)

    held = np.add.reduceat(block.unit_counts, block.indptr[:-1]) / block.total
    # pixels are taken whole, so less is lost than stated
    assert np.all(held > 1 - 1e-3)
    # where straight edges meet curved ones, slivers are counted twice
    assert np.all(held < 1 + 5e-4)
    np.testing.assert_allclose(block.total, 2 * integral_of(gaussian(sigma)), rtol=1e-9)
    assert np.all(block.status == GOOD)


def test_a_polygon_around_the_source_holds_the_disk_of_a_gaussian():
    sigma, radius = 0.5, 0.7
    angle = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    center = lonlat_to_vec(40.0, 20.0)
    east, north = lonlat_to_vec(130.0, 0.0), lonlat_to_vec(40.0, 110.0)
    around = np.cos(angle)[:, None] * east + np.sin(angle)[:, None] * north
    disk = np.cos(np.radians(radius)) * center + np.sin(np.radians(radius)) * around
    image, _ = find_hits(disk[np.newaxis], np.ones((1, 1)))
    yields = HealpixGrid(1, np.ones((12, 1)))
    expectation = PointSpread(image, yields, THETA, gaussian(sigma), np.eye(1))

    block = expectation.block(center[np.newaxis])

    closed_form = 1 - np.exp(-((radius / sigma) ** 2) / 2)
    # a polygon of 400 corners lacks 4e-5 of the disk
    assert block.unit_counts[0] == pytest.approx(closed_form, abs=1e-4)
    # data that end at the disk see no more than that of the source
    assert block.total[0] == pytest.approx(closed_form, abs=1e-3)


def test_narrow_function_lies_in_the_pixel_of_its_source():
    expectation, place = make(gaussian(0.001))

    block = expectation.block(nest_to_vec(NSIDE, np.array([77])))

    assert place[block.bin].tolist() == [77]
    # the profile has 4 angles per sigma, its table a few more
    assert block.unit_counts[0] == pytest.approx(2 * integral_of(gaussian(0.001)), rel=1e-5)


def test_source_on_an_edge_is_shared_by_two_pixels():
    edge = corners(np.array([500]))[0, 2]  # in the middle of one edge
    expectation, place = make(gaussian(0.01))

    block = expectation.block(edge[np.newaxis])

    # straight lines in place of a curved edge turn by less than a percent
    assert len(block.bin) == 2
    assert 500 in place[block.bin]
    np.testing.assert_allclose(block.unit_counts, 1.0, rtol=0.02)


def test_source_on_a_corner_is_shared_by_four_pixels():
    expectation, _ = make(gaussian(0.01))

    block = expectation.block(corners(np.array([500]))[0, :1])

    assert len(block.bin) == 4
    assert block.unit_counts.sum() == pytest.approx(2 * integral_of(gaussian(0.01)), rel=1e-4)


def test_total_of_a_part_of_the_sky_equals_the_sum_over_its_pixels():
    ipix = healpy.query_disc(NSIDE, DIRECTIONS[3], np.radians(15), nest=True)
    expectation, _ = make(king(0.6), ipix)
    lon, lat = np.meshgrid(np.linspace(0, 330, 12), [0.0, 5.0, 11.0, 14.0, 17.0, 25.0])
    offset = lonlat_to_vec(lon.ravel(), 90 - lat.ravel())
    turn = np.stack([*_axes(DIRECTIONS[3]), DIRECTIONS[3]], axis=1)
    block = expectation.block(offset @ turn.T)

    held = np.array([part.sum() for part in np.split(block.unit_counts, block.indptr[1:-1])])

    # what lies beyond the reach, 1e-3, is shared out like the rest
    np.testing.assert_allclose(block.total, held, atol=3e-3)
    assert block.total.min() < 0.01
    assert block.total.max() > 1.95


def _axes(z):
    x = np.cross(z, [0.0, 0.0, 1.0])
    x /= np.linalg.norm(x)
    return x, np.cross(z, x)


def test_total_beside_a_hole_lacks_what_is_in_the_hole():
    hole = healpy.query_disc(NSIDE, DIRECTIONS[5], np.radians(8), nest=True)
    ipix = np.setdiff1d(np.arange(12 * NSIDE**2), hole)
    whole, place = make(gaussian(1.0))
    lacking, _ = make(gaussian(1.0), ipix)
    near = nest_to_vec(128, healpy.query_disc(128, DIRECTIONS[5], np.radians(12), nest=True)[::37])

    in_hole = dense(whole.block(near), place, (12 * NSIDE**2, 1))[:, hole, 0].sum(axis=1)

    # both lose up to 1e-3 beyond the reach
    np.testing.assert_allclose(lacking.block(near).total, 2 - in_hole, atol=4e-3)


def test_sources_far_outside_give_nothing():
    ipix = healpy.query_disc(NSIDE, DIRECTIONS[3], np.radians(15), nest=True)
    expectation, _ = make(gaussian(1.0), ipix)

    block = expectation.block(-DIRECTIONS[3:4])

    assert len(block.bin) == 0
    assert block.total[0] == pytest.approx(0, abs=1e-12)


def test_bands_get_their_share_of_each_component():
    to_band = np.array([[0.7, 0.2, 0.0], [0.1, 0.3, 0.5]])
    mixed, place = make(gaussian([0.5, 1.5]), to_band=to_band)
    pure, pure_place = make(gaussian([0.5, 1.5]))

    block = mixed.block(DIRECTIONS[:3])
    found = dense(block, place, (12 * NSIDE**2, 3))
    components = dense(pure.block(DIRECTIONS[:3]), pure_place, (12 * NSIDE**2, 2))

    np.testing.assert_allclose(found, components @ to_band, rtol=1e-12)
    np.testing.assert_allclose(block.total, 2 * 0.9 + 3 * 0.9, rtol=1e-3)  # of a sphere, no plane


def test_only_bins_with_counts_have_entries():
    counts = np.random.default_rng(1).poisson(0.3, (12 * NSIDE**2, 2))
    some, place = make(gaussian([0.5, 1.5]), counts=counts)
    every, every_place = make(gaussian([0.5, 1.5]))

    found = dense(some.block(DIRECTIONS), place, counts.shape)
    expected = dense(every.block(DIRECTIONS), every_place, counts.shape)

    assert some.n_hit == np.count_nonzero(counts)
    np.testing.assert_array_equal(found, expected * (counts > 0))


def test_selected_bins_have_the_same_counts():
    expectation, _ = make(gaussian([0.5, 1.5]))
    kept = np.arange(0, expectation.n_hit, 5)

    block = expectation.select_bins(kept).block(DIRECTIONS)

    whole = expectation.block(DIRECTIONS)
    is_kept = np.isin(whole.bin, kept)
    np.testing.assert_array_equal(kept[block.bin], whole.bin[is_kept])
    np.testing.assert_array_equal(block.unit_counts, whole.unit_counts[is_kept])
    np.testing.assert_array_equal(block.total, whole.total)


def test_result_does_not_depend_on_the_block():
    expectation, _ = make(king(0.4))
    together = expectation.block(DIRECTIONS)

    alone = [expectation.block(direction[np.newaxis]) for direction in DIRECTIONS]

    for name in ("bin", "unit_counts", "total"):
        apart = np.concatenate([getattr(block, name) for block in alone])
        np.testing.assert_array_equal(getattr(together, name), apart)


def test_no_directions_give_an_empty_block():
    expectation, _ = make(king(0.4), np.arange(50))

    assert [len(part) for part in expectation.block(np.empty((0, 3)))[:5]] == [1, 0, 0, 0, 0]


def test_small_pixels_far_away_hold_their_central_density():
    # pixels of 0.06 deg: some are cut into edges, those beyond 20 radii are not
    center = nest_to_vec(1024, np.array([123456]))
    ipix = healpy.query_disc(1024, center[0], np.radians(3), nest=True)
    image, _ = find_hits(corners(ipix, 1024, 1), np.ones((len(ipix), 1)))
    yields = HealpixGrid(1, np.ones((12, 1)))
    expectation = PointSpread(image, yields, THETA, king(0.2), np.eye(1))

    block = expectation.block(center)

    shapes = image.shapes[block.bin]
    theta = np.radians(separation(shapes[:, :3], center[0]))
    expected = np.interp(theta, THETA, king(0.2)[0]) * shapes[:, 3]
    far = np.degrees(theta) > 0.5
    # second derivative times the pixel squared
    np.testing.assert_allclose(block.unit_counts[far], expected[far], rtol=0.01)
    assert block.unit_counts.sum() == pytest.approx(block.total[0], rel=2e-3)


def square_pixels(side, n=60, squeeze=1.0):
    """Corners of n x n pixels of a plate carree map around l = b = 0."""
    edge = side * (np.arange(n + 1) - n / 2)
    lon, lat = np.meshgrid(squeeze * edge, edge)
    grid = lonlat_to_vec(lon, lat)
    corner = (grid[:-1, :-1], grid[:-1, 1:], grid[1:, 1:], grid[1:, :-1])
    return np.stack(corner, axis=2).reshape(-1, 4, 3)


@pytest.mark.parametrize("profile", [king(0.3), gaussian(0.3), gaussian(1.0)])
def test_squares_far_away_hold_what_four_points_find(profile, monkeypatch):
    image, _ = find_hits(square_pixels(0.1), np.ones((3600, 1)))
    yields = HealpixGrid(1, np.ones((12, 1)))
    expectation = PointSpread(image, yields, THETA, profile, np.eye(1))
    source = lonlat_to_vec(np.array([0.02]), np.array([-0.03]))
    found = expectation.block(source)

    monkeypatch.setattr(point_spread, "are_squares", lambda image: False)
    monkeypatch.setattr(point_spread, "_FAR", np.inf)
    expected = replace(expectation).block(source)

    assert found.bin.tolist() == expected.bin.tolist()
    distance = np.radians(separation(image.shapes[found.bin, :3], source[0]))
    is_far = distance > 5.01 * image.shapes[0, 4]
    assert is_far.sum() > 300
    # both leave out terms of (side / distance)^4, up to a thousandth; tables are linear between
    # their angles, which is no better in the tail of a Gaussian
    np.testing.assert_allclose(found.unit_counts, expected.unit_counts, rtol=2e-3)
    assert not np.array_equal(found.unit_counts[is_far], expected.unit_counts[is_far])
    assert np.array_equal(found.unit_counts[~is_far], expected.unit_counts[~is_far])


@pytest.mark.parametrize(
    ("vertices", "expected"),
    [
        (square_pixels(0.1), True),
        (square_pixels(0.1, squeeze=1.02), True),
        (square_pixels(0.1, squeeze=1.1), False),  # second moments 10 % apart
        (np.concatenate([square_pixels(0.1, 2), square_pixels(0.11, 2)]), False),
        (corners(np.arange(100), 64), False),
    ],
)
def test_are_squares_tells_pixels_of_one_size_and_shape(vertices, expected):
    counts = np.ones((len(vertices), 1))
    image, _ = find_hits(vertices, counts)
    assert are_squares(image) is expected


def test_are_squares_when_no_pixel_has_counts_is_false():
    image, _ = find_hits(square_pixels(0.1, 2), np.zeros((4, 1)))
    assert not are_squares(image)


def test_solid_angles_of_pixels_add_up_to_the_sphere():
    shapes = pixel_shapes(corners(np.arange(12 * NSIDE**2)))

    assert shapes[:, 3].sum() == pytest.approx(4 * np.pi, rel=1e-12)
    # arcs between the points of curved edges
    np.testing.assert_allclose(shapes[:, 3], 4 * np.pi / (12 * NSIDE**2), rtol=0.02)
    np.testing.assert_allclose(
        shapes[:, 4].max(), healpy.max_pixrad(NSIDE), rtol=0.05
    )  # the mean of the corners is not quite the centre


def test_border_of_the_whole_sky_is_empty_and_of_a_part_closed():
    whole, _ = make(gaussian(1.0))
    part, _ = make(gaussian(1.0), healpy.query_disc(NSIDE, DIRECTIONS[3], 0.3, nest=True))

    assert whole.image.border.shape == (0, 2, 3)
    border = np.round(part.image.border, 9)
    starts = sorted(map(tuple, border[:, 0].tolist()))
    assert starts == sorted(map(tuple, border[:, 1].tolist()))
    assert len(starts) > 20


@pytest.mark.parametrize(
    ("vertices", "counts", "message"),
    [
        (corners(np.arange(5)), np.ones((4, 1)), "do not fit"),
        (corners(np.arange(5))[:, ::-1], np.ones((5, 1)), "counter-clockwise"),
        (corners(np.arange(5))[:, :6], np.ones((5, 1)), "multiples of four"),
    ],
)
def test_impossible_pixels_are_refused(vertices, counts, message):
    with pytest.raises(ValueError, match=message):
        find_hits(vertices, counts)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"profile": gaussian([1, 2])}, "profile: shape"),
        ({"to_band": np.ones((2, 1))}, "to_band: shape"),
        ({"to_band": -np.ones((1, 1))}, "0 or more"),
        ({"to_band": np.ones((1, 0))}, "bin_band"),
    ],
)
def test_impossible_parts_are_refused(change, message):
    expectation, _ = make(gaussian(1.0))

    with pytest.raises(ValueError, match=message):
        replace(expectation, **change)


@pytest.mark.parametrize(("n_pixel", "least_us", "most_us"), [(16, 1.2, 3), (3072, 12, 30)])
def test_cost_is_that_of_few_near_pixels_and_cheap_others(n_pixel, least_us, most_us):
    image, _ = make(gaussian(5.0), ipix=np.arange(n_pixel))
    source = corners(np.array([5]), NSIDE).mean(axis=1)
    source /= np.linalg.norm(source)

    cost = image.cost(source, 1024)

    # 1 us and what there is of 1, 17 and 160 ns per pixel; 100 are near at most
    assert least_us < cost.seconds * 1e6 < most_us
    assert cost.n_bins == image.block(source).bin.size
    assert image.cost(source, 1).seconds - cost.seconds == pytest.approx(40e-6, rel=0.01)
