from typing import Annotated

import pytest
from pydantic import ValidationError

from skyquilt.config.base import Quantity, Section
from skyquilt.config.schema import _descriptions


class _Pulse(Section):
    width: Annotated[str, Quantity("s")]
    """How long."""


class _Train(_Pulse):
    number: int
    """How many."""
    is_even: bool = True


def test_quantity_keeps_its_text():
    assert _Pulse(width="20 ms").width == "20 ms"


def test_section_is_immutable():
    with pytest.raises(ValidationError, match="frozen"):
        _Pulse(width="1 s").width = "2 s"


def test_section_refuses_unknown_keys():
    with pytest.raises(ValidationError, match="extra"):
        _Pulse(width="1 s", height="2 s")


def test_texts_below_fields_are_their_descriptions():
    assert _descriptions(_Train) == {"width": "How long.", "number": "How many."}
