import numpy as np
import pytest

from skyquilt.maps.multiorder import MultiOrderMap
from skyquilt.maps.source_positions import SourcePositions
from skyquilt.plots import zoom
from skyquilt.plots.regions import outline_regions

REGION = {
    "level": 0.9,
    "threshold": 4.605,
    "area_deg2": 523.72,
    "n_pixels": 39,
    "n_parts": 1,
    "is_resolved": True,
    "is_cut": False,
}
INNER = REGION | {"level": 0.683, "threshold": 2.3}
CREDIBLE = REGION | {"threshold": 20.0}
POSITION = (93.0, -53.0)


def plot_zoom(skymap, containment, marks, title, credible=(), cells=None, sources=None):
    """Zoom of a map whose cells are its pixels, unless others are given."""
    cells = MultiOrderMap.from_skymap(skymap) if cells is None else cells
    summary = {"containment": containment, "credible": credible}
    regions = outline_regions(cells, summary, skymap.frame)
    return zoom.plot_zoom(skymap, cells, regions, marks, title, sources=sources)


def half_width(figure):
    return figure.axes[0].get_xlim()[1]


def regions_of(figure):
    return [line for line in figure.axes[0].lines if line.get_gid() == "region"]


@pytest.mark.parametrize("regions", [[REGION], [REGION, INNER], [INNER, REGION]])
def test_zoom_outlines_each_region_the_largest_first(make_skymap, make_marks, regions):
    lines = regions_of(plot_zoom(make_skymap(), regions, make_marks(), "grb"))
    assert len(lines) == len(regions)
    assert lines[0].get_label().startswith("90 % containment")
    assert len({line.get_color() for line in lines}) == len(lines)


@pytest.mark.parametrize("lat", [-53.0, 40.0])
def test_zoom_shows_a_neighbour_at_larger_longitude_on_the_left(make_skymap, make_marks, lat):
    skymap = make_skymap(100.0, lat, nside=32, width=5)
    figure = plot_zoom(skymap, [REGION], make_marks(best=(93.0, lat), true=None), "grb")
    values = figure.axes[0].images[0].get_array()
    column = np.nonzero(values == values.max())[1].mean()
    assert column < values.shape[1] / 2
    assert figure.axes[0].get_xlim()[0] < 0 < figure.axes[0].get_xlim()[1]
    extent = figure.axes[0].images[0].get_extent()
    assert extent[0] < 0 < extent[1]
    x = extent[0] + (column + 0.5) / values.shape[1] * (extent[1] - extent[0])
    # centre of the pixel: half the diagonal at nside 32 is 1.3 deg
    assert x == pytest.approx(-7 * np.cos(np.radians(lat)), abs=1.3)


def test_marks_are_at_the_centre_and_to_the_left_for_larger_longitude(
    make_skymap, make_marks, find_mark
):
    marks = make_marks(best=(93.0, 0.0), true=(98.0, 0.0))
    figure = plot_zoom(make_skymap(93.0, 0.0), [REGION], marks, "grb")
    np.testing.assert_allclose(find_mark(figure, "best position").get_xydata()[0], 0, atol=1e-9)
    # 2 sin(2.5 deg) = 4.998 deg
    np.testing.assert_allclose(
        find_mark(figure, "true position").get_xydata()[0], (-4.998, 0), atol=1e-3
    )


@pytest.mark.parametrize(
    ("frame", "labels"),
    [
        ("galactic", ("galactic longitude $l$ [deg]", "galactic latitude $b$ [deg]")),
        ("icrs", ("right ascension [deg]", "declination [deg]")),
    ],
)
def test_zoom_axes_are_labelled_in_the_frame_of_the_map(make_skymap, make_marks, frame, labels):
    figure = plot_zoom(make_skymap(frame=frame), [REGION], make_marks(frame=frame), "grb")
    axes = figure.axes[0]
    assert (axes.get_xlabel(), axes.get_ylabel()) == labels
    assert axes.get_title() == "grb: TS around the best position"
    assert figure.axes[1].get_xlabel() == "TS"


def test_longitudes_at_the_lower_edge_decrease_to_the_right_through_zero(make_skymap, make_marks):
    marks = make_marks(best=(0.0, 5.0), true=None)
    axes = plot_zoom(make_skymap(0.0, 5.0), [REGION], marks, "grb").axes[0]
    labels = [float(label.get_text().rstrip("°")) for label in axes.get_xticklabels()]
    at = axes.get_xticks()
    wrapped = [(label + 180) % 360 - 180 for label in np.array(labels)[np.argsort(at)]]
    assert len(labels) >= 3
    assert wrapped == sorted(wrapped, reverse=True)
    assert 0 in wrapped


