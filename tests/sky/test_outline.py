import healpy
import numpy as np
import pytest

from skyquilt.sky.moc import merge_ranges, ranges_to_uniq
from skyquilt.sky.outline import outline, outline_loops
from skyquilt.sky.regions import ranges_from_ipix
from skyquilt.sky.uniq import to_uniq

ORDER = 5
NSIDE = 32


def cells(ipix, order=ORDER):
    return to_uniq(order, np.sort(ipix))


def coarsest(ipix, order=ORDER):
    return ranges_to_uniq(merge_ranges(ranges_from_ipix(ipix)), order)


def length(edges):
    return np.linalg.norm(np.diff(edges, axis=1), axis=-1).sum()


def solid_angle(loop):
    """Area to the left of a closed line [sr], from the angles of triangles at its first point."""
    apex, b, c = loop[0], loop[1:-1], loop[2:]
    triple = np.einsum("j,ij->i", apex, np.cross(b, c))
    half = np.arctan2(triple, 1 + b @ apex + c @ apex + np.sum(b * c, axis=1))
    return 2 * half.sum()


@pytest.mark.parametrize("order", [5, 7])
@pytest.mark.parametrize("fraction", [0.0, 0.04, 0.3, 0.5, 0.77, 0.999])
def test_outline_of_one_pixel_is_its_four_edges(order, fraction):
    nside = 1 << order
    ipix = int(fraction * 12 * nside**2)
    edges = outline(to_uniq(order, np.array([ipix])))
    corners = healpy.boundaries(nside, ipix, step=1, nest=True).T
    np.testing.assert_allclose(edges[:, 0], corners, atol=1e-14)  # rounding
    np.testing.assert_allclose(edges[:, 1], np.roll(corners, -1, axis=0), atol=1e-14)


@pytest.mark.parametrize("ipix", range(12))
def test_outline_of_a_base_pixel_follows_its_curved_edges(ipix):
    edges = outline(np.array([4 + ipix]))
    assert len(edges) == 4 * 32
    points = healpy.boundaries(1, ipix, step=32, nest=True).T
    gap = np.linalg.norm(edges[:, 0, None] - points, axis=-1)
    assert gap.min(axis=1).max() < 1e-14


@pytest.mark.parametrize("side", [0, 2, 4, 6])  # healpy: SW, NW, NE, SE
@pytest.mark.parametrize("ipix", [5000, 0, 1023, 8191])
def test_outline_of_two_neighbours_leaves_out_their_common_edge(ipix, side):
    pair = np.array([ipix, healpy.get_all_neighbours(NSIDE, ipix, nest=True)[side]])
    edges = outline(cells(pair))
    both = [outline(cells(pair[at : at + 1])) for at in (0, 1)]
    common = [edge for edge in both[0] if np.isclose(both[1][:, ::-1], edge).all((1, 2)).any()]
    assert (len(edges), len(common)) == (6, 1)


def test_outline_does_not_depend_on_how_the_pixels_are_merged():
    ipix = healpy.query_disc(NSIDE, healpy.ang2vec(80, 30, lonlat=True), 0.3, nest=True)
    fine, merged = outline(cells(ipix)), outline(coarsest(ipix))
    assert coarsest(ipix).size < ipix.size / 2
    assert {*map(bytes, fine)} == {*map(bytes, merged)}


def test_edge_beside_finer_pixels_is_the_part_that_is_open():
    whole = to_uniq(5, np.array([5000]))
    across = healpy.get_all_neighbours(NSIDE, 5000, nest=True)[4]  # north-east
    quarter = to_uniq(6, np.array([4 * across]))  # its south corner
    both = np.concatenate([whole, quarter])
    edges = outline(both[np.argsort([5000, across])])
    assert len(edges) == 3 + 1 + 3
    # half of one of four edges, and three of four half as long; pixels are not quite square
    assert length(edges) / length(outline(whole)) == pytest.approx((3.5 + 1.5) / 4, rel=0.02)


@pytest.mark.parametrize("order", [0, 1, 6])
def test_outline_of_the_whole_sky_is_empty(order):
    assert len(outline(to_uniq(order, np.arange(12 << 2 * order)))) == 0
    assert outline_loops(to_uniq(order, np.arange(12 << 2 * order))) == []


@pytest.mark.parametrize("radius", [0.2, 0.4])
@pytest.mark.parametrize(("lon", "lat"), [(80, 30), (0, 90), (45, 41.8), (10, -60)])
def test_loop_around_a_disc_has_its_area_on_the_left(lon, lat, radius):
    ipix = healpy.query_disc(NSIDE, healpy.ang2vec(lon, lat, lonlat=True), radius, nest=True)
    (loop,) = outline_loops(coarsest(ipix))
    # edges are drawn as great circles; those of the caps bend, the more the closer to the pole
    area = ipix.size * healpy.nside2pixarea(NSIDE)
    assert solid_angle(loop) == pytest.approx(area, rel=0.01)


def test_ring_has_two_loops_one_of_them_around_the_hole():
    centre = healpy.ang2vec(80, 30, lonlat=True)
    outer = healpy.query_disc(NSIDE, centre, 0.3, nest=True)
    inner = healpy.query_disc(NSIDE, centre, 0.2, nest=True)
    loops = outline_loops(cells(np.setdiff1d(outer, inner)))
    areas = sorted(solid_angle(loop) for loop in loops)
    wanted = np.array([-inner.size, outer.size]) * healpy.nside2pixarea(NSIDE)
    np.testing.assert_allclose(areas, wanted, rtol=0.01)  # as above


def test_pixels_that_meet_at_a_corner_have_a_loop_each():
    north = healpy.get_all_neighbours(NSIDE, 5000, nest=True)[3]
    loops = outline_loops(cells(np.array([5000, north])))
    assert [len(loop) for loop in loops] == [4, 4]


@pytest.mark.parametrize("seed", range(5))
def test_loops_of_any_pixels_pass_every_edge_once(seed):
    rng = np.random.default_rng(seed)
    uniq = coarsest(np.flatnonzero(rng.random(12 * NSIDE**2) < 0.1 + 0.2 * seed))
    edges = {edge.tobytes() for edge in outline(uniq)}
    passed = [
        np.stack(pair).tobytes()
        for loop in outline_loops(uniq)
        for pair in zip(loop, np.roll(loop, -1, axis=0), strict=True)
    ]
    assert len(passed) == len(edges)
    assert {*passed} == edges
