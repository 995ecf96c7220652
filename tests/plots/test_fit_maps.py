import numpy as np
import pytest

from skyquilt.plots.fit_maps import (
    draw_fit_maps,
    plot_limit_map,
    plot_norm_map,
    plot_template_map,
)

NAMES = ["soft", "normal", "hard"]


@pytest.fixture
def skymap(make_skymap):
    made = make_skymap()
    made.columns["flux_ul"] = made.ts / 50 + 0.1
    made.columns["background_norm"] = 1 - made.ts / 100
    made.columns["template"] = np.where(made.ts > 15, 2.0, 0.0)
    made.ts[:100] = 0
    return made


@pytest.mark.parametrize("missing", ["flux_ul", "background_norm", "template"])
def test_figures_are_those_of_the_columns_there_are(skymap, make_marks, missing):
    summary = {"best": {"flux_ul": 0.7}, "templates": dict.fromkeys(NAMES)}
    names = {"flux_ul": "limit", "background_norm": "background-norm", "template": "template"}
    del skymap.columns[missing], names[missing]
    found = draw_fit_maps(skymap, summary, make_marks(), "burst", "viridis")
    assert list(found) == list(names.values())


def test_limit_map_without_best_position_has_a_scale(skymap, make_marks):
    figure = plot_limit_map(skymap, None, make_marks(), "burst")
    norm = figure.axes[0].images[0].norm
    assert norm.vmin == 0
    assert norm.vmax >= np.nanquantile(skymap.columns["flux_ul"], 0.99)
    assert figure.axes[1].get_xlabel() == "upper limit on the flux [reference spectrum]"


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
