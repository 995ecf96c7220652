"""Figures of a model: what is drawn, and what is not."""

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from skyquilt.model import Curve, Expression, Fixed, Free, Layer, Link, one_axis
from skyquilt.model.graph import make_graph, to_dot, to_svg, to_text
from skyquilt.plots.binned_counts import plot_binned_counts
from skyquilt.plots.butterfly import SpectrumBand, plot_butterfly
from skyquilt.plots.corner import MAX_NUMBERS, plot_corner
from skyquilt.plots.light_curve import BinnedFlux, FluxBand, plot_light_curve
from skyquilt.plots.parameter_graph import plot_parameter_graph
from skyquilt.plots.profiles import ProfileCurve, plot_profiles
from skyquilt.plots.style import save

START = np.arange(0.0, 10.0, 2.0)
FLUX = np.array([0.0, 0.4, 1.0, 0.3, np.nan])


def texts(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


def binned(label="joint"):
    return BinnedFlux(label, START, START + 2, FLUX, FLUX - 0.2, FLUX + 0.2)


def band():
    time = np.linspace(0, 10, 50)
    best = np.exp(-0.5 * ((time - 5) / 2) ** 2)
    return FluxBand("pulse", time, best, best - 0.3, best + 0.3)


def test_light_curve_of_positive_fluxes_has_nothing_below_zero():
    figure = plot_light_curve([binned("alone"), binned()], [band()], "burst")
    (axes,) = figure.axes
    assert axes.get_ylim()[0] == 0
    lowest = [path.vertices[:, 1].min() for c in axes.collections for path in c.get_paths()]
    assert np.nanmin(lowest) >= 0
    assert sorted(texts(axes)) == ["alone", "joint", "pulse"]
    assert "factor on the spectrum" in axes.get_ylabel()


def test_light_curve_of_fluxes_of_both_signs_shows_them():
    figure = plot_light_curve([binned()], [], "burst", "cm-2 s-1", is_positive=False)
    assert figure.axes[0].get_ylim()[0] < -0.2
    assert "cm-2 s-1" in figure.axes[0].get_ylabel()


def test_spectrum_is_drawn_as_energy_flux():
    energy = np.geomspace(100, 1000, 20)
    density = 1e-3 * (energy / 100) ** -2
    spectrum = SpectrumBand("burst", energy, density, 0.9 * density, 1.1 * density)
    (axes,) = plot_butterfly([spectrum], [(200.0, 800.0)], "burst").axes
    # E^2 dN/dE of an index of -2 is flat: 100^2 keV^2 x 1e-3 = 10 keV cm-2 s-1
    line = next(line for line in axes.lines if line.get_label() == "burst")
    assert line.get_ydata() == pytest.approx(np.full(20, 10.0))
    assert "keV" in axes.get_ylabel()


def test_counts_have_their_sum_and_residuals():
    counts = np.array([4.0, 9.0, 16.0, 10.0, 5.0])
    parts = {"burst": np.array([0.0, 4.0, 12.0, 5.0, 0.0]), "background": np.full(5, 4.0)}
    upper, lower = plot_binned_counts(START, START + 2, counts, parts, "burst").axes
    assert set(texts(upper)) == {"burst", "background", "sum", "data"}
    shown = lower.lines[1].get_ydata()
    assert shown == pytest.approx([0.0, 1 / np.sqrt(8), 0.0, 1 / 3, 0.5])


@pytest.mark.parametrize("n", [1, 2, 4])
def test_profiles_have_a_panel_each(n):
    value = np.linspace(-3, 3, 30)
    curve = ProfileCurve("burst.t0", "s", value, value**2, 0.0, -1.0, np.nan)
    figure = plot_profiles([curve] * n, "burst")
    shown = [axes for axes in figure.axes if axes.axison]
    assert len(shown) == n
    assert "+?" in shown[0].get_title()


def test_corner_has_panels_below_the_diagonal_and_true_values():
    samples = np.random.default_rng(1).normal(size=(500, 3))
    figure = plot_corner(samples, ["a", "b [s]", "c"], "burst", [0.0, np.nan, 1.0])
    assert len(figure.axes) == 6
    crosses = [axes for axes in figure.axes if any(line.get_marker() == "+" for line in axes.lines)]
    assert len(crosses) == 1  # a and c


def test_corner_of_too_many_numbers_is_refused():
    with pytest.raises(ValueError, match=f"1 to {MAX_NUMBERS} numbers can be drawn"):
        plot_corner(np.zeros((10, MAX_NUMBERS + 1)), ["a"] * (MAX_NUMBERS + 1), "burst")


@pytest.mark.parametrize(
    ("plot", "message"),
    [
        (lambda: plot_light_curve([], [], "a"), "no fluxes"),
        (lambda: plot_butterfly([], [], "a"), "no spectrum"),
        (lambda: plot_profiles([], "a"), "no profile"),
    ],
)
def test_nothing_to_draw_is_refused(plot, message):
    with pytest.raises(ValueError, match=message):
        plot()


# --- the graph -------------------------------------------------------------------------------


@pytest.fixture
def graph():
    curve = {"peak": Free(1.0, 0.0), "t0": Fixed(2.0), "sigma": Free(1.0, 0.1)}
    quantities = {
        "burst.index": Expression("a + log(burst.flux)"),
        "a": Free(-2.0),
        "burst.flux": Curve("gaussian", curve),
        "twin.index": Link("burst.index"),
        "norm": Free(1.0, per="time_bin"),
        'odd "<&>': Fixed(1.0),
    }
    return make_graph(Layer(quantities, one_axis("time_bin", START, START + 2)))


def test_graph_follows_links_and_functions(graph):
    nodes = {node.name: node for node in graph.nodes}
    assert nodes["twin.index"].inputs == ("burst.index",)
    assert nodes["burst.flux"].inputs == ("burst.flux.peak", "burst.flux.t0", "burst.flux.sigma")
    assert [nodes[name].column for name in ("a", "burst.flux", "burst.index", "twin.index")] == [
        *(0, 1, 2, 3)
    ]
    assert nodes["burst.flux.t0"].kind == "fixed"
    places = [(node.column, node.row) for node in graph.nodes]
    assert len(set(places)) == len(places)


def test_graph_has_plates_around_what_each_bin_has(graph):
    (plate,) = graph.plates
    assert plate.label == "time_bin × 5"
    for node in graph.nodes:
        is_inside = plate.rows[0] <= node.row <= plate.rows[1]
        assert is_inside == (node.plate == "time_bin")


def test_graph_is_written_as_text_dot_and_svg(graph):
    assert re.search(
        r"^twin.index +link per time_bin: burst.index  <- burst.index$",
        to_text(graph),
        re.MULTILINE,
    )
    dot = to_dot(graph)
    assert '"burst.index" -> "twin.index";' in dot
    assert '"odd \\"<&>"' in dot
    assert dot.count("subgraph") == 1
    root = ET.fromstring(to_svg(graph))
    names = {text.text for text in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {node.name for node in graph.nodes} <= names


def test_graph_is_drawn(graph, tmp_path):
    figure = plot_parameter_graph(graph, "burst")
    names = {text.get_text() for text in figure.axes[0].texts}
    assert {"burst.flux", "time_bin × 5"} <= names
    assert save(figure, tmp_path / "graph.png").stat().st_size > 1000
