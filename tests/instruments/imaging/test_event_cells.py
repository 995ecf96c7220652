"""Time bins of events, against problems of each interval by itself."""

from itertools import pairwise

import numpy as np
import pytest
from astropy.io import fits

from skyquilt.config.time_bins import TimeBins
from skyquilt.errors import ConfigError, InputError
from skyquilt.instruments.cells import prepare_cells
from skyquilt.instruments.imaging.event_cells import make_event_cells
from skyquilt.instruments.imaging.prepare import make_problem
from skyquilt.problem.cells import Views
from skyquilt.sky.frames import lonlat_to_vec
from skyquilt.testing.analyses import ask_one

GTI = [[0.0, 30.0], [50.0, 80.0], [90.0, 100.0]]
EDGES = [-1.0, 10.0, 25.0, 60.0, 85.0, 100.001]
GOOD = [10.0, 15.0, 15.0, 20.0, 10.0]
HERE = lonlat_to_vec(*np.array([[120.0, 35.0], [10.0, -60.0]]).T)


@pytest.fixture
def gaps(sky):
    """Sky whose events have three good times of 30, 30 and 10 s."""
    sky.write().write_events(gti=GTI)
    return sky


def analysis(sky, interval=None):
    settings = sky.settings()
    settings["data"] |= {"interval": interval, "accept": ["totals"]}
    return ask_one(settings)


def cells_of(sky, interval=None, **bins):
    asked = analysis(sky, interval)
    return make_event_cells(asked, asked.data.events, "", TimeBins(**bins))


def see(data, flux):
    views = Views(HERE[:, np.newaxis, np.newaxis], np.ones((len(HERE), 1)))
    return data.expectation.see(views, data.hits).contract(flux)


def test_every_bin_is_that_of_a_problem_of_its_own(gaps):
    data = cells_of(gaps, edges=EDGES)
    seen = see(data, np.ones(data.expectation.true_energy.n_node))
    for cell, ends in enumerate(pairwise(EDGES)):
        alone = make_problem(analysis(gaps, list(ends)), true_energy=True)
        axis = alone.expectation.true_energy
        block = alone.expectation.nodes(HERE).contract(np.ones(axis.n_node)).dense()
        own = slice(*data.hits.indptr[cell : cell + 2])
        assert data.hits.indptr[cell + 1] - data.hits.indptr[cell] == alone.counts.size
        # seconds of UTC were not those of TAI in 1970
        close = {"rtol": 1e-5}
        np.testing.assert_allclose(
            np.sort(data.hit_backgrounds[0][own]), np.sort(alone.background), **close
        )
        total = data.cell_backgrounds[0, cell]
        np.testing.assert_allclose(total, alone.background_total, **close)
        np.testing.assert_allclose(
            np.sort(seen.hit[:, own], axis=1), np.sort(block.unit_counts, axis=1), **close
        )
        np.testing.assert_allclose(seen.total[:, cell], block.total, **close)
    np.testing.assert_allclose(data.livetime, GOOD, rtol=1e-5)
    np.testing.assert_allclose(data.start, EDGES[:-1])


def test_bins_of_one_width_are_bins_of_edges(gaps):
    one = cells_of(gaps, start=0.0, stop=100.0, width="20 s")
    other = cells_of(gaps, edges=[0.0, 20.0, 40.0, 60.0, 80.0, 100.0])
    for name in ("start", "stop", "livetime", "cell", "column", "counts", "fraction"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_bins_of_least_counts_hold_all_events_in_order(gaps):
    data, whole = cells_of(gaps, counts=7), make_problem(analysis(gaps))
    assert np.all(data.cell_counts[:-1] == 7)
    assert 7 <= data.cell_counts[-1] < 14
    assert data.counts.sum() == whole.counts.sum()
    assert data.livetime.sum() == pytest.approx(70, rel=1e-5)


def test_bins_of_least_counts_are_within_the_interval(gaps):
    data = cells_of(gaps, [10.0, 60.0], counts=5)
    assert data.livetime.sum() == pytest.approx(30, rel=1e-4)


def test_bin_in_a_gap_is_kept_without_time(gaps):
    data = cells_of(gaps, edges=[20.0, 35.0, 45.0, 60.0])
    np.testing.assert_allclose(data.livetime, [10.0, 0.0, 10.0], atol=1e-4)
    assert data.cell_counts[1] == 0
    assert see(data, np.ones(data.expectation.true_energy.n_node)).total[:, 1].tolist() == [0, 0]


def test_spectra_may_differ_from_bin_to_bin(gaps):
    data = cells_of(gaps, edges=EDGES)
    n_node = data.expectation.true_energy.n_node
    each = np.random.default_rng(1).uniform(0.5, 2.0, (5, n_node))
    seen = see(data, each)
    for cell, flux in enumerate(each):
        alone, own = see(data, flux), slice(*data.hits.indptr[cell : cell + 2])
        np.testing.assert_allclose(seen.hit[:, own], alone.hit[:, own], rtol=1e-12)
        np.testing.assert_allclose(seen.total[:, cell], alone.total[:, cell], rtol=1e-12)


def test_without_bins_all_events_are_one_cell(gaps):
    data = prepare_cells(analysis(gaps), "", None)
    assert data.n_cell == 1
    assert data.counts.sum() == make_problem(analysis(gaps)).counts.sum()


@pytest.mark.parametrize(
    ("bins", "message"),
    [
        ({"edges": [200.0, 300.0]}, "nothing of its good times lies in"),
        ({"counts": 1_000_000}, r"time_bins.counts: .* counts in all; 1000000 are wanted"),
    ],
)
def test_bins_that_do_not_fit_are_refused(gaps, bins, message):
    with pytest.raises(InputError, match=message):
        cells_of(gaps, **bins)


def test_events_without_good_times_are_refused(gaps):
    gaps.write_events()
    with fits.open(gaps.path("events.fits"), mode="update") as file:
        if "GTI" in file:
            del file["GTI"]
    for bins in ({"edges": [0.0, 1.0]}, {"counts": 5}):
        with pytest.raises(InputError, match="its good times are not known"):
            cells_of(gaps, **bins)


def test_pixels_have_no_time_bins(sky):
    settings = sky.settings()
    settings["data"] = {"counts": {"path": "x.fits"}, **settings["data"]}
    del settings["data"]["events"]
    settings["data"]["time_bins"] = {"edges": [0, 1]}
    with pytest.raises(ConfigError, match="pixels do not say when their photons came"):
        ask_one(settings)
