import numpy as np
import pytest
from matplotlib.cbook import is_math_text
from scipy.stats import chi2

from skyquilt.plots.spectrum import plot_counts_spectrum, poisson_errors
from skyquilt.plots.style import save
from skyquilt.problem.problem import CountsSpectrum

EDGES = np.array([100.0, 200.0, 400.0, 800.0, 1600.0])
COUNTS = {
    "background": np.array([90.0, 40.0, 10.0, 0.0]),
    "signal": np.array([20.0, 30.0, 2.0, 0.0]),
    "background model": np.array([91.0, 41.0, 11.0, 0.5]),
    "data": np.array([110.0, 70.0, 12.0, 0.0]),
}


def plot(selected=(False, True, False, False), counts=COUNTS):
    return plot_counts_spectrum(CountsSpectrum(EDGES, np.array(selected), counts), "grb").axes[0]


def labels(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


def test_spectrum_has_log_axes_with_labels():
    axes = plot()
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    assert axes.get_xlabel() == "measured energy [keV]"

    assert axes.get_ylabel() == "counts per channel"
    assert axes.get_title() == "grb: counts"


def test_spectrum_names_all_terms_data_first():
    expected = ["data", "background", "signal", "background model", "analysed"]
    assert sorted(labels(plot())) == sorted(expected)
    assert labels(plot())[0] == "data"


def test_spectrum_draws_each_term_as_steps_of_its_counts():
    steps = {patch.get_label(): patch for patch in plot().patches if hasattr(patch, "get_data")}
    for label in ("background", "signal", "background model"):
        np.testing.assert_array_equal(steps[label].get_data().values, COUNTS[label])
        np.testing.assert_array_equal(steps[label].get_data().edges, EDGES)


def test_spectrum_draws_data_with_poisson_errors():
    (container,) = plot().containers
    points, _, (bars,) = container
    np.testing.assert_array_equal(points.get_ydata(), COUNTS["data"])
    np.testing.assert_allclose(points.get_xdata() ** 2, EDGES[:-1] * EDGES[1:])
    errors = poisson_errors(COUNTS["data"])
    low, high = np.array([segment[:, 1] for segment in bars.get_segments()]).T
    np.testing.assert_allclose(low, COUNTS["data"] - errors[0])
    np.testing.assert_allclose(high, COUNTS["data"] + errors[1])


@pytest.mark.parametrize(
    ("selected", "spans"),
    [
        ((False, True, False, False), [(200, 400)]),
        ((True, True, False, True), [(100, 400), (800, 1600)]),
        ((False, False, False, False), []),
    ],
)
def test_spectrum_shades_the_analysed_channels(selected, spans):
    axes = plot(selected)
    boxes = [patch for patch in axes.patches if hasattr(patch, "get_width")]
    assert [(box.get_x(), box.get_x() + box.get_width()) for box in boxes] == spans
    assert labels(axes).count("analysed") == min(len(spans), 1)


def test_spectrum_of_terms_without_data_is_drawn():
    axes = plot(counts={"signal": COUNTS["signal"]})
    assert labels(axes) == ["analysed", "signal"]


def test_spectrum_without_counts_is_drawn():
    axes = plot(counts={"data": np.zeros(4)})
    assert axes.get_ylim()[0] > 0


def test_spectrum_shows_all_positive_counts():
    low, high = plot().get_ylim()
    assert low < 0.5
    assert high > 110


@pytest.mark.parametrize("counts", [0.0, 1.0, 3.0, 10.0, 100.0])
def test_poisson_errors_are_84_percent_limits(counts):
    down, up = poisson_errors(np.array([counts]))[:, 0]
    level = 0.8413
    # Gehrels quotes his approximations as good to a few percent
    assert counts + up == pytest.approx(chi2.ppf(level, 2 * counts + 2) / 2, rel=0.03)
    if counts > 0:
        assert counts - down == pytest.approx(chi2.ppf(1 - level, 2 * counts) / 2, abs=0.06)
    else:
        assert down == 0


def test_energies_of_tev_instruments_are_in_tev():
    edges = np.array([1e9, 2e9, 4e9])
    spectrum = CountsSpectrum(edges, np.array([True, False]), {"data": np.ones(2)})
    figure = plot_counts_spectrum(spectrum, "hess")
    axes = figure.axes[0]
    assert axes.get_xlabel() == "measured energy [TeV]"
    assert axes.get_xlim() == pytest.approx((1, 4))


HOSTILE = [
    r"A$\frac{1}{0$",
    "$",
    "$$",
    "$a$",
    r"\$a$",
    "\\",
    "_hidden",
    "^_{}%&#~",
    "<b>&amp;\"'",
    "Größe 天 \U0001f4a5",
    "{x}",
    "%s %(a)d",
    "W" * 64,
]


@pytest.mark.parametrize("label", HOSTILE)
@pytest.mark.parametrize("ending", [".png", ".pdf"])
def test_label_is_drawn_letter_by_letter(tmp_path, label, ending):
    counts = {label: COUNTS["signal"], "data": COUNTS["data"]}
    figure = plot_counts_spectrum(CountsSpectrum(EDGES, np.zeros(4, bool), counts), "grb")
    save(figure, tmp_path / f"x{ending}")

    (drawn,) = set(labels(figure.axes[0])) - {"data"}
    assert not is_math_text(drawn)
    shown = drawn.replace(r"\$", "$").strip()
    assert shown.replace("\ufffd", "").strip() in label or (
        shown[:31] == label[:31] and shown[-1] == "…"
    )
    assert len(shown) <= 32


def test_components_of_the_background_are_dotted_and_have_their_names():
    axes = plot(counts=COUNTS | {"background model: galactic": COUNTS["background"] / 2})

    steps = {patch.get_label(): patch for patch in axes.patches if hasattr(patch, "get_data")}
    assert steps["galactic"].get_linestyle() == ":"
    assert steps["signal"].get_linestyle() == "-"
