import json

import pytest

from skyquilt.errors import ProductError
from skyquilt.io.json_file import read_json, write_json
from skyquilt.io.schema import Schema

SCHEMA = Schema("skyquilt/thing", "2.1", "skyquilt make")


@pytest.fixture
def path(tmp_path):
    write_json(tmp_path / "thing.json", SCHEMA, {"ts": 1.5})
    return tmp_path / "thing.json"


def test_read_gives_kind_version_and_what_was_written(path):
    content = read_json(path, SCHEMA)
    assert list(content) == ["schema", "schema_version", "ts", "sha256"]
    assert content["ts"] == 1.5


@pytest.mark.parametrize("text", ["", '{"schema": "skyquilt/thing"', "[1]", "{}", "null", "\udcff"])
def test_read_when_it_is_no_product_says_how_to_make_it(path, text):
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ProductError, match=r"thing\.json: .*make it again with `skyquilt make`"):
        read_json(path, SCHEMA)


def test_read_when_it_is_not_there_says_how_to_make_it(tmp_path):
    with pytest.raises(ProductError, match=r"no\.json: cannot be read .*`skyquilt make`"):
        read_json(tmp_path / "no.json", SCHEMA)


def test_read_when_a_value_was_changed_is_damaged(path):
    path.write_text(path.read_text().replace("1.5", "2.5"))
    with pytest.raises(ProductError, match=r"thing\.json: damaged"):
        read_json(path, SCHEMA)


def test_read_when_there_is_no_checksum_is_damaged(path):
    content = json.loads(path.read_text())
    del content["sha256"]
    path.write_text(json.dumps(content))
    with pytest.raises(ProductError, match="damaged: its checksum differs, or it has none"):
        read_json(path, SCHEMA)


def test_read_of_another_kind_names_both(path):
    with pytest.raises(ProductError, match="schema is 'skyquilt/thing', not 'skyquilt/other'"):
        read_json(path, SCHEMA._replace(name="skyquilt/other"))
