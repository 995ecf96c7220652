from typing import Annotated

import pytest
from pydantic import ValidationError

from skyquilt.config.base import Quantity, Section


class _Pulse(Section):
    width: Annotated[str, Quantity("s")]
    """How long."""


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
