"""Errors of readers that name the file."""

import pytest

from skyquilt.errors import InputError, ProductError
from skyquilt.io.reading import reading


def test_errors_of_skyquilt_pass():
    with pytest.raises(ProductError, match=r"^as it is$"), reading("a.h5", "a table"):
        raise ProductError("as it is")


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (KeyError("x"), r"'x' \(KeyError\)"),
        (AssertionError(), "AssertionError"),
        (ValueError("\n first\nsecond"), r"first \(ValueError\)"),
        (RecursionError("too deep"), r"too deep \(RecursionError\)"),
        (MemoryError(), "it asks for more memory than there is"),
    ],
)
def test_other_errors_name_the_file_the_kind_and_what_to_do(error, text):
    message = rf"^a\.h5: cannot be read as a table: {text}; copy it\.$"
    with pytest.raises(InputError, match=message), reading("a.h5", "a table", "copy it"):
        raise error


def test_a_missing_file_is_told_as_such():
    with (
        pytest.raises(ProductError, match=r"^a\.h5: no such file\.$"),
        reading("a.h5", "a table", error=ProductError),
    ):
        raise FileNotFoundError


def test_interrupts_pass():
    with pytest.raises(KeyboardInterrupt), reading("a.h5", "a table"):
        raise KeyboardInterrupt
