import pytest

from skyquilt.plots.marks import Marks, format_position, marks_from_summary

BEST = {"galactic": {"lon": 1, "lat": 2}, "icrs": {"lon": 3, "lat": 4}}
TRUE = {"galactic": {"lon": 5, "lat": 6}, "icrs": {"lon": 7, "lat": 8}}


@pytest.mark.parametrize(
    ("frame", "best", "true"), [("galactic", (1, 2), (5, 6)), ("icrs", (3, 4), (7, 8))]
)
def test_marks_from_summary_are_in_the_frame_of_the_map(frame, best, true):
    summary = {"best": BEST, "true_position": TRUE}
    assert marks_from_summary(summary, frame, 0.9) == Marks(frame, best, true, 1)


def test_marks_from_summary_without_positions_are_none():
    marks = marks_from_summary({"best": None, "true_position": None}, "icrs", 7.0)
    assert marks == Marks("icrs", None, None, 1)


@pytest.mark.parametrize(
    ("side", "n_decimals"), [(7.3, 1), (0.92, 1), (0.11, 1), (0.09, 2), (0.029, 2), (0.007, 3)]
)
def test_decimals_tell_neighbouring_cells_apart(side, n_decimals):
    summary = {"best": BEST, "true_position": None}
    assert marks_from_summary(summary, "icrs", side).n_decimals == n_decimals


def test_format_position_has_a_true_minus_sign():
    text = format_position((93.04, -53.0), "galactic", 2)
    assert text == "$l$ = 93.04°, $b$ = \N{MINUS SIGN}53.00°"
