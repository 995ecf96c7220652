"""Cells that ranks share: the same numbers as of one process, for any number of ranks."""

import numpy as np
import pytest

from skyquilt.model import CellLikelihood, Free, Layer, Posterior, Prior, fit
from skyquilt.model.shared import OwnCells, SharedCells
from skyquilt.testing.bursts import Burst, Scene
from skyquilt.testing.ranks import run_ranks


def shared(whole, size, work):
    """What rank 0 makes of a likelihood that all share."""

    def run(comm):
        if comm.Get_rank():
            return OwnCells(whole(), comm).serve(comm)
        likelihood = SharedCells(whole(), comm)
        try:
            return work(likelihood)
        finally:
            likelihood.close()

    return run_ranks(size, run)[0]


@pytest.fixture(scope="module")
def scene():
    return Scene(Burst(n_bin=7, t0=7.0), np.random.default_rng(3))


@pytest.fixture(scope="module")
def data(scene):
    return scene.observe(np.random.default_rng(4))


def whole(scene, data):
    return lambda: CellLikelihood([data], [scene.source], [scene.background])


def posterior(scene, likelihood):
    quantities = {
        "burst.lon": Free(scene.lon, scene.lon - 10, scene.lon + 10),
        "burst.lat": Free(scene.lat, scene.lat - 10, scene.lat + 10),
        "burst.flux": Free(0.5, 0.0, per="time_bin"),
        "norm": Free(1.0, 0.0, prior=Prior("normal", 1.0, 0.05)),
    }
    return Posterior(Layer(quantities, scene.burst.cells), likelihood)


def test_fit_is_the_same_for_any_number_of_ranks(scene, data):
    alone = fit(posterior(scene, whole(scene, data)()))
    found = [
        shared(whole(scene, data), size, lambda one: fit(posterior(scene, one)))
        for size in (1, 2, 3, 9)  # there are seven bins
    ]
    for one in found:
        assert np.max(np.abs(one.x - alone.x) / alone.errors) < 1e-9
        np.testing.assert_allclose(one.errors, alone.errors, rtol=1e-9)
        assert one.x.tobytes() == found[0].x.tobytes()
        assert one.covariance.matrix.tobytes() == found[0].covariance.matrix.tobytes()


def test_cells_that_are_taken_have_what_they_had(data, scene):
    few = data.take(slice(2, 5))
    assert few.n_cell == 3
    np.testing.assert_array_equal(few.cell_counts, data.cell_counts[2:5])
    values = {"burst.lon": scene.lon, "burst.lat": scene.lat, "norm": 1.0}
    values = {name: np.asarray(value) for name, value in values.items()}
    flux = np.linspace(0.1, 2, 7)
    of_all = whole(scene, data)().by_cell(values | {"burst.flux": flux})
    of_few = whole(scene, few)().by_cell(values | {"burst.flux": flux[2:5]})
    np.testing.assert_allclose(of_few, of_all[2:5], rtol=1e-14)
