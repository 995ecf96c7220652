"""Maps that are flat around their maximum."""

import numpy as np
import pytest

from skyquilt.calibration.sky import find_peak
from skyquilt.fit.pixels import fit_pixels
from skyquilt.maps.multiorder import MultiOrderMap
from skyquilt.maps.peaks import find_peaks
from skyquilt.maps.plateau import best_index, highest_index
from skyquilt.maps.skymap import SkyMap
from skyquilt.problem import Description, FitProblem, SkyTable
from skyquilt.sky.frames import separation
from skyquilt.sky.healpix import nest_to_vec, ring_to_vec, vec_to_ring

NSIDE = 4  # of the rows: pixels of 14.7 deg
ROWS = [3, 40, 96, 150]


def flat_map(row, nside=32, frame="galactic"):
    """TS of 9 in one pixel of the response, lower in all others, by pixels of a finer map."""
    ipix = np.arange(12 * nside**2)
    height = np.random.default_rng(row).permutation(12 * NSIDE**2) / 100.0
    height[row] = 9.0
    ts = height[vec_to_ring(NSIDE, nest_to_vec(nside, ipix))]
    return SkyMap(nside, frame, ipix, {"ts": ts})


@pytest.mark.parametrize("row", ROWS)
def test_best_index_is_the_middle_of_the_plateau(row):
    cells = MultiOrderMap.from_skymap(flat_map(row))

    found = cells.centres[best_index(cells)]

    assert separation(found, ring_to_vec(NSIDE, np.array([row]))[0]) < 1.8  # one pixel


def test_of_two_plateaus_one_is_taken():
    cells = MultiOrderMap.from_skymap(flat_map(40))
    far = np.array([[0.0, 0.0, -1.0]])
    cells.columns["ts"][cells.find(far)] = 9.0

    assert cells.ts[best_index(cells)] == 9.0
    assert separation(cells.centres[best_index(cells)], ring_to_vec(NSIDE, np.array([40]))[0]) < 1.8


def test_single_maximum_is_the_best_index_and_none_without():
    cells = MultiOrderMap.from_skymap(flat_map(7))
    cells.columns["ts"][1234] = 20.0
    assert best_index(cells) == 1234
    cells.columns["ts"][:] = 0.0
    assert best_index(cells) is None


@pytest.mark.parametrize("row", ROWS)
def test_peaks_are_middles_of_plateaus_that_touch_no_higher_one(row):
    skymap = flat_map(row)

    peaks = nest_to_vec(32, skymap.ipix[find_peaks(skymap, 0.5)])

    rows = vec_to_ring(NSIDE, peaks)
    assert np.unique(rows).size == rows.size
    assert rows[0] == row
    assert np.all(
        [separation(*pair) < 3 for pair in zip(peaks, ring_to_vec(NSIDE, rows), strict=True)]
    )


@pytest.mark.parametrize("row", ROWS)
def test_simulated_source_is_found_in_the_middle_of_its_pixel(row):
    rng = np.random.default_rng(row)
    rows = rng.gamma(0.3, 1, (12 * NSIDE**2, 50)).astype(np.float32)
    counts = rng.poisson(0.2 + 3 * rows[row].astype(float)).astype(float)
    hit = counts > 0
    table = SkyTable(rows[:, hit], rows.sum(axis=1, dtype=float), NSIDE, "RING", "nearest")
    about = Description("toy", "flat", (1.0, 2.0), n_bins=50)
    problem = FitProblem(counts[hit], np.full(hit.sum(), 0.2), table, "galactic", 1.0, about)
    directions = nest_to_vec(16, np.arange(3072))
    ts = fit_pixels(problem, directions).ts

    start = directions[[highest_index(ts, directions)]]
    peak = find_peak(problem, start, 3.0)

    assert vec_to_ring(NSIDE, peak.direction[np.newaxis])[0] == row
    assert separation(peak.direction, ring_to_vec(NSIDE, np.array([row]))[0]) < 4
