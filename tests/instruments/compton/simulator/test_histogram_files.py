import numpy as np
import pytest
from histpy import Histogram

from skyquilt.instruments.compton.simulator.histogram_files import write_counts, write_expectation

EDGES = np.array([100.0, 110.0, 130.0])


def test_write_counts_opens_in_histpy_with_the_same_counts(tmp_path, instrument):
    coords = np.array([[1, 0], [0, 1], [5, 2], [47, 3]])  # not in C order
    write_counts(tmp_path / "h.h5", instrument, "local", EDGES, coords, np.array([4, 9]))
    histogram = Histogram.open(tmp_path / "h.h5")
    contents = histogram.contents.todense()
    assert contents[1, 0, 5, 47] == 4
    assert contents[0, 1, 2, 3] == 9
    assert contents.sum() == 13
    np.testing.assert_array_equal(histogram.axes["Time"].edges.to_value("s"), EDGES)


@pytest.mark.parametrize(("frame", "name"), [("local", "spacecraftframe"), ("galactic",) * 2])
def test_histograms_know_their_frame_and_units(tmp_path, instrument, frame, name):
    expectation = np.ones(instrument.shape[1:])
    write_expectation(tmp_path / "h.h5", instrument, frame, (0.0, 5.0), expectation)
    axes = Histogram.open(tmp_path / "h.h5").axes
    assert list(axes.labels) == ["Time", "Em", "Phi", "PsiChi"]
    assert axes["PsiChi"].coordsys.name == name
    assert (axes["PsiChi"].nside, axes["PsiChi"].scheme) == (2, "RING")
    assert [str(axes[label].unit) for label in ("Time", "Em", "Phi")] == ["s", "keV", "deg"]


def test_write_expectation_keeps_fractions(tmp_path, instrument):
    expectation = np.random.default_rng(2).random(instrument.shape[1:])
    write_expectation(tmp_path / "h.h5", instrument, "galactic", (0.0, 5.0), expectation)
    np.testing.assert_array_equal(Histogram.open(tmp_path / "h.h5").contents[0], expectation)
