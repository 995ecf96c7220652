import numpy as np
import pytest

from skyquilt.model import Cells, Curve, Expression, Fixed, Free, Layer, Link, one_axis

CELLS = Cells(
    {"time_bin": np.array([0, 1, 2, 0, 1]), "dataset": np.array([0, 0, 0, 1, 1])},
    start=np.array([0.0, 1.0, 2.0, 0.0, 1.0]),
    stop=np.array([1.0, 2.0, 3.0, 1.0, 2.0]),
)
MODEL = {
    "a": Free(2.0, lower=0.5),
    "flux": Free((1.0, 2.0, 3.0), per="time_bin", unit="cm-2 s-1"),
    "norm": Free(1.5, per="dataset"),
    "energy": Fixed(100.0, unit="keV"),
    "energy_mev": Link("energy", unit="MeV"),
    "again": Link("flux", unit="m-2 s-1"),
    "index": Expression("a + norm * log(flux) * energy_mev"),
    "twice": Expression("2 * index + again / 1e4"),
    "slow": Expression("exp(-a * t)"),
    "pulse": Curve("gaussian", {"peak": Link("a"), "t0": Free(1.2), "sigma": Fixed(0.5)}),
    "last": Link("twice"),
}


@pytest.fixture
def layer():
    return Layer(MODEL, CELLS)


def test_free_numbers_are_shared_first_then_those_of_each_member(layer):
    bins = [f"flux[{k}]" for k in range(3)]
    assert layer.names == ["a", "norm[0]", "norm[1]", "pulse.t0", *bins]
    assert layer.start.tolist() == [2.0, 1.5, 1.5, 1.2, 1.0, 2.0, 3.0]
    assert (layer.n_shared, layer.n_own) == (4, 1)


def test_values_are_those_of_the_formulas(layer):
    x = np.array([1.0, 2.0, 3.0, 1.2, 1.0, np.e, 1.0])
    values = layer.values(x)
    flux = np.array([1.0, np.e, 1.0, 1.0, np.e])
    norm = np.array([2.0, 2.0, 2.0, 3.0, 3.0])
    index = 1.0 + norm * np.log(flux) * 0.1
    np.testing.assert_allclose(values["index"], index, rtol=1e-14)
    np.testing.assert_allclose(values["last"], 2 * index + flux, rtol=1e-14)
    edges = np.exp(-np.array([0.0, 1.0, 2.0, 3.0]))
    # mean of exp(-t) over each bin, by 12 nodes
    np.testing.assert_allclose(values["slow"][:3], edges[:-1] - edges[1:], rtol=1e-13)


def test_slopes_equal_differences(layer):
    x = layer.start
    slopes = layer.slopes(layer.values(x))
    for name in MODEL:
        dense = layer.to_dense(slopes[name])
        for number in range(layer.n_free):
            step = np.eye(layer.n_free)[number] * 1e-6
            difference = layer.values(x + step)[name] - layer.values(x - step)[name]
            # truncation 1e-12, rounding 1e-10
            np.testing.assert_allclose(dense[:, number], difference / 2e-6, atol=1e-8)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"index": Link("last")}, "circle"),
        ({"a": Expression("twice")}, "circle: a -> twice -> index -> a"),
        ({"energy": Link("energy_mev"), "energy_mev": Link("energy")}, "links go in a circle"),
        (
            {"index": Expression("a + flu")},
            "index: 'a \\+ flu': flu is not known; the nearest is flux",
        ),
        ({"energy_mev": Link("enrgy")}, "the nearest is energy"),
        (
            {"energy_mev": Link("energy", unit="s")},
            "energy_mev is in s and energy is in keV, which no factor",
        ),
        ({"a": Free(0.1, lower=0.5)}, "a: start 0.1 is outside its range, 0.5 to inf"),
        ({"a": Free(1.0, 2.0, 1.0)}, "a: range 2 to 1 is empty"),
        ({"a": Free(np.nan)}, "a: nan is not finite"),
        ({"flux": Free((1.0, 2.0), per="time_bin", unit="cm-2 s-1")}, "flux: 2 numbers; 1 or 3"),
        ({"a": Free((1.0, 2.0))}, "a: 2 numbers; 1 are needed"),
        (
            {"flux": Free(1.0, per="image", unit="cm-2 s-1")},
            "per: image is no axis of the data: time_bin, dataset",
        ),
        ({"flux": Free(-1.0, per="time_bin", unit="cm-2 s-1")}, "index: not finite at the start"),
        ({"pulse": Curve("gauss", {})}, "pulse: 'gauss' is no light curve: .*gaussian"),
        ({"pulse": Curve("gaussian", {"peak": Fixed(1.0)})}, "has the parameters peak, t0, sigma"),
        ({"pulse.t0": Free(1.0)}, "pulse.t0: named twice"),
        ({"slow": Expression("a * open(1)")}, "slow: .*is not understood"),
    ],
)
def test_mistakes_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        Layer(MODEL | change, CELLS)


def test_function_of_time_needs_times():
    cells = Cells({"dataset": np.arange(2)})
    with pytest.raises(ValueError, match="slow: a function of time, but the data have no time"):
        Layer({"slow": Expression("t")}, cells)


def test_order_of_quantities_changes_nothing_but_the_order():
    backwards = Layer(dict(reversed(MODEL.items())), CELLS)
    layer = Layer(MODEL, CELLS)
    values, others = layer.values(layer.start), backwards.values(backwards.start)
    for name in MODEL:
        np.testing.assert_array_equal(values[name], others[name])


def test_model_without_free_numbers_has_values():
    layer = Layer({"a": Fixed(2.0), "b": Expression("a**2")}, one_axis("image", np.arange(3.0)))
    assert layer.n_free == 0
    assert layer.values(layer.start)["b"] == 4.0


def test_pure_number_linked_to_one_with_a_unit_is_refused():
    quantities = {"peak": Free(500.0, unit="keV"), "index": Link("peak", unit="")}
    with pytest.raises(ValueError, match="index is a pure number and peak is in keV, which no"):
        Layer(quantities, one_axis("time_bin", np.zeros(1)))


def test_link_without_a_unit_has_that_of_the_other():
    quantities = {"peak": Free(500.0, unit="keV"), "other": Link("peak")}
    layer = Layer(quantities, one_axis("time_bin", np.zeros(1)))
    assert layer.values(layer.start)["other"] == 500.0
