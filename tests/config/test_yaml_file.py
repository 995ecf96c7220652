"""YAML beyond what a configuration needs is one message, told soon."""

import pytest

from skyquilt.config import load_config, merge_settings
from skyquilt.config.yaml_file import MAX_BYTES, parse_yaml, read_yaml
from skyquilt.errors import ConfigError

BOMB = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"a{n + 1}: &a{n + 1} [{','.join([f'*a{n}'] * 10)}]\n" for n in range(8)
)
MISTAKES = {
    "? [a, b]\n: 1\n": "line 1, column 3: a key must be a text or a number",
    "? {a: b}\n: 1\n": "a key must be a text or a number",
    "? !!set {a}\n: 1\n": "a key must be a text or a number",
    "[" * 3000 + "]" * 3000: "more than 64 levels",
    "".join(" " * n + f"k{n}:\n" for n in range(200)): "more than 64 levels",
    BOMB: r"line 6, .*stands for more than 1000000 values",
    "a: 1\na: 2\n": "line 2, column 1: the key 'a' is given twice",
    "a: 1\n'a': 2\n": "the key 'a' is given twice",
    "1: a\n0x1: b\n": "the key '0x1' is given twice",
    "a: {b: 1, c: 2, b: 3}\n": "the key 'b' is given twice",
    "a: 2020-13-45\n": "month must be in",
    "a: !!int x\n": "invalid literal",
    "a: !!float x\n": "could not convert",
    "a: " + "9" * 5000: "digits",
    "a: !!binary xx=x\n": "base64",
    "a: !!python/object/apply:os.system [ls]\n": "could not determine a constructor",
    "---\na: 1\n---\nb: 1\n": "another document",
    "a: *unknown\n": "undefined alias",
    "a: [1, 2\n": "line 2",
    "\x00": "special characters are not allowed",
}


@pytest.mark.parametrize("text", MISTAKES, ids=range(len(MISTAKES)))
def test_what_a_configuration_does_not_need_is_one_message(text):
    with pytest.raises(ConfigError, match=MISTAKES[text]) as caught:
        parse_yaml(text, "c.yaml")
    assert str(caught.value).startswith("c.yaml: cannot be read as YAML: ")
    assert len(str(caught.value)) < 500


def test_keys_that_are_merged_may_be_given_again():
    text = "x: &x {a: 1}\nb: &b {<<: *x, a: 2}\nc: {<<: [*b, *x], d: 3}\ne: {<<: *b, a: 4}\n"
    content = parse_yaml(text, "c.yaml")
    assert content["b"] == {"a": 2}
    assert content["c"] == {"a": 2, "d": 3}
    assert content["e"] == {"a": 4}


def test_file_that_is_no_configuration_by_its_size_is_not_read(tmp_path):
    with (tmp_path / "c.yaml").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(ConfigError, match=r"c\.yaml: larger than"):
        read_yaml(tmp_path / "c.yaml")


@pytest.mark.parametrize("name", ["missing.yaml", ".", "y" * 300, "a\0b"])
def test_file_that_cannot_be_read_is_one_message(tmp_path, name):
    with pytest.raises(ConfigError, match="cannot be read"):
        read_yaml(f"{tmp_path}/{name}")


@pytest.mark.parametrize("start", ["analyses: [", "["])
def test_message_about_a_long_value_is_short(tmp_path, start):
    (tmp_path / "c.yaml").write_text(start + "x, " * 10_000 + "]")
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path / "c.yaml")
    assert len(str(caught.value)) < 500


def test_message_about_many_mistakes_names_some(tmp_path):
    (tmp_path / "c.yaml").write_text("".join(f"k{n}: 1\n" for n in range(1000)))
    with pytest.raises(ConfigError, match=r"k0: unknown key.*and 970 more mistakes"):
        load_config(tmp_path / "c.yaml")


def test_merged_settings_are_those_of_the_last_file_and_changes(tmp_path):
    (tmp_path / "a.yaml").write_text("results: a\nanalyses: {one: {map: {nside: 4, order: x}}}\n")
    (tmp_path / "b.yaml").write_text("analyses: {one: {map: {nside: 8}}, two: {}}\n")
    merged = merge_settings([tmp_path / "a.yaml", tmp_path / "b.yaml"], {"results": "c"})
    one = {"map": {"nside": 8, "order": "x"}}
    assert merged == {"results": "c", "analyses": {"one": one, "two": {}}}


@pytest.mark.parametrize(
    "number", ["5:34:31.9", "5:34", "-1:30", "12:00:00", "010", "-05", "0777", "01_0"]
)
def test_number_that_yaml_reads_as_another_is_one_message(number):
    with pytest.raises(ConfigError, match=rf"line 2, column 6: {number} is .* in YAML: write"):
        parse_yaml(f"a: 1\nlon: {number}\n", "c.yaml")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *[("0", 0), ("10", 10), ("-3", -3), ("0.5", 0.5), ("0x10", 16), ("1_000", 1000)],
        *[("1e-3", "1e-3"), ("1.0e+3", 1000.0), ("089.5", 89.5), ("'5:34'", "5:34")],
        (".inf", float("inf")),
    ],
)
def test_other_numbers_are_read_as_they_were(text, value):
    assert parse_yaml(f"a: {text}", "c.yaml") == {"a": value}
