"""Spectrum of a target with its likelihood as colour."""

import numpy as np
import pytest

from skyquilt.plots.castro import SedPoints, SpectrumLine, plot_castro, value_range

EDGES = np.array([1e7, 1e8, 1e9, 1e10])
POINTS = SedPoints(
    *(EDGES[:-1], EDGES[1:]),
    *(np.array(values) for values in ([4.0, 0.0, np.nan], [1.0, 0, np.nan], [1.5, 0.2, np.nan])),
    limit=np.array([7.0, 0.5, np.nan]),
    is_limit=np.array([False, True, True]),
)


def _draw(points=POINTS):
    edges = np.geomspace(*value_range(points), 101)
    loglike = -np.array([[1.0], [8.0], [np.nan]]) * np.ones(100)
    lines = [SpectrumLine("$a", EDGES, np.full(4, 2.0))]
    return plot_castro(points, edges, loglike, lines, "a_$b")


def test_axes_have_all_that_is_stated():
    axes = _draw().axes[0]
    low, high = axes.get_ylim()  # in GeV
    assert low < 0.5e-6 < 5.5e-6 < high
    assert axes.get_xlim() == pytest.approx((10, 1e4))
    assert axes.get_legend().get_texts()[0].get_text() == r"\$a"


def test_points_and_limits_are_drawn_where_they_are_the_statement():
    axes = _draw().axes[0]
    point, limit = (one for one in axes.containers)
    assert point.lines[0].get_ydata() == pytest.approx([4e-6])
    assert limit.lines[0].get_ydata() == pytest.approx([0.5e-6])
    assert point.lines[0].get_xdata() == pytest.approx([10**1.5])


def test_likelihood_is_coloured_down_to_five_below_its_maximum():
    shown = [
        mesh.get_array() for mesh in _draw().axes[0].collections if mesh.get_array() is not None
    ]
    assert [values.mask.all() for values in shown] == [False, True, True]


def test_a_target_without_a_fit_is_refused():
    none = POINTS._replace(limit=np.full(3, np.nan), value=np.full(3, np.nan))
    with pytest.raises(ValueError, match="no band has a fit"):
        value_range(none)
