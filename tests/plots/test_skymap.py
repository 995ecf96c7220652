import healpy
import numpy as np
import pytest
from matplotlib.patches import Patch

from skyquilt.plots.fit_maps import plot_flux_map
from skyquilt.plots.projection import mollweide
from skyquilt.plots.skymap import plot_ts_map


def texts(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def brightest(figure):
    """Place of the largest value of the drawn raster."""
    image = figure.axes[0].images[0]
    values = image.get_array()
    row, column = np.unravel_index(values.argmax(), values.shape)
    left, right, bottom, top = image.get_extent()
    x = left + (column + 0.5) / values.shape[1] * (right - left)
    return x, bottom + (row + 0.5) / values.shape[0] * (top - bottom)


@pytest.mark.parametrize(
    ("lon", "lat", "side"), [(93, -53, "left"), (300, 20, "right"), (170, 5, "left")]
)
def test_map_shows_a_source_where_it_is_with_longitude_to_the_left(
    make_skymap, make_marks, lon, lat, side
):
    figure = plot_ts_map(make_skymap(lon, lat, nside=32), make_marks(), "grb")
    x, y = brightest(figure)
    assert (x < 0) == (side == "left")
    assert (y < 0) == (lat < 0)
    expected_x, expected_y = mollweide(np.array([lon]), np.array([lat]))
    # half the diagonal of a pixel at nside 32 is 1.3 deg = 0.03 in the map
    assert np.hypot(x - expected_x[0], y - expected_y[0]) < 0.04


def test_map_axes_are_not_flipped_and_twice_as_wide_as_high(make_skymap, make_marks):
    figure = plot_ts_map(make_skymap(), make_marks(), "grb")
    axes = figure.axes[0]
    assert axes.get_xlim() == (-2, 2)
    assert axes.get_ylim() == (-1, 1)
    width, height = figure.get_size_inches() * axes.get_position(original=True).size
    assert width == pytest.approx(2 * height, rel=0.01)


@pytest.mark.parametrize("name", ["true position", "best position"])
@pytest.mark.parametrize("position", [(93.0, -53.0), (267.0, 30.0), (180.0, 0.0)])
def test_marks_are_drawn_at_the_projected_position(
    make_skymap, make_marks, find_mark, name, position
):
    figure = plot_ts_map(make_skymap(), make_marks(best=position, true=position), "grb")
    line = find_mark(figure, name)
    lon = position[0] if position[0] < 180 else position[0] - 360
    assert np.sign(line.get_xdata()[0]) == -np.sign(lon)
    np.testing.assert_allclose(
        line.get_xydata()[0], np.ravel(mollweide(*np.atleast_2d(position).T)), atol=1e-12
    )


def test_legend_names_positions(make_skymap, make_marks):
    assert texts(plot_ts_map(make_skymap(), make_marks(), "grb")) == [
        "true position: $l$ = 93.0°, $b$ = \N{MINUS SIGN}53.0°",
        "best position: $l$ = 90.0°, $b$ = \N{MINUS SIGN}54.3°",
    ]


def test_legend_in_icrs_speaks_of_right_ascension(make_skymap, make_marks):
    figure = plot_ts_map(make_skymap(frame="icrs"), make_marks(frame="icrs", best=None), "grb")
    assert texts(figure) == ["true position: RA = 93.0°, Dec = \N{MINUS SIGN}53.0°"]
    assert "ICRS" in [text.get_text() for text in figure.texts]


def test_map_without_positions_has_no_marks(make_skymap, make_marks):
    figure = plot_ts_map(make_skymap(), make_marks(best=None, true=None), "grb")
    assert texts(figure) == []


def test_ts_map_has_title_frame_and_colour_bar(make_skymap, make_marks):
    figure = plot_ts_map(make_skymap(), make_marks(), "grb")
    assert {"grb: TS", "galactic coordinates"} == {text.get_text() for text in figure.texts}
    assert figure.axes[1].get_xlabel() == "TS"


def test_graticule_is_labelled(make_skymap, make_marks):
    figure = plot_ts_map(make_skymap(), make_marks(), "grb")
    labels = {text.get_text(): text for text in figure.axes[0].texts}
    minus = "\N{MINUS SIGN}"
    latitudes = {f"{minus}60°", f"{minus}30°", "30°", "60°"}
    assert latitudes | {"0°", "120°", "300°", "240°"} == labels.keys()
    assert labels["120°"].get_position()[0] < 0 < labels["300°"].get_position()[0]


def test_flux_map_names_unit_and_energies(make_skymap, make_marks):
    figure = plot_flux_map(make_skymap(), make_marks(), "grb", (251.189, 398.107), 0.3)
    label = figure.axes[1].get_xlabel()
    assert label == "photon flux [ph cm$^{-2}$ s$^{-1}$], 251\N{EN DASH}398 keV"
    assert "grb: flux" in [text.get_text() for text in figure.texts]


def test_flux_map_shows_the_flux(make_skymap, make_marks):
    skymap = make_skymap()
    figure = plot_flux_map(skymap, make_marks(), "grb", (251, 398), 0.3)
    largest = figure.axes[0].images[0].get_array().max()
    assert largest == skymap.columns["photon_flux"].max()


def test_flux_map_with_values_beyond_its_scale_has_an_arrow(make_skymap, make_marks):
    skymap = make_skymap()
    skymap.columns["photon_flux"][5] = 1e6
    figure = plot_flux_map(skymap, make_marks(), "grb", (251, 398), 0.3)
    assert figure.axes[0].images[0].colorbar.extend == "max"


def test_partial_map_shows_the_rest_in_grey_and_says_so(make_skymap, make_marks):
    ipix = healpy.query_disc(8, healpy.ang2vec(93, -53, lonlat=True), 0.4, nest=True)
    figure = plot_ts_map(make_skymap(ipix=ipix), make_marks(), "grb")
    image = figure.axes[0].images[0]
    # cone of 0.4 rad around the source: 4 % of the sky; pi / 4 of the raster is sky
    assert np.ma.count(image.get_array()) / image.get_array().size == pytest.approx(0.03, abs=0.01)
    assert image.get_cmap().get_bad().tolist() == pytest.approx([0.85, 0.85, 0.85, 1])
    assert texts(figure)[-1] == "not fitted"
    assert isinstance(figure.legends[0].get_patches()[-1], Patch)


def test_failed_pixel_in_full_map_is_grey(make_skymap, make_marks):
    skymap = make_skymap()
    skymap.columns["ts"][5] = np.nan
    assert texts(plot_ts_map(skymap, make_marks(), "grb"))[-1] == "not fitted"


@pytest.mark.parametrize("colormap", ["viridis", "cividis"])
def test_map_uses_the_colormap(make_skymap, make_marks, colormap):
    figure = plot_ts_map(make_skymap(), make_marks(), "grb", colormap)
    assert figure.axes[0].images[0].get_cmap().name == colormap
