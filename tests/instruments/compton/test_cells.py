"""Time bins of a Compton telescope, against fit problems of each bin by itself."""

from itertools import pairwise

import numpy as np
import pytest

from skyquilt.config.time_bins import TimeBins
from skyquilt.errors import InputError
from skyquilt.instruments.analyses import prepare
from skyquilt.instruments.compton.cells import make_cells
from skyquilt.problem.cells import Near, Views
from skyquilt.sky.frames import lonlat_to_vec
from skyquilt.testing.analyses import ask_one

START = 1.8e9
EDGES = START + np.array([0.0, 2.0, 3.0, 7.0, 10.0])
SOURCES = lonlat_to_vec(np.array([40.0, 41.0, 200.0]), np.array([25.0, 25.0, -30.0]))


@pytest.fixture(params=["local", "galactic"])
def timed(request, tmp_path):
    """Observation whose counts have a time axis of 10 s."""
    return make_timed(request.getfixturevalue(request.param))


def make_timed(observation, fine=1.0, *, sparse=False):
    n = round(10 / fine)
    rng = np.random.default_rng(5)
    counts = rng.poisson(observation.counts / n * np.ones((n, 1, 1, 1))).astype(float)
    edges = fine * np.arange(n + 1)
    observation.write_counts("counts.h5", counts, time=edges, sparse=sparse)
    observation.write_counts("background.h5", observation.background[np.newaxis], time=[0, 10])
    if observation.frame == "local":
        observation.write_orientation(np.arange(11.0), z_lon=9 * np.arange(11.0))
    observation.settings["data"]["zero_background"] = "mask"
    observation.timed_counts = counts
    return observation


def cells_of(observation, near=None, **bins):
    asked = ask_one(observation.settings)
    return make_cells(asked, "", TimeBins(**bins) if bins else None, near)


def see(data, flux):
    views = Views(SOURCES[:, np.newaxis, np.newaxis], np.ones((len(SOURCES), 1)))
    return data.expectation.see(views, data.hits).contract(flux)


def test_every_bin_is_that_of_a_problem_of_its_own(timed, tmp_path):
    data = cells_of(timed, edges=list(EDGES))
    flux = np.array([2.0, 0.5])
    seen = see(data, flux)
    for cell, ends in enumerate(pairwise(EDGES)):
        settings = timed.settings | {"data": timed.settings["data"] | {"interval": list(ends)}}
        settings["data"]["response_scale"] = None
        if timed.frame == "galactic":
            settings["data"]["response_scale"] = (ends[1] - ends[0]) / 10
        alone = prepare(ask_one(settings), str(tmp_path), true_energy=True).problem
        block = alone.expectation.nodes(SOURCES).contract(flux).dense()
        own = data.hits.indptr[cell] + np.arange(len(alone.counts))
        np.testing.assert_array_equal(data.counts[own], alone.counts)
        np.testing.assert_allclose(data.hit_backgrounds[0][own], alone.background, rtol=1e-12)
        total = data.cell_backgrounds[0, cell]
        assert total == pytest.approx(alone.background_total, rel=1e-12)
        # the map's kernel adds up float32 rows with float32 weights
        np.testing.assert_allclose(seen.hit[:, own], block.unit_counts, rtol=3e-6)
        np.testing.assert_allclose(seen.total[:, cell], block.total, rtol=3e-6)
    assert data.livetime.tolist() == [2.0, 1.0, 4.0, 3.0]


def test_spectra_may_differ_from_bin_to_bin(timed):
    data = cells_of(timed, edges=list(EDGES))
    each = np.random.default_rng(1).uniform(0.5, 2.0, (4, 2))
    seen = see(data, each)
    for cell, flux in enumerate(each):
        alone, own = see(data, flux), slice(*data.hits.indptr[cell : cell + 2])
        np.testing.assert_allclose(seen.hit[:, own], alone.hit[:, own], rtol=1e-12)
        np.testing.assert_allclose(seen.total[:, cell], alone.total[:, cell], rtol=1e-12)


