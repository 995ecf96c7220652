import pytest
from pydantic import ValidationError

from skyquilt.config.base import Section, quantity, to_value


class _Pulse(Section):
    width: quantity("s")
    """How long."""


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [("100 keV", "keV", 100.0), ("0.1 MeV", "keV", 100.0), ("1 / (m2 s)", "cm-2 s-1", 1e-4)],
)
def test_to_value_converts_units(text, unit, value):
    assert to_value(text, unit) == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize("text", ["100", "100 cm", "keV", "", "a lot", "1 keV cm"])
def test_to_value_of_no_quantity_says_what_is_needed(text):
    with pytest.raises(ValueError, match=r"is not a quantity in keV: give a finite number with a"):
        to_value(text, "keV")


@pytest.mark.parametrize("text", ["nan keV", "inf keV"])
def test_to_value_that_is_not_finite_is_refused(text):
    with pytest.raises(ValueError, match=r"is not one finite quantity: .* as in '1 keV'"):
        to_value(text, "keV")


def test_quantity_keeps_its_text():
    assert _Pulse(width="20 ms").width == "20 ms"


def test_section_is_immutable():
    with pytest.raises(ValidationError, match="frozen"):
        _Pulse(width="1 s").width = "2 s"


def test_section_refuses_unknown_keys():
    with pytest.raises(ValidationError, match="extra"):
        _Pulse(width="1 s", height="2 s")


def test_docstrings_of_fields_are_their_descriptions():
    assert _Pulse.model_json_schema()["properties"]["width"]["description"]
