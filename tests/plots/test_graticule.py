import numpy as np
import pytest
from matplotlib.figure import Figure

from skyquilt.plots.graticule import choose_step, draw_graticule, find_crossings
from skyquilt.plots.projection import from_zenithal
from skyquilt.sky.frames import lonlat_to_vec, vec_to_lonlat


@pytest.mark.parametrize("span", [0.03, 1.0, 7.0, 33.0, 200.0, 360.0])
def test_step_gives_a_few_labels(span):
    assert 2 <= span / choose_step(np.array([10.0, 10.0 + span])) <= 5


def test_crossings_of_falling_values_are_found():
    at, multiples = find_crossings(np.array([0.0, 1.0, 2.0]), np.array([12.0, 8.0, -4.0]), 10)
    assert at.tolist() == pytest.approx([0.5, 1 + 8 / 12])
    assert multiples.tolist() == [10, 0]


@pytest.mark.parametrize("centre", [(93.0, -53.0), (0.5, 0.0), (20.0, 80.0), (200.0, -89.0)])
def test_labels_stand_where_their_coordinate_is(centre):
    axes, half, vec = Figure().add_subplot(), 15.0, lonlat_to_vec(*centre)
    draw_graticule(axes, vec, half, "galactic")
    at = axes.get_xticks()
    labels = [float(label.get_text().rstrip("°")) for label in axes.get_xticklabels()]
    lon, _ = vec_to_lonlat(from_zenithal(at, np.full(at.size, -half), vec))
    # linear between 2001 points along the edge
    np.testing.assert_allclose((lon - labels + 180) % 360 - 180, 0, atol=1e-2)
    at = axes.get_yticks()
    texts = [label.get_text().rstrip("°") for label in axes.get_yticklabels()]
    labels = [float(text.replace("\N{MINUS SIGN}", "-")) for text in texts]
    _, lat = vec_to_lonlat(from_zenithal(np.full(at.size, -half), at, vec))
    np.testing.assert_allclose(lat, labels, atol=1e-2)
    assert len(labels) >= 1
