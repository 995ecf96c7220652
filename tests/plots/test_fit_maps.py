import numpy as np
import pytest

from skyquilt.plots.fit_maps import (
    draw_fit_maps,
    plot_flux_map,
    plot_limit_map,
    plot_norm_map,
    plot_sensitivity_map,
    plot_template_map,
)

ENERGIES = (251.189, 398.107)
NAMES = ["soft", "normal", "hard"]


@pytest.fixture
def skymap(make_skymap):
    made = make_skymap()
    made.columns["flux"], made.columns["flux_err"] = made.ts / 2, np.sqrt(made.ts + 1) / 4
    made.columns["flux_ul"] = made.ts / 50 + 0.1
    made.columns["background_norm"] = 1 - made.ts / 100
    made.columns["template"] = np.where(made.ts > 15, 2.0, 0.0)
    made.ts[:100] = 0
    return made


@pytest.mark.parametrize("missing", ["flux_err", "flux_ul", "background_norm", "template"])
def test_figures_are_those_of_the_columns_there_are(skymap, make_marks, missing):
    best = {"flux_ul": 0.7, "photon_flux": 0.3}
    summary = {"best": best, "templates": dict.fromkeys(NAMES), "energy_range_keV": (251, 398)}
    names = {
        "flux_err": "sensitivity",
        "flux_ul": "limit",
        "background_norm": "background-norm",
        "template": "template",
    }
    del skymap.columns[missing], names[missing]
    found = draw_fit_maps(skymap, summary, make_marks(), "burst", "viridis")
    assert list(found) == ["flux", *names.values()]


def test_limit_map_without_best_position_has_a_scale(skymap, make_marks):
    figure = plot_limit_map(skymap, make_marks(), "burst", ENERGIES, None)
    norm = figure.axes[0].images[0].norm
    assert norm.vmin == 0
    # a unit of flux is 0.02 ph cm-2 s-1
    assert norm.vmax >= 0.02 * np.nanquantile(skymap.columns["flux_ul"], 0.99)
    label = "upper limit [ph cm$^{-2}$ s$^{-1}$], 251\N{EN DASH}398 keV"
    assert figure.axes[1].get_xlabel() == label


def test_sensitivity_is_five_errors_as_photon_flux(skymap, make_marks):
    figure = plot_sensitivity_map(skymap, make_marks(), "burst", ENERGIES)
    shown = figure.axes[0].images[0].get_array()
    assert shown.max() == pytest.approx(5 * 0.02 * skymap.columns["flux_err"].max())


def test_flux_is_faded_where_ts_is_below_4_and_the_legend_says_so(skymap, make_marks):
    figure = plot_flux_map(skymap, make_marks(), "burst", ENERGIES, 0.3)
    image, veil = figure.axes[0].images
    is_faint = np.unique(image.get_array()[~np.ma.getmaskarray(veil.get_array())])
    assert is_faint.max() < 4 / 100  # flux is TS / 100
    assert image.get_array()[np.ma.getmaskarray(veil.get_array())].min() >= 4 / 100
    assert "faded: TS below 4" in [text.get_text() for text in figure.legends[0].get_texts()]


def test_scale_of_flux_is_that_of_what_is_not_faded(skymap, make_marks):
    skymap.columns["photon_flux"][skymap.ts < 4] = 1e5
    image = plot_flux_map(skymap, make_marks(), "burst", ENERGIES, 0.2).axes[0].images[0]
    assert image.norm.vmax <= 0.3


@pytest.mark.parametrize(
    ("plot", "text"),
    [(plot_flux_map, "linear scale"), (plot_limit_map, "square-root scale")],
)
def test_colour_bar_says_its_stretch(skymap, make_marks, plot, text):
    figure = plot(skymap, make_marks(), "burst", ENERGIES, 0.3)
    assert text in [one.get_text() for one in figure.axes[1].texts]


def test_maps_of_flux_units_without_a_flux_are_left_out(skymap, make_marks):
    for name in ("flux", "photon_flux", "ts"):
        skymap.columns[name] = np.zeros(skymap.ipix.size)
    summary = {"best": None, "templates": dict.fromkeys(NAMES), "energy_range_keV": (251, 398)}
    found = draw_fit_maps(skymap, summary, make_marks(), "burst", "viridis")
    assert list(found) == ["flux", "background-norm", "template"]


def test_norm_map_shows_all_values(skymap, make_marks):
    norm = plot_norm_map(skymap, make_marks(), "burst").axes[0].images[0].norm
    values = skymap.columns["background_norm"]
    assert (norm.vmin, norm.vmax) == (values.min(), values.max())


def test_norm_map_of_one_value_has_a_scale(skymap, make_marks):
    skymap.columns["background_norm"][:] = 1.1
    norm = plot_norm_map(skymap, make_marks(), "burst").axes[0].images[0].norm
    assert norm.vmin < norm.vmax


def test_template_map_names_the_spectra_and_is_grey_without_source(skymap, make_marks):
    figure = plot_template_map(skymap, NAMES, make_marks(), "burst")
    assert [label.get_text() for label in figure.axes[1].get_xticklabels()] == NAMES
    shown = figure.axes[0].images[0].get_array()
    assert set(np.unique(shown.compressed())) == {0.0, 2.0}
    before = np.ma.count(plot_norm_map(skymap, make_marks(), "burst").axes[0].images[0].get_array())
    assert np.ma.count(shown) == pytest.approx(before * (1 - 100 / 768), rel=0.02)  # raster points
