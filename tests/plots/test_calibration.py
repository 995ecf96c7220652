"""Figures of simulated skies."""

import numpy as np
import pytest

from skyquilt.plots.calibration import plot_coverage, plot_detection, plot_maxima


def null(observed):
    ts = [5.0, 10.0, 20.0]
    curve = {
        "ts": ts,
        "p_value": [0.5, 0.1, 1e-3],
        "p_value_68": [[0.4, 0.05, 5e-4], [0.6, 0.2, 2e-3]],
    }
    return {"observed_ts_max": observed, "curve": curve}


def labels(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


@pytest.mark.parametrize(
    ("observed", "label"), [(15.0, "observed TS 15.0"), (900.0, "observed TS 900.0, outside")]
)
def test_maxima_show_skies_extrapolation_and_the_observed_ts(observed, label):
    axes = plot_maxima(np.linspace(1, 12, 100), null(observed), "burst").axes[0]

    assert labels(axes) == ["100 simulated skies", "extrapolation", label]
    assert (axes.get_xlabel(), axes.get_yscale()) == ("largest TS of the map", "log")


def test_coverage_of_a_drop_is_at_its_level():
    drop = np.array([-2 * np.log(0.1)])  # the 90 % region just reaches it
    regions = [{"level": 0.9, "coverage": 0.8, "coverage_err": 0.1}]

    axes = plot_coverage(drop, regions, 25.0, "burst").axes[0]

    steps = next(line for line in axes.lines if line.get_label().startswith("1 sources"))
    assert steps.get_xdata() == pytest.approx([0.9])
    assert axes.get_xlim() == axes.get_ylim() == (0, 1)


def part(flux, offsets):
    names = ("efficiency", "pull_mean", "pull_width")
    values = dict.fromkeys(names, 0.5) | {f"{name}_err": 0.1 for name in names}
    return {"flux": flux, "offset_deg": offsets, **values}


def test_detection_draws_offsets_of_detected_fluxes_only():
    offsets = {"0.5": 1.0, "0.68": 2.0, "0.9": 3.0}
    figure = plot_detection([part(0.1, None), part(1.0, offsets)], 25.0, "burst")

    assert labels(figure.axes[2]) == ["90 %", "68 %", "50 %"]
    assert [line.get_xdata() for line in figure.axes[2].lines] == [[1.0]] * 3


def test_detection_without_any_detected_flux_is_drawn():
    figure = plot_detection([part(0.1, None)], 25.0, "burst")

    assert figure.axes[2].get_legend() is None
