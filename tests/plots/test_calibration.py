"""Figures of simulated skies."""

import numpy as np
import pytest

from skyquilt.plots.calibration import (
    Detection,
    Estimate,
    Maxima,
    Tail,
    plot_coverage,
    plot_detection,
    plot_maxima,
)

TAIL = Tail(
    np.array([5.0, 10.0, 20.0]),
    np.array([0.5, 0.1, 1e-3]),
    np.array([[0.4, 0.05, 5e-4], [0.6, 0.2, 2e-3]]),
)


def labels(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


@pytest.mark.parametrize(
    ("observed", "label"), [(15.0, "observed TS 15.0"), (900.0, "observed TS 900.0, outside")]
)
def test_maxima_show_skies_extrapolation_and_the_observed_ts(observed, label):
    axes = plot_maxima(Maxima(np.linspace(1, 12, 100), observed, TAIL), "burst").axes[0]

    assert labels(axes) == ["100 simulated skies", "extrapolation", label]
    assert (axes.get_xlabel(), axes.get_yscale()) == ("largest TS of the map", "log")


def test_coverage_of_a_drop_is_at_its_level():
    drop = np.array([-2 * np.log(0.1)])  # the 90 % region just reaches it
    coverage = Estimate(np.array([0.8]), np.array([0.1]))

    axes = plot_coverage(drop, np.array([0.9]), coverage, 25.0, "burst").axes[0]

    steps = next(line for line in axes.lines if line.get_label().startswith("1 sources"))
    assert steps.get_xdata() == pytest.approx([0.9])
    assert axes.get_xlim() == axes.get_ylim() == (0, 1)


def detection(offsets):
    one = Estimate(np.full(2, 0.5), np.full(2, 0.1))
    return Detection(np.array([0.1, 1.0]), one, one, one, offsets)


def test_detection_draws_offsets_of_detected_fluxes_only():
    offsets = {level: np.array([np.nan, 3 * level]) for level in (0.5, 0.68, 0.9)}
    figure = plot_detection(detection(offsets), 25.0, "burst")

    assert labels(figure.axes[2]) == ["90 %", "68 %", "50 %"]
    assert [line.get_xdata().tolist() for line in figure.axes[2].lines] == [[1.0]] * 3


def test_detection_without_any_detected_flux_is_drawn():
    figure = plot_detection(detection({}), 25.0, "burst")

    assert figure.axes[2].get_legend() is None
