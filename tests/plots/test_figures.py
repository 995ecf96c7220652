import subprocess
import sys

import matplotlib as mpl
import numpy as np
import pytest

from skyquilt.config.localise import LocaliseOptions
from skyquilt.config.plots import PlotOptions
from skyquilt.config.position import Position
from skyquilt.errors import OutputError
from skyquilt.localisation.posterior import localise
from skyquilt.localisation.summary import summarise
from skyquilt.maps.multiorder import MultiOrderMap
from skyquilt.maps.skymap import SkyMap
from skyquilt.maps.source_positions import SourcePositions
from skyquilt.plots.figures import draw_figures, make_plots, plot_names
from skyquilt.problem.problem import CountsSpectrum

REGIONS = ["credible-68.3", "credible-90", "zoom", "containment-68.3", "containment-90"]
NAMES = ["ts", "flux", "sensitivity", *REGIONS, "ts-histogram", "counts-spectrum"]


@pytest.fixture(scope="module")
def analysis(make_skymap):
    skymap = make_skymap(nside=4)
    extra = dict.fromkeys(("sqrt_ts", "flux", "flux_err", "npred"), skymap.ts)
    status = np.zeros(skymap.ipix.size, dtype=np.uint8)
    skymap = SkyMap(4, "galactic", skymap.ipix, skymap.columns | extra | {"status": status})
    info = {"analysis": "grb", "energy_range_keV": (251, 398)}
    true = Position(lon=93, lat=-53, frame="galactic")
    levels = (0.683, 0.9)
    found = localise(MultiOrderMap.from_skymap(skymap), levels)
    options = LocaliseOptions(levels=levels, true_position=true)
    summary = summarise(skymap, found, info, options, [])
    is_selected = np.array([True, False])
    counts = {"data": np.array([5.0, 3.0]), "background model": np.array([4.5, 2.0])}
    spectrum = CountsSpectrum(np.array([100.0, 300.0, 1000.0]), is_selected, counts)
    return skymap, found.cells, summary, {"": spectrum}


@pytest.mark.slow
def test_make_plots_writes_all_figures_as_png_and_pdf(analysis, tmp_path):
    paths = make_plots(*analysis, PlotOptions(), tmp_path / "plots")
    expected = [f"{name}{ending}" for name in NAMES for ending in (".png", ".pdf")]
    assert [path.name for path in paths] == expected
    assert sorted(expected) == sorted(file.name for file in (tmp_path / "plots").iterdir())
    assert plot_names((0.683, 0.9)) == NAMES


def test_make_plots_without_spectrum_leaves_that_figure_out(analysis):
    *maps, summary, _ = analysis
    names = [name for name, _ in draw_figures(*maps, summary, {}, PlotOptions())]
    assert names == NAMES[:-1]


def test_each_data_set_has_its_own_counts_spectrum(analysis):
    *maps, summary, spectra = analysis
    both = {"low": spectra[""], "high": spectra[""]}
    figures = dict(draw_figures(*maps, summary, both, PlotOptions()))
    assert list(figures) == plot_names((0.683, 0.9), both)
    assert figures["counts-spectrum-high"].axes[0].get_title() == "grb, high: counts"


def test_sources_are_marked_in_ts_map_and_zoom(analysis):
    unused = np.zeros(1)
    here = SourcePositions(unused, unused, np.array([93.0]), np.array([-53.0]))
    figures = dict(draw_figures(*analysis, PlotOptions(), here))
    marked = {
        name
        for name, figure in figures.items()
        if any(line.get_gid() == "sources" for line in figure.axes[0].lines)
    }
    assert marked == {"ts", "zoom"}


def test_make_plots_uses_the_colormap(analysis):
    _, figure = next(draw_figures(*analysis, PlotOptions(colormap="magma")))
    assert figure.axes[0].images[0].get_cmap().name == "magma"


def test_make_plots_into_a_file_is_refused(analysis, tmp_path):
    (tmp_path / "plots").write_text("")
    with pytest.raises(OutputError, match="plots"):
        make_plots(*analysis, PlotOptions(), tmp_path / "plots")


def test_draw_figures_leaves_the_settings_of_matplotlib(analysis):
    before = dict(mpl.rcParams)
    for _ in draw_figures(*analysis, PlotOptions()):
        assert dict(mpl.rcParams) == before


def test_figures_without_display_import_no_pyplot():
    command = "import sys, skyquilt.plots.figures; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", command], check=False).returncode == 0