@pytest.mark.parametrize("sparse", [False, True])
def test_bins_of_one_width_are_bins_of_edges(local, sparse):
    timed = make_timed(local, sparse=sparse)
    one = cells_of(timed, start=START, stop=START + 10, width="2 s")
    other = cells_of(timed, edges=[START + 2 * k for k in range(6)])
    for name in ("start", "stop", "livetime", "cell", "column", "counts", "fraction"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    counts = timed.timed_counts.reshape(5, 2, -1).sum(axis=(1, 2))
    np.testing.assert_array_equal(one.cell_counts, counts)


def test_bins_of_least_counts_have_them(timed):
    data = cells_of(timed, counts=150)
    each = timed.timed_counts.sum(axis=(1, 2, 3))
    assert data.cell_counts.sum() == each.sum()
    assert (data.start[0], data.stop[-1]) == (START, START + 10)
    for first, stop in zip(data.start[:-1] - START, data.stop[:-1] - START, strict=True):
        own = each[int(first) : int(stop)]
        assert own.sum() >= 150 > own[:-1].sum()
    assert data.cell_counts[-1] >= 150


def test_all_of_the_time_is_one_cell_without_bins(timed):
    timed.settings["data"]["interval"] = [START, START + 10]
    whole, parts = cells_of(timed), cells_of(timed, edges=list(EDGES))
    assert whole.n_cell == 1
    flux = np.ones(2)
    np.testing.assert_allclose(
        see(whole, flux).total[:, 0], see(parts, flux).total.sum(axis=1), rtol=1e-12
    )
    assert whole.counts.sum() == parts.counts.sum()
    assert whole.cell_backgrounds.sum() == pytest.approx(parts.cell_backgrounds.sum(), rel=1e-12)


def test_terms_add_with_their_scales(local):
    timed = make_timed(local)
    timed.settings["data"]["counts"] = [
        {"path": timed.path("counts.h5"), "scale": 0.5},
        {"path": timed.path("more.h5"), "scale": 2.0},
    ]
    more = np.roll(timed.timed_counts, 1, axis=1)
    timed.write_counts("more.h5", more, time=np.arange(11.0))
    data = cells_of(timed, edges=list(EDGES))
    wanted = [
        (0.5 * timed.timed_counts + 2 * more)[low:high].sum()
        for low, high in ((0, 2), (2, 3), (3, 7), (7, 10))
    ]
    np.testing.assert_allclose(data.cell_counts, wanted)


def test_only_rows_near_a_source_are_kept_and_far_ones_give_nothing_finite(galactic):
    galactic = make_timed(galactic)
    area = np.random.default_rng(3).uniform(2.0, 10.0, (192, *galactic.area.shape[1:]))
    galactic.write_sky_response(area=area)
    near = Near(SOURCES[:1], "galactic", 1.0)
    few = cells_of(galactic, near=near, edges=list(EDGES))
    all_rows = cells_of(galactic, edges=list(EDGES))
    assert len(few.expectation.row) < len(all_rows.expectation.row) / 2
    flux = np.ones(2)
    np.testing.assert_array_equal(see(few, flux).hit[:2], see(all_rows, flux).hit[:2])
    assert np.all(np.isnan(see(few, flux).hit[2]))


@pytest.mark.parametrize(
    ("bins", "message"),
    [
        ({"edges": [START, START + 1.5]}, "is no edge of the time axis"),
        ({"edges": [START, START + 20]}, "is no edge of the time axis, which spans"),
        ({"counts": 100_000}, "time_bins.counts: .* counts in all; 100000 are wanted in each"),
    ],
)
def test_bins_that_do_not_fit_are_refused(local, bins, message):
    with pytest.raises(InputError, match=message):
        cells_of(make_timed(local), **bins)


def test_counts_without_times_are_refused(local):
    with pytest.raises(InputError, match=r"counts.h5: has no axis Time, and time_bins cut"):
        cells_of(local, edges=[START, START + 1])


def test_bin_without_livetime_is_kept_and_empty(local):
    timed = make_timed(local)
    timed.write_orientation(np.arange(11.0), livetime=[1.0, 1, 0, 1, 1, 1, 1, 1, 1, 1, 0])
    data = cells_of(timed, edges=list(EDGES))
    assert data.livetime.tolist() == [2.0, 0.0, 4.0, 3.0]
    assert see(data, np.ones(2)).total[:, 1].tolist() == [0, 0, 0]
