"""Sources near their best position, against the exact likelihood."""

import numpy as np
import pytest

from skyquilt.model import Curve, Fixed, Free, Layer, Posterior, fit
from skyquilt.model.expanded import Expanded, largest_error
from skyquilt.model.problems import CellLikelihood
from skyquilt.model.sources import Source
from skyquilt.testing.bursts import Burst, Scene


@pytest.fixture(scope="module")
def scene():
    return Scene(Burst(n_bin=5, width_s=8.0, counts=200.0), np.random.default_rng(2))


@pytest.fixture(scope="module")
def data(scene):
    return scene.observe(np.random.default_rng(3))


def quantities(scene, **changes):
    curve = {"peak": Free(1.0, 0.0), "t0": Free(20.0), "sigma": Free(6.0, 0.5)}
    found = {
        "burst.lon": Free(scene.lon, unit="deg"),
        "burst.lat": Free(scene.lat, unit="deg"),
        "burst.flux": Curve("gaussian", curve),
        "norm": Free(1.0, 0.0),
    }
    return found | {f"burst.{name}": change for name, change in changes.items()}


def both(scene, data, given, source=None):
    """Exact posterior, that expanded around the best fit, and the fit."""
    likelihood = CellLikelihood([data], [source or scene.source], [scene.background])
    exact = Posterior(Layer(given, scene.burst.cells), likelihood)
    best = fit(exact)
    layer = exact.layer
    errors = {name: best.error_of(name) for name in layer.moving}
    expanded = Expanded(likelihood, best.values, layer.moving, errors)
    return exact, Posterior(layer, expanded), best


def draws(best, n=20, scale=1.0):
    rng = np.random.default_rng(1)
    factor = np.linalg.cholesky(best.covariance.matrix)
    layer = best.posterior.layer
    x = best.x + scale * rng.normal(size=(n, best.x.size)) @ factor.T
    return np.clip(x, layer.lower, layer.upper)


def test_positions_within_some_errors_are_met_to_a_tenth(scene, data):
    exact, expanded, best = both(scene, data, quantities(scene))
    assert largest_error(exact, expanded, draws(best)) < 0.1


def test_positions_beyond_the_grid_are_exact(scene, data):
    exact, expanded, best = both(scene, data, quantities(scene))
    x = np.array([best.x, best.x, best.x])
    x[0, 0] += 6 * best.errors[0]
    x[1, 1] -= 30.0
    assert largest_error(exact, expanded, x[:2]) < 1e-9
    # beside one that is near
    assert largest_error(exact, expanded, x) < 0.1


@pytest.mark.parametrize("per", [None, "time_bin"])
def test_positions_that_do_not_move_are_exact(scene, data, per):
    fixed = {"lon": Fixed(scene.lon), "lat": Fixed(scene.lat), "flux": Free(1.0, 0.0, per=per)}
    exact, expanded, best = both(scene, data, quantities(scene, **fixed))
    assert largest_error(exact, expanded, draws(best)) < 1e-9


@pytest.mark.parametrize("per", [None, "time_bin"])
def test_spectra_that_vary_are_exact(scene, data, per):
    level = scene.source.spectrum(np.array([150.0]))[0]
    source = Source("burst", lambda energy, index: level * (energy / 150) ** index, ("index",))
    given = quantities(scene, lon=Fixed(scene.lon), lat=Fixed(scene.lat), flux=Fixed(0.5))
    given |= {"burst.index": Free(0.0, -3.0, 3.0, per=per)}
    exact, expanded, best = both(scene, data, given, source)
    x = best.x + np.random.default_rng(1).normal(0, 0.1, (20, best.x.size))
    assert largest_error(exact, expanded, x) < 1e-9


def test_what_is_not_possible_is_not_possible_for_both(scene, data):
    exact, expanded, best = both(scene, data, quantities(scene))
    x = np.array([best.x, best.x])
    x[1, exact.layer.names.index("norm")] = -5.0
    found = expanded.value(x, np.zeros(2, dtype=int))
    assert np.isfinite(found[0])
    assert found[1] == -np.inf == exact.at(x[1])
