import numpy as np
import pytest

from skyquilt.maps.source_positions import SourcePositions
from skyquilt.plots.projection import mollweide
from skyquilt.plots.skymap import plot_ts_map
from skyquilt.plots.sources import MAX_LABELS


def sources(n):
    rng = np.random.default_rng(1)
    return SourcePositions(*(rng.uniform(-60, 60, n) for _ in SourcePositions._fields))


@pytest.fixture
def draw(make_skymap, make_marks):
    def draw(n, frame="galactic"):
        given = sources(n)
        return given, plot_ts_map(
            make_skymap(frame=frame), make_marks(frame=frame), "x", sources=given
        )

    return draw


@pytest.mark.parametrize(
    ("frame", "names"), [("galactic", ("glon", "glat")), ("icrs", ("ra", "dec"))]
)
def test_sources_are_marked_in_the_frame_of_the_map(draw, find_mark, frame, names):
    given, figure = draw(3, frame)
    x, y = mollweide(*(getattr(given, name) for name in names))
    np.testing.assert_allclose(find_mark(figure, "sources").get_xydata(), np.stack([x, y], axis=1))


@pytest.mark.parametrize(("n", "n_labels"), [(1, 0), (3, 3), (200, MAX_LABELS)])
def test_only_the_first_sources_of_several_have_their_row(draw, n, n_labels):
    _, figure = draw(n)
    rows = [text.get_text() for text in figure.axes[0].texts if text.get_text().isdecimal()]
    assert rows == [str(row) for row in range(1, n_labels + 1)]
    label = f"{n} source{'s' * (n > 1)} of sources.ecsv"
    assert any(text.get_text().startswith(label) for text in figure.legends[0].get_texts())


def test_map_without_sources_has_no_mark_of_them(draw):
    _, figure = draw(0)
    assert all(line.get_gid() != "sources" for line in figure.axes[0].lines)
