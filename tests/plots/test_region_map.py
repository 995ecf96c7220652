import numpy as np
import pytest

from skyquilt.maps.multiorder import MultiOrderMap
from skyquilt.plots import region_map
from skyquilt.plots.regions import OutlinedRegion, describe, outline_regions
from skyquilt.sky.frames import position_to_vec, separation

REGION = {
    "level": 0.9,
    "threshold": 4.605,
    "area_deg2": 523.72,
    "n_pixels": 39,
    "n_parts": 1,
    "is_resolved": True,
    "is_cut": False,
}


def plot_region(skymap, entry, marks, title):
    return region_map.plot_region(skymap, outlined(skymap, entry), marks, title)


def outlined(skymap, entry):
    """Region of a map whose cells are its pixels."""
    cells = MultiOrderMap.from_skymap(skymap)
    (region,) = outline_regions(cells, {"containment": [entry], "credible": []}, skymap.frame)
    return region


def regions_of(figure):
    return [line for line in figure.axes[0].lines if line.get_gid() == "region"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "90 % containment, statistical: 524 deg² (39 cells)"),
        ({"n_parts": 2}, "90 % containment, statistical: 524 deg² (39 cells in 2 parts)"),
        (
            {"n_pixels": 3, "is_resolved": False},
            "90 % containment, statistical: 524 deg² (3 cells, not resolved)",
        ),
        ({"is_cut": True}, "90 % containment, statistical: at least 524 deg² (39 cells)"),
        ({"area_deg2": 41252.96}, "90 % containment, statistical: 41253 deg² (39 cells)"),
        ({"level": 0.683}, "68.3 % containment, statistical: 524 deg² (39 cells)"),
    ],
)
def test_describe_tells_area_and_caveats(changes, expected):
    assert describe(OutlinedRegion("containment", REGION | changes, None)) == expected


def test_containment_plot_has_title_and_area(make_skymap, make_marks):
    figure = plot_region(make_skymap(), REGION, make_marks(), "grb")
    assert "grb: 90 % containment region" in [text.get_text() for text in figure.texts]
    assert (
        figure.legends[0].get_texts()[0].get_text()
        == "90 % containment, statistical: 524 deg² (39 cells)"
    )
    assert figure.axes[1].get_xlabel() == "TS"


def test_containment_plot_outlines_the_region_once(make_skymap, make_marks):
    assert len(regions_of(plot_region(make_skymap(), REGION, make_marks(), "grb"))) == 1


def test_outline_lies_around_the_best_position(make_skymap, make_marks, find_mark):
    figure = plot_region(make_skymap(nside=32), REGION, make_marks(), "grb")
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
    (line,) = regions_of(plot_region(skymap, REGION, make_marks(), "grb"))
    steps = np.hypot(*np.diff(line.get_xydata(), axis=0).T)
    # 2.5 deg along an edge, stretched near the poles where a meridian is far from the next
    assert np.nanmax(steps) < 0.4


def test_outline_leaves_out_failed_pixels(make_skymap):
    skymap = make_skymap(nside=32)
    n_before = len(outlined(skymap, REGION).edges)
    skymap.columns["ts"][np.argsort(skymap.ts)[-2]] = np.nan
    assert len(outlined(skymap, REGION).edges) == n_before + 4  # around the hole


@pytest.mark.parametrize("frame", ["galactic", "icrs"])
def test_outline_is_turned_into_the_frame_of_the_map(make_skymap, frame):
    cells = MultiOrderMap.from_skymap(make_skymap(93.0, -53.0, nside=32, frame="galactic"))
    summary = {"containment": [REGION], "credible": []}
    (region,) = outline_regions(cells, summary, frame)
    middle = region.edges.mean(axis=(0, 1))
    wanted = position_to_vec(93.0, -53.0, "galactic", frame)
    # the region is a few pixels of 1.8 deg around the source
    assert separation(middle, wanted) < 1.8


def test_legend_of_containment_leaves_the_colour_bar_free(make_skymap, make_marks):
    bad = REGION | {"is_resolved": False, "is_cut": True, "n_parts": 12, "n_pixels": 3000}
    figure = plot_region(make_skymap(), bad, make_marks(), "grb")
    figure.draw_without_rendering()
    bar = figure.axes[1].get_window_extent()
    assert figure.legends[0].get_window_extent().x1 < bar.x0
