"""Log-likelihoods of several populations, against closed forms and differences."""

import numpy as np
import pytest
from scipy.stats import norm

from skyquilt.errors import InputError
from skyquilt.populations.mixture import ExpectedEvents, LogRatios, Mixture, to_fractions
from skyquilt.populations.population import Curve, Population

LOW, HIGH = 1.0, 100.0  # keV


def power_law_population(name, energy, index, nodes=4001):
    """Events of a power law between two energies, seen alike everywhere."""
    edges = np.geomspace(LOW, HIGH, nodes)
    middle, width = np.sqrt(edges[1:] * edges[:-1]), np.diff(edges)
    curve = Curve(
        "power_law",
        {"pivot": 10.0, "index": index},
        ("index",),
        *(np.array([-5.0]), np.array([-1.1])),
        *(energy, middle, width),
    )
    return Population(name, np.ones(energy.size), 1.0, curve)


@pytest.fixture
def mixture():
    rng = np.random.default_rng(1)
    energy = np.exp(rng.uniform(np.log(LOW), np.log(HIGH), 200))
    line = Population("line", norm.pdf(np.log(energy), np.log(30), 0.1) / energy, 1.0)
    return Mixture((line, power_law_population("continuum", energy, -2.0)), np.ones(200))


def test_density_of_a_power_law_is_its_closed_form(mixture):
    continuum, index = mixture.populations[1], -2.7
    slope = index + 1
    norm_of = slope / (HIGH**slope - LOW**slope)
    want = norm_of * continuum.curve.energy**index
    # the midpoint rule over 4000 cells
    assert continuum.density(np.array([[index]]))[0] == pytest.approx(want, rel=1e-5)


@pytest.mark.parametrize("kind", ["events", "ratios"])
def test_slopes_are_differences_of_values(mixture, kind):
    if kind == "events":
        surface, x = ExpectedEvents(mixture), np.array([40.0, 160.0, -2.1])
    else:
        surface, x = LogRatios(mixture, np.array([1.0, 2.5])), np.array([-1.0, -2.1])
    found = surface.derivatives(x[np.newaxis], np.zeros(1)).gradient[0]
    for number in range(x.size):
        step = 1e-5 * np.eye(x.size)[number] * max(abs(x[number]), 1)
        low, high = surface.value(np.stack([x - step, x + step]), np.zeros(2))
        # differences of sums of 200 logarithms
        assert found[number] == pytest.approx((high - low) / (2 * step.sum()), rel=1e-6, abs=1e-6)


def test_many_likelihoods_are_those_of_each(mixture):
    rng = np.random.default_rng(2)
    fractions = to_fractions(rng.normal(size=(5, 1)))
    values = rng.uniform(-3, -1.5, (5, 1))
    together = mixture.log_likelihoods(fractions, values)
    for row in range(5):
        each = np.log(fractions[row] @ mixture.densities(values[row])).sum()
        assert together[row] == pytest.approx(each, rel=1e-12)


def test_counts_weigh_as_repeated_events(mixture):
    line, energy = mixture.populations[0], mixture.populations[1].curve.energy
    twice = Mixture(
        (
            Population("line", np.repeat(line.response, 2), 1.0),
            power_law_population("continuum", np.repeat(energy, 2), -2.0),
        ),
        np.ones(400),
    )
    counted = Mixture(mixture.populations, np.full(200, 2.0))
    some = np.array([[0.3, 0.7]]), np.array([[-2.0]])
    assert counted.log_likelihoods(*some) == pytest.approx(twice.log_likelihoods(*some), rel=1e-12)


def test_events_that_no_population_explains_are_refused():
    one = Population("a", np.array([1.0, 0.0, 0.0]), 1.0)
    with pytest.raises(InputError, match="2 of 3 events have a density of 0 for every population"):
        Mixture((one,), np.ones(3))


@pytest.mark.parametrize(
    ("response", "expected", "said"),
    [
        (np.array([-1.0]), 1.0, "densities must be finite and at least 0"),
        (np.array([np.nan]), 1.0, "densities must be finite and at least 0"),
        (np.array([1.0]), 0.0, "0 events are expected"),
    ],
)
def test_impossible_population_is_refused_by_name(response, expected, said):
    with pytest.raises(InputError, match=f"halo: {said}"):
        Population("halo", response, expected)


def test_events_over_expected_follow_the_spectrum(mixture):
    continuum = mixture.populations[1]
    at_start = continuum.factor(5.0, np.array([-2.0]))
    assert at_start == pytest.approx(5.0, rel=1e-12)
    # a norm at 10 keV of a steeper spectrum makes more photons at 1 keV
    total = [(HIGH ** (i + 1) - LOW ** (i + 1)) / (i + 1) * 10.0**-i for i in (-2.0, -3.0)]
    found = continuum.factor(5.0, np.array([-3.0]))
    assert found == pytest.approx(5.0 * total[0] / total[1], rel=1e-4)
