import pytest
from pydantic import ValidationError

from skyquilt.config.refine import RefineOptions


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
