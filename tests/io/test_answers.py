"""What products say that they answer, well-formed or refused."""

import json

import pytest

from skyquilt.errors import ProductError
from skyquilt.io.answers import read_answers

GOOD = {"product": "maps", "analysis": "a", "settings": {"map": {}}, "data": {"c.h5": "0" * 64}}


def write(path, answers):
    path.write_text(json.dumps({"provenance": {"answers": answers}}))
    return path


def test_answers_are_those_of_the_record(tmp_path):
    assert read_answers(write(tmp_path / "p.json", GOOD)) == GOOD


def test_page_of_all_names_its_analyses_only(tmp_path):
    index = {"product": "index", "analyses": ["a", "b"]}
    assert read_answers(write(tmp_path / "p.json", index)) == index


@pytest.mark.parametrize("key", ["settings", "data"])
@pytest.mark.parametrize("value", ["missing", None, [], "text", 3])
def test_answers_that_cannot_be_compared_are_refused(tmp_path, key, value):
    answers = {k: v for k, v in GOOD.items() if k != key or value != "missing"}
    if value != "missing":
        answers[key] = value
    with pytest.raises(ProductError, match=f"p.json: cannot be read .*has no '{key}'"):
        read_answers(write(tmp_path / "p.json", answers))
