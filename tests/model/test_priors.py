import numpy as np
import pytest
from scipy import stats

from skyquilt.model import Fixed, Free, Layer, NormalData, Posterior, Prior, one_axis
from skyquilt.model.priors import log_prior

CELLS = one_axis("time_bin", np.arange(4.0))


def nothing(x):
    return 0 * x


def posterior(quantities):
    """Priors alone: data that say nothing."""
    name = next(iter(quantities))
    data = NormalData(np.zeros((4, 1)), np.ones((4, 1)), nothing, (name,))
    return Posterior(Layer(quantities, CELLS), _Renamed(data))


class _Renamed:
    """Data whose function takes its only quantity as x."""

    def __init__(self, data):
        self.names = data.names

    def value(self, values):
        return 0.0

    def derivatives(self, values):
        from skyquilt.model.likelihood import CellDerivatives

        return CellDerivatives(np.zeros((4, 1)), np.zeros((4, 1, 1)))


@pytest.mark.parametrize(
    ("prior", "density"),
    [
        (Prior("normal", 1.0, 0.5), stats.norm(1.0, 0.5)),
        (Prior("log_normal", 0.2, 0.7), stats.lognorm(s=0.7, scale=np.exp(0.2))),
        (Prior("uniform", 1.0, 3.0), stats.uniform(1.0, 2.0)),
        (Prior("log_uniform", 1.0, 3.0), stats.loguniform(1.0, 3.0)),
    ],
)
@pytest.mark.parametrize("x", [1.0, 1.7, 2.9])
def test_density_is_that_of_scipy(prior, density, x):
    layer = Layer({"a": Free(1.5, lower=0.0, prior=prior)}, CELLS)
    values = layer.values(np.array([x]))
    assert log_prior(layer, np.array([x]), values) == pytest.approx(density.logpdf(x), rel=1e-12)


def test_outside_a_uniform_prior_nothing_is_possible():
    layer = Layer({"a": Free(1.5, prior=Prior("uniform", 1.0, 3.0))}, CELLS)
    x = np.array([3.1])
    assert log_prior(layer, x, layer.values(x)) == -np.inf


@pytest.mark.parametrize(
    "quantities",
    [
        {"a": Free(1.5, lower=0.1, prior=Prior("normal", 1.0, 0.5))},
        {"a": Free(1.5, lower=0.1, prior=Prior("log_normal", 1.0, 0.5))},
        {"a": Free(1.5, lower=0.1, prior=Prior("log_uniform", 0.5, 9.0))},
        {
            "a": Free((1.0, 2.0, 1.5, 3.0), per="time_bin", prior=Prior("normal", "m", "s")),
            "m": Free(1.8),
            "s": Free(0.9, lower=0.1),
        },
    ],
)
def test_gradient_equals_differences(quantities):
    surface = posterior(quantities)
    x = surface.layer.start
    found = surface.derivatives(x[np.newaxis], np.zeros(1, int)).gradient[0]
    for number in range(x.size):
        step = np.eye(x.size)[number] * 1e-6
        difference = (surface.at(x + step) - surface.at(x - step)) / 2e-6
        # truncation and rounding of the difference
        assert found[number] == pytest.approx(difference, abs=1e-7)


@pytest.mark.parametrize(
    ("free", "message"),
    [
        (Free(1.0, prior=Prior("beta", 1, 2)), "'beta' is not known"),
        (Free(1.0, prior=Prior("normal", 1.0, 0.0)), "width of prior normal is not above 0"),
        (Free(1.0, prior=Prior("normal", "mean", 1.0)), "'mean' of prior normal is not known"),
        (Free(1.0, 0.0, prior=Prior("uniform", "m", 2.0)), "may not be a name"),
        (Free(1.0, 0.5, 2.0, Prior("uniform", 0.0, 1.0)), "leaves its range, 0.5 to 2"),
        (Free(1.0, prior=Prior("uniform", 2.0, 1.0)), "empty"),
        (Free(1.0, -1.0, prior=Prior("log_normal", 0.0, 1.0)), "needs a range above 0"),
        (Free(1.0, -1.0, prior=Prior("log_uniform", 1.0, 2.0)), "needs a range above 0"),
    ],
)
def test_priors_that_do_not_fit_are_refused(free, message):
    with pytest.raises(ValueError, match=f"a: .*{message}"):
        posterior({"a": free, "m": Fixed(1.0)})


def test_population_over_bins_shrinks_to_its_mean():
    """Values with errors of 1 of a population of known width 1: half way to the mean."""
    data = np.array([[0.0], [2.0], [4.0], [6.0]])
    free = Free(3.0, per="time_bin", prior=Prior("normal", "m", "s"))
    layer = Layer({"a": free, "m": Free(0.0), "s": Fixed(1.0)}, CELLS)
    from skyquilt.model import fit

    best = fit(Posterior(layer, NormalData(data, np.ones((4, 1)), lambda a: a, ("a",))))
    assert best.x == pytest.approx([3.0, 1.5, 2.5, 3.5, 4.5], abs=1e-4)
    assert best.errors[0] == pytest.approx(np.sqrt(2 / 4), rel=1e-3)