def test_zoom_of_small_region_is_four_pixels_to_each_side(make_skymap, make_marks):
    skymap = make_skymap(nside=64, ts=1e6)
    figure = plot_zoom(skymap, [REGION], make_marks(best=POSITION, true=None), "grb")
    assert half_width(figure) == pytest.approx(4 * 58.63 / 64, rel=1e-3)


def test_zoom_holds_a_close_true_position_and_not_a_far_one(make_skymap, make_marks):
    skymap = make_skymap(nside=64, ts=1e6)
    near, far = (
        half_width(plot_zoom(skymap, [REGION], make_marks(best=POSITION, true=true), "grb"))
        for true in [(93.0, -48.0), (93.0, 40.0)]
    )
    assert near > 5
    assert far < 4


@pytest.mark.parametrize("true", [POSITION, None])
def test_zoom_of_the_whole_sky_is_limited_and_needs_no_best_position(make_skymap, make_marks, true):
    figure = plot_zoom(make_skymap(ts=0.0), [REGION], make_marks(best=None, true=true), "grb")
    assert half_width(figure) == 60
    assert figure.axes[0].get_title() == "grb: TS"
    assert np.isfinite(figure.axes[0].images[0].get_array()).all()


def test_credible_region_has_the_colour_of_its_level_and_a_dashed_line(make_skymap, make_marks):
    skymap = make_skymap()
    skymap.columns["probdensity"] = skymap.ts
    figure = plot_zoom(skymap, [REGION], make_marks(), "grb", credible=[CREDIBLE])
    full, dashed = regions_of(figure)
    assert full.get_label().startswith("90 % containment")
    assert dashed.get_label().startswith("90 % credible")
    assert full.get_color() == dashed.get_color()
    assert full.get_linestyle() != dashed.get_linestyle()


@pytest.mark.parametrize("order", [2, 6])
def test_zoom_shows_the_finer_of_map_and_cells(make_skymap, make_marks, order):
    skymap = make_skymap()
    other = make_skymap(nside=1 << order, frame="icrs")
    cells = MultiOrderMap.from_skymap(other)
    cells.columns["ts"][:] = 7.0
    image = plot_zoom(skymap, [REGION], make_marks(), "grb", cells=cells).axes[0].images[0]
    assert np.all(image.get_array() == 7) == (order == 6)


@pytest.mark.parametrize("frame", ["galactic", "icrs"])
def test_zoom_marks_the_sources_in_it_by_their_row(make_skymap, make_marks, find_mark, frame):
    here, elsewhere = (np.array([250.0, 95.0]), np.array([40.0, 0.0])), (np.zeros(2), np.zeros(2))
    far_and_near = SourcePositions(*(here + elsewhere if frame == "icrs" else elsewhere + here))
    marks = make_marks(best=(93.0, 0.0), true=None, frame=frame)
    skymap = make_skymap(93.0, 0.0, frame=frame)
    figure = plot_zoom(skymap, [REGION], marks, "grb", sources=far_and_near)
    # 2 sin(1 deg) = 1.9999 deg
    rings = find_mark(figure, "sources").get_xydata()
    np.testing.assert_allclose(rings, [(-1.9999, 0)], atol=1e-3)
    assert [text.get_text() for text in figure.axes[0].texts] == ["2"]
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert "1 source of sources.ecsv, numbers are rows" in legend


@pytest.mark.parametrize("position", [(93.0, 0.0), (250.0, 40.0)])
@pytest.mark.parametrize("n_pixels", [39, 3000])
def test_legend_of_zoom_is_whole_and_below_the_colour_bar(
    make_skymap, make_marks, position, n_pixels
):
    sources = SourcePositions(np.zeros(1), np.zeros(1), *np.array(position)[:, np.newaxis])
    marks = make_marks(best=(93.0, 0.0), true=(94.0, 0.0))
    bad = REGION | {"is_resolved": False, "is_cut": True, "n_parts": 12, "n_pixels": n_pixels}
    skymap = make_skymap(93.0, 0.0)
    figure = plot_zoom(skymap, [REGION, bad], marks, "grb", sources=sources)
    figure.draw_without_rendering()
    bar = figure.axes[1].get_tightbbox()
    box = figure.legends[0].get_window_extent()
    assert 0 <= box.y0 < box.y1 <= bar.y0
    assert 0 <= box.x0 < box.x1 <= figure.bbox.width
