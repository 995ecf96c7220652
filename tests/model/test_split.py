"""Bins that are fitted by themselves, side by side, against fits of one bin after the other."""

from dataclasses import replace

import numpy as np
import pytest

from skyquilt.inference.climb import Status
from skyquilt.instruments.analyses import prepare
from skyquilt.model import Curve, Fixed, Free, Layer, Posterior, Prior, fit
from skyquilt.model.sources import Background, Source
from skyquilt.model.split import fit_split, split_quantities
from skyquilt.testing.analyses import ask_one
from skyquilt.testing.models import cut, draw

NAMES = ("norm", "index")
FLUXES = (2.0, 3.0, 1.5)


def power_law(energy, norm, index):
    return norm * (energy / 100) ** index


def likelihood(problem):
    return problem.likelihood([Source("a", power_law, NAMES)], [Background("background")])


def quantities(**changes):
    base = {
        "lon": Fixed(40.0),
        "lat": Fixed(25.0),
        "flux": Free(1.0, 0.0),
        "norm": Fixed(1.0),
        "index": Free(-2.0, -5.0, 1.0),
    }
    found = {f"a.{part}": quantity for part, quantity in (base | changes).items()}
    return found | {"background": Free(1.0, 0.0, prior=Prior("normal", 1.0, 0.1))}


@pytest.fixture(scope="module")
def problem(tmp_path_factory, session_observation):
    """Three time bins of the tiny telescope."""
    cache = str(tmp_path_factory.mktemp("cache"))
    how = {"true_energy": True, "all_bins": True}
    whole = prepare(ask_one(session_observation.settings), cache, **how).problem
    rows = np.array(list(whole.expectation.rows))
    whole = replace(whole, expectation=replace(whole.expectation, rows=rows))
    truth = quantities(flux=Fixed(FLUXES, per="time_bin"), index=Fixed(-2.2))
    truth["background"] = Fixed(1.0)
    return draw([cut(whole, 3)], likelihood, truth)[0]


@pytest.fixture(scope="module")
def split(problem):
    layer = Layer(split_quantities(quantities()), problem.cells)
    return fit_split(Posterior(layer, likelihood(problem)))


def of_bin(problem, number):
    """Problem of one of the time bins."""
    (data,) = problem.data
    own = data.cell == number
    one = {
        name: getattr(data, name)[[number]] for name in ("start", "stop", "livetime", "fraction")
    }
    hits = {name: getattr(data, name)[own] for name in ("column", "counts")}
    expectation = replace(data.expectation, fraction=data.expectation.fraction[[number]])
    cell = np.zeros(own.sum(), np.int64)
    return replace(
        problem, data=(replace(data, expectation=expectation, cell=cell, **hits, **one),)
    )


def test_each_bin_is_that_which_is_fitted_alone(problem, split):
    assert split.status is Status.GOOD
    total = 0.0
    for number in range(3):
        one = of_bin(problem, number)
        alone = fit(Posterior(Layer(quantities(), one.cells), likelihood(one)))
        total += alone.log_posterior
        for name in quantities():
            found, wanted = split.values[name], alone.values[name]
            found = found[number] if np.ndim(found) else found
            # both climbs end where 1e-6 in ln L is promised: 0.0014 errors
            tolerance = 3e-3 * np.max(alone.error_of(name), initial=1e-12)
            assert found == pytest.approx(float(wanted), abs=tolerance)
        errors = split.error_of("a.flux")[number], alone.error_of("a.flux")[()]
        assert errors[0] == pytest.approx(errors[1], rel=0.01)
    assert split.log_posterior == pytest.approx(total, abs=1e-5)


def test_split_bins_have_no_covariance(split):
    matrix, layer = split.covariance.matrix, split.posterior.layer
    rows, columns = layer.numbers("a.flux")[:2]
    assert matrix[rows, columns] == 0
    assert matrix[rows, rows] > 0


def test_one_bin_without_a_start_that_fits_leaves_the_others(problem):
    layer = Layer(split_quantities(quantities()), problem.cells)
    posterior = Posterior(layer, likelihood(problem))
    is_free = np.ones(layer.n_free, bool)
    is_free[layer.numbers("a.flux")[1]] = False
    found = fit_split(posterior, is_free=is_free)
    assert found.values["a.flux"][1] == 1.0
    assert found.values["a.flux"][0] != 1.0


@pytest.mark.parametrize(
    ("quantity", "message"),
    [
        (Curve("constant", {"level": Fixed(1.0)}), "a.flux: a light curve runs over all bins"),
        (Free(1.0, per="dataset"), "a.flux: `per: dataset` cannot stand beside"),
    ],
)
def test_what_cannot_be_split_is_refused(quantity, message):
    with pytest.raises(ValueError, match=message):
        split_quantities({"a.flux": quantity})
