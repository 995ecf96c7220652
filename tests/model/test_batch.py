"""Quantities, priors and likelihoods of many points at a time, against one by one."""

import numpy as np
import pytest

from skyquilt.model import Curve, Expression, Fixed, Free, Layer, Link, Posterior, Prior, one_axis
from skyquilt.model.likelihood import CellDerivatives
from skyquilt.model.priors import log_prior

CELLS = one_axis("time_bin", np.arange(5.0), np.arange(5.0) + 1)
CURVES = {
    "constant": {"level": Free(1.0)},
    "gaussian": {"peak": Free(1.0), "t0": Free(2.0), "sigma": Free(1.0, 0.1)},
    "exponential": {"peak": Free(1.0), "t0": Free(1.5), "decay": Free(1.0, 0.1)},
    "norris": {"peak": Fixed(1.0), "t0": Free(0.5), "rise": Free(1.0), "decay": Free(1.0, 0.1)},
}
LINKED = {
    "a": Free(2.0, unit="MeV"),
    "b": Link("a", unit="keV"),
    "flux": Free(1.0, 0.1, per="time_bin"),
    "fixed": Fixed((1.0, 2.0, 3.0, 4.0, 5.0), per="time_bin"),
    "index": Expression("a + fixed * log(flux) * t"),
}


def points(layer, n=7):
    rng = np.random.default_rng(1)
    return layer.start * rng.uniform(0.8, 1.2, (n, layer.n_free))


@pytest.mark.parametrize("quantities", [LINKED, *({"f": Curve(k, CURVES[k])} for k in CURVES)])
def test_values_of_many_points_are_those_of_each(quantities):
    layer = Layer(quantities, CELLS)
    x = points(layer)
    together = layer.values(x)
    for row, one in enumerate(x):
        for name, value in layer.values(one).items():
            found = together[name][row]
            assert found.shape == (value.shape or (1,))
            np.testing.assert_allclose(found, np.atleast_1d(value), rtol=1e-13)


@pytest.mark.parametrize(
    "prior",
    [
        Prior("normal", 1.0, 0.3),
        Prior("normal", "mean", "width"),
        Prior("log_normal", 0.0, 0.5),
        Prior("uniform", 0.9, 1.1),
        Prior("log_uniform", 0.9, 1.1),
    ],
)
@pytest.mark.parametrize("per", [None, "time_bin"])
def test_priors_of_many_points_are_those_of_each(prior, per):
    free = Free(1.0, 0.01, prior=prior, per=per)
    layer = Layer({"mean": Free(1.0), "width": Free(0.5), "a": free}, CELLS)
    x = points(layer)
    x[0, layer.names.index("width")] = -1.0
    together = log_prior(layer, x, layer.values(x))
    each = [log_prior(layer, one, layer.values(one)) for one in x]
    np.testing.assert_allclose(together, each, rtol=1e-12)


class _Squares:
    """A likelihood of many points at a time; it counts its calls."""

    names = ("a",)

    def __init__(self):
        self.n_calls = 0

    def value(self, values):
        return float(-np.sum(values["a"] ** 2))

    def derivatives(self, values):
        a = np.atleast_1d(values["a"])
        return CellDerivatives(-2 * a[:, np.newaxis], np.full((a.size, 1, 1), 2.0))

    def batch(self, values):
        self.n_calls += 1
        return -np.sum(values["a"] ** 2, axis=-1)


@pytest.mark.parametrize("prior", [None, Prior("uniform", 0.9, 1.1)])
def test_posterior_of_many_points_is_one_call(prior):
    likelihood = _Squares()
    layer = Layer({"a": Free(1.0, 0.01, prior=prior, per="time_bin")}, CELLS)
    posterior = Posterior(layer, likelihood)
    x = points(layer)
    x[3:] = 1.0 + 0.1 * (x[3:] - 1.0)
    found = posterior.value(x, np.zeros(len(x), dtype=int))
    assert likelihood.n_calls == 1
    np.testing.assert_allclose(found, [posterior.at(one) for one in x], rtol=1e-13)
