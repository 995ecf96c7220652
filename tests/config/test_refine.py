import pytest
from pydantic import ValidationError

from skyquilt.config import parse_config
from skyquilt.config.refine import RefineOptions
from skyquilt.errors import ConfigError
from skyquilt.localisation.refine.cells import make_goal


@pytest.mark.parametrize(
    "settings", [{}, {"enabled": False}, {"drop": 9.2}, {"drop": "auto"}, {"max_order": 13}]
)
def test_settings_that_are_possible(settings):
    RefineOptions(**settings)


@pytest.mark.parametrize(
    "settings",
    [
        {"drop": 0},
        {"drop": -1},
        {"drop": "all"},
        {"max_order": -1},
        {"max_order": 14},
        {"nside": 4},
    ],
)
def test_settings_that_are_not_possible(settings):
    with pytest.raises(ValidationError):
        RefineOptions(**settings)


@pytest.mark.parametrize("n", [1, 2, 180])
def test_finest_order_of_many_analyses_is_objected_to_once(n):
    one = {
        "data": {
            "frame": "galactic",
            "counts": [{"path": "a.h5"}],
            "background": {"path": "b.h5"},
            "response": "c.h5",
        },
        "spectrum": {
            "model": "power_law",
            "norm": "1 cm-2 s-1 keV-1",
            "pivot": "1 keV",
            "index": -2,
        },
        "refine": {"max_order": 14},
    }
    with pytest.raises(ConfigError) as error:
        parse_config({"analyses": {f"a{number}": one for number in range(n)}})
    text = str(error.value)
    assert text.count("max_order") == 1
    assert "13 or less" in text
    assert ("other anal" in text) == (n > 1)


def test_auto_follows_the_point_spread():
    options = RefineOptions()
    orders = [make_goal(options, (0.9,), 5, 0.0, sharp).max_order for sharp in (0, 0.1, 0.8, 6.0)]
    assert orders == [11, 13, 12, 11]
    assert make_goal(RefineOptions(max_order=9), (0.9,), 5, 0.0, 0.1).max_order == 9
