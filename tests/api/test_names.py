"""The public names are loaded when they are used, and only then."""

import subprocess
import sys

import pytest

import skyquilt


def test_import_loads_nothing():
    code = (
        "import sys; import skyquilt; print([m for m in sys.modules if m.startswith('skyquilt')])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout == "['skyquilt']\n"


@pytest.mark.parametrize("name", [name for name in skyquilt.__all__ if name[0] != "_"])
def test_public_names_are_there_and_documented(name):
    found = getattr(skyquilt, name)
    assert name in dir(skyquilt)
    assert name == "RESULTS_VERSION" or found.__doc__


def test_a_name_that_is_none_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'fitmap'"):
        skyquilt.fitmap  # noqa: B018


def test_types_name_what_the_module_has():
    stub = skyquilt.__file__ + "i"
    with open(stub) as file:
        text = file.read()
    for name in skyquilt.__all__:
        assert f" as {name}\n" in text or f"\n{name}: " in text
