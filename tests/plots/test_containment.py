import numpy as np
import pytest

from skyquilt.plots.containment import describe, plot_containment, region_pixels

REGION = {
    "level": 0.9,
    "threshold": 4.605,
    "area_deg2": 523.72,
    "n_pixels": 39,
    "n_parts": 1,
    "is_resolved": True,
    "is_cut": False,
}


def regions_of(figure):
    return [line for line in figure.axes[0].lines if line.get_gid() == "region"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "90 % region: 524 deg² (39 pixels)"),
        ({"n_parts": 2}, "90 % region: 524 deg² (39 pixels in 2 parts)"),
        ({"n_pixels": 3, "is_resolved": False}, "90 % region: 524 deg² (3 pixels, not resolved)"),
        ({"is_cut": True}, "90 % region: at least 524 deg² (39 pixels)"),
        ({"area_deg2": 41252.96}, "90 % region: 41253 deg² (39 pixels)"),
        ({"level": 0.683}, "68.3 % region: 524 deg² (39 pixels)"),
    ],
)
def test_describe_tells_area_and_caveats(changes, expected):
    assert describe(REGION | changes) == expected


def test_containment_plot_has_title_and_area(make_skymap, make_marks):
    figure = plot_containment(make_skymap(), REGION, make_marks(), "grb")
    assert "grb: 90 % containment" in [text.get_text() for text in figure.texts]
    assert figure.legends[0].get_texts()[0].get_text() == describe(REGION)
    assert figure.axes[1].get_xlabel() == "TS"


def test_containment_plot_outlines_the_region_once(make_skymap, make_marks):
    assert len(regions_of(plot_containment(make_skymap(), REGION, make_marks(), "grb"))) == 1


def test_outline_lies_around_the_best_position(make_skymap, make_marks, find_mark):
    figure = plot_containment(make_skymap(nside=32), REGION, make_marks(), "grb")
    (line,) = regions_of(figure)
    x, y = line.get_xydata()[~np.isnan(line.get_xdata())].T
    at_x, at_y = find_mark(figure, "true position").get_xydata()[0]
    assert x.min() < at_x < x.max()
    assert y.min() < at_y < y.max()
    # 15 deg sqrt(2 * 4.6 / 30 / 2) = 6 deg and a pixel, stretched by the projection
    assert np.hypot(x - at_x, y - at_y).max() < 0.3


@pytest.mark.parametrize("position", [(180.0, 10.0), (178.0, -60.0), (40.0, 86.0), (200.0, -88.0)])
def test_outline_across_longitude_180_is_not_drawn_through_the_map(
    make_skymap, make_marks, position
):
    skymap = make_skymap(*position, width=40)
    (line,) = regions_of(plot_containment(skymap, REGION, make_marks(), "grb"))
    steps = np.hypot(*np.diff(line.get_xydata(), axis=0).T)
    # 2.5 deg along an edge, stretched near the poles where a meridian is far from the next
    assert np.nanmax(steps) < 0.4


def test_region_pixels_leave_out_failed_ones(make_skymap):
    skymap = make_skymap()
    before = region_pixels(skymap, 4.605)
    skymap.columns["ts"][before[0]] = np.nan
    assert before[0] not in region_pixels(skymap, 4.605)
