import pytest
from pydantic import ValidationError

from skyquilt.config.localise import LocaliseOptions


def test_localise_by_default_asks_for_90_percent_without_true_position():
    options = LocaliseOptions()
    assert options.levels == (0.9,)
    assert options.true_position is None


def test_levels_in_any_order_are_sorted():
    assert LocaliseOptions(levels=[0.9, 0.683]).levels == (0.683, 0.9)


@pytest.mark.parametrize("level", [0, 1, -0.1, 90, "nan"])
def test_level_outside_0_to_1_is_refused(level):
    with pytest.raises(
        ValidationError, match=r"levels.0\n  Input should be (greater|less|a finite)"
    ):
        LocaliseOptions(levels=[level])


def test_levels_given_twice_are_refused():
    with pytest.raises(ValidationError, match="each level once"):
        LocaliseOptions(levels=[0.9, 0.683, 0.9])


def test_levels_that_are_none_are_refused():
    with pytest.raises(ValidationError, match="at least 1 item"):
        LocaliseOptions(levels=[])


def test_true_position_without_frame_is_refused():
    with pytest.raises(ValidationError, match=r"true_position\n.*no frame"):
        LocaliseOptions(true_position={"lon": 93, "lat": -53})


def test_localise_with_unknown_key_is_refused():
    with pytest.raises(ValidationError, match="level\n  Extra inputs are not permitted"):
        LocaliseOptions(level=0.9)
