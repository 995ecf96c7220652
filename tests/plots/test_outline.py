import healpy
import numpy as np
import pytest

from skyquilt.plots.outline import outline

NSIDE = 8


def length(edges):
    return np.linalg.norm(np.diff(edges, axis=1), axis=-1).sum()


@pytest.mark.parametrize("ipix", [0, 63, 300, 767])
def test_outline_of_one_pixel_is_its_four_edges(ipix):
    edges = outline(NSIDE, np.array([ipix]))
    corners = healpy.boundaries(NSIDE, ipix, step=1, nest=True).T
    assert len(edges) == 4
    np.testing.assert_allclose(edges[:, 0], corners, atol=1e-14)
    np.testing.assert_allclose(edges[:, -1], np.roll(corners, -1, axis=0), atol=1e-14)


@pytest.mark.parametrize("side", [0, 2, 4, 6])  # healpy: SW, NW, NE, SE
@pytest.mark.parametrize("ipix", [300, 0, 63, 511])
def test_outline_of_two_neighbours_leaves_out_their_common_edge(ipix, side):
    pair = np.array([ipix, healpy.get_all_neighbours(NSIDE, ipix, nest=True)[side]])
    edges = outline(NSIDE, pair)
    assert len(edges) == 6
    both = [outline(NSIDE, pair[at : at + 1]) for at in (0, 1)]
    common = [edge for edge in both[0] if np.isclose(both[1][:, ::-1], edge).all((1, 2)).any()]
    assert len(common) == 1
    # the same points, added in another order
    assert length(edges) == pytest.approx(
        length(both[0]) + length(both[1]) - 2 * length(np.array(common)), rel=1e-12
    )


@pytest.mark.parametrize("nside", [1, 2, NSIDE])
def test_outline_of_the_whole_sky_is_empty(nside):
    assert len(outline(nside, np.arange(12 * nside**2))) == 0


@pytest.mark.parametrize("nside", [1, 4, 64])
def test_outline_has_a_point_at_least_every_two_degrees(nside):
    steps = np.linalg.norm(np.diff(outline(nside, np.array([0])), axis=1), axis=-1)
    # edges of polar pixels are longer than the mean that sets the number of points
    assert np.degrees(steps.max()) < 2.5
