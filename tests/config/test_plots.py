import pytest
from matplotlib import colormaps
from pydantic import ValidationError

from skyquilt.config.plots import PlotOptions


@pytest.mark.parametrize("name", ["viridis", "cividis", "inferno", "magma", "plasma"])
def test_colormap_that_is_allowed_exists(name):
    assert PlotOptions(colormap=name).colormap in colormaps


@pytest.mark.parametrize("name", ["jet", "Viridis"])
def test_colormap_that_is_not_uniform_or_unknown_is_refused(name):
    with pytest.raises(ValidationError, match="Input should be 'viridis', 'cividis'"):
        PlotOptions(colormap=name)


def test_plots_with_unknown_key_is_refused():
    with pytest.raises(ValidationError, match="cmap\n  Extra inputs are not permitted"):
        PlotOptions(cmap="viridis")
