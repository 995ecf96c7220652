import healpy
import numpy as np
import pytest

from skyquilt.maps.peaks import find_peaks, is_at_edge, keep_apart
from skyquilt.maps.skymap import SkyMap
from skyquilt.sky.frames import lonlat_to_vec, separation

NSIDE = 8
NPIX = 12 * NSIDE**2


def skymap(ts, ipix=None):
    return SkyMap(NSIDE, "icrs", np.arange(NPIX) if ipix is None else ipix, {"ts": ts})


def peaks_by_loop(ts, threshold):
    """The same, pixel by pixel, with healpy's neighbours."""
    found = []
    for pixel in range(NPIX):
        around = healpy.get_all_neighbours(NSIDE, pixel, nest=True)
        around = around[around >= 0]
        if ts[pixel] >= threshold and not np.any(ts[around] > ts[pixel]):
            found.append(pixel)
    return sorted(found, key=lambda pixel: -ts[pixel])


def test_find_peaks_equals_a_loop_over_pixels():
    ts = np.random.default_rng(1).uniform(0, 50, NPIX)
    found = find_peaks(skymap(ts), 20.0)
    assert found.tolist() == peaks_by_loop(ts, 20.0)
    assert 30 < found.size < 100


def test_find_peaks_of_blocks_are_those_of_the_map(monkeypatch):
    ts = np.random.default_rng(2).uniform(0, 50, NPIX)
    whole = find_peaks(skymap(ts), 20.0)
    monkeypatch.setattr("skyquilt.maps.peaks._BLOCK", 7)
    assert find_peaks(skymap(ts), 20.0).tolist() == whole.tolist()


def test_find_peaks_takes_the_first_of_equal_neighbours():
    ts = np.zeros(NPIX)
    ts[[100, 101, 102]] = 30.0  # touch each other
    assert find_peaks(skymap(ts), 25.0).tolist() == [100]


def test_find_peaks_ignores_pixels_without_a_ts():
    ts = np.full(NPIX, np.nan)
    ts[[5, 6]] = [30.0, 31.0]
    assert find_peaks(skymap(ts), 25.0).tolist() == [6]


@pytest.mark.parametrize("threshold", [50.0, 51.0])
def test_find_peaks_has_the_threshold_inside(threshold):
    ts = np.zeros(NPIX)
    ts[17] = 50.0
    assert find_peaks(skymap(ts), threshold).size == (threshold == 50.0)


def test_find_peaks_of_a_part_of_the_sky_gives_places_in_the_map():
    ipix = np.array([3, 200, 201, 700])
    found = find_peaks(skymap(np.array([1.0, 30.0, 40.0, 50.0]), ipix), 25.0)
    assert ipix[found].tolist() == [700, 201]


def test_is_at_edge_knows_edges_and_holes():
    ts = np.ones(NPIX)
    ts[70] = np.nan
    whole = skymap(ts)
    next_to_hole = healpy.get_all_neighbours(NSIDE, 70, nest=True)[0]
    assert is_at_edge(whole, np.array([next_to_hole, 500])).tolist() == [True, False]
    part = skymap(np.ones(NPIX // 2), np.arange(NPIX // 2))
    assert np.any(is_at_edge(part, part.ipix))
    assert not np.all(is_at_edge(part, part.ipix))


def test_is_at_edge_of_a_corner_with_seven_neighbours_is_false():
    corner = np.flatnonzero(
        np.any(np.array(healpy.get_all_neighbours(NSIDE, np.arange(NPIX), nest=True)) < 0, axis=0)
    )
    assert corner.size
    assert not np.any(is_at_edge(skymap(np.ones(NPIX)), corner))


def test_keep_apart_leaves_no_pair_that_is_near():
    rng = np.random.default_rng(2)
    vec = rng.normal(size=(60, 3))
    vec /= np.linalg.norm(vec, axis=1)[:, None]
    stays = keep_apart(vec, 25.0, np.empty((0, 3)))
    kept = vec[stays]
    apart = separation(kept[:, None], kept) + 180 * np.eye(len(kept))
    assert apart.min() >= 25.0
    nearest = separation(vec[~stays][:, None], kept).min(axis=1)
    assert np.all(nearest < 25.0)
    assert stays[0]


def test_keep_apart_across_longitude_zero_and_at_a_pole():
    vec = lonlat_to_vec(np.array([359.9, 0.1, 10.0, 190.0]), np.array([0.0, 0.0, 89.95, 89.95]))
    assert keep_apart(vec, 0.3, np.empty((0, 3))).tolist() == [True, False, True, False]


def test_keep_apart_from_others_that_stay():
    vec = lonlat_to_vec(np.array([0.0, 5.0]), np.zeros(2))
    assert keep_apart(vec, 1.0, lonlat_to_vec(np.array([5.5]), np.zeros(1))).tolist() == [
        True,
        False,
    ]
