import numpy as np
import pytest

from skyquilt.config.data import BackgroundModel
from skyquilt.errors import InputError
from skyquilt.instruments.compton.background import scale_background
from skyquilt.instruments.compton.orientation_files import read_orientation

START = 1.8e9
COUNTS, BACKGROUND = (START + 10, START + 20), (START, START + 40)


@pytest.fixture
def orientation(local):
    """40 s, half of the livetime lost in the first 20 s."""
    local.write_orientation(np.arange(0, 41, 5), livetime=[2.5] * 4 + [5] * 4 + [0])
    return read_orientation(local.path("orientation.ori"))


def model(**settings):
    return BackgroundModel(path="background.h5", **settings)


def test_fixed_scale_wins(orientation):
    scale = scale_background(model(scale=0.3), COUNTS, BACKGROUND, orientation)

    assert scale == (0.3, "configuration")


def test_without_orientation_durations_are_compared():
    assert scale_background(model(), COUNTS, BACKGROUND, None) == (0.25, "ratio of durations")


def test_with_orientation_livetimes_are_compared(orientation):
    scale = scale_background(model(), COUNTS, BACKGROUND, orientation)

    assert scale.factor == pytest.approx(5 / 30, rel=1e-12)
    assert scale.source == "ratio of livetimes"


def test_interval_of_the_configuration_replaces_a_missing_time_axis():
    scale = scale_background(model(interval=BACKGROUND), COUNTS, None, None)

    assert scale.factor == 0.25


def test_histograms_without_time_are_taken_as_of_one_time(orientation):
    scale = scale_background(model(), None, None, orientation)

    assert scale.factor == 1
    assert scale.source.startswith("no time axis")


@pytest.mark.parametrize(
    ("counts", "background", "message"),
    [
        (
            COUNTS,
            None,
            r"the counts is known.* the background is not.*`data\.background\.interval`",
        ),
        (None, BACKGROUND, r"the background is known.* the counts is not.*`data\.interval`"),
    ],
)
def test_one_unknown_time_span_is_refused(counts, background, message):
    with pytest.raises(
        InputError, match=rf"background\.h5: the time span of {message}.*`data\.background\.scale`"
    ):
        scale_background(model(), counts, background, None)


@pytest.mark.parametrize("livetime", [[0] * 8 + [0], [5, 5, 0, 0, 5, 5, 5, 5, 0]])
def test_zero_livetime_is_refused(local, livetime):
    local.write_orientation(np.arange(0, 41, 5), livetime=livetime)
    orientation = read_orientation(local.path("orientation.ori"))

    with pytest.raises(InputError, match=r"orientation\.ori: livetime 0 s of the counts"):
        scale_background(model(), COUNTS, BACKGROUND, orientation)


def test_orientation_that_does_not_cover_the_background_is_refused(orientation):
    message = r"covers .* not the interval .*1800000041\.0+ s of the background \(`data\.background"
    with pytest.raises(InputError, match=message):
        scale_background(model(), COUNTS, (START, START + 41), orientation)


def test_orientation_that_does_not_cover_the_counts_names_their_key(orientation):
    with pytest.raises(InputError, match=r"1800000041\.0+ s of the counts \(`data\.interval`"):
        scale_background(model(), (START, START + 41), BACKGROUND, orientation)
