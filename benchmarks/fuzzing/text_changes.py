"""Changes of text files: lines, words, encodings; and of the trees in JSON and YAML."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from fuzzing.change import Change, of_bytes, of_text

_WORDS = {
    "missing": "",
    "nan": "nan",
    "inf": "inf",
    "0": "0",
    "-1": "-1",
    "1e300": "1e300",
    "1e999": "1e999",
    "text": "fish",
    "quote": '"',
    "long": "9" * 5000,
    "accents": "Škoda",
    "a control character": "\x07",
}


def text_changes(path: Path, rng: np.random.Generator) -> Iterator[Change]:
    """Changes of lines, and of words at random places."""
    lines = path.read_text().splitlines()
    yield of_text("text: only the first line", lambda text: text.splitlines()[0] + "\n")
    yield of_text("text: blank lines", lambda text: text.replace("\n", "\n\n"))
    yield of_text("text: lines backwards", lambda text: "\n".join(text.splitlines()[::-1]))
    yield of_text("text: in one line", lambda text: " ".join(text.splitlines()))
    yield of_text("text: no newline at the end", lambda text: text.rstrip("\n"), is_equal=True)
    yield of_text("text: CRLF", lambda text: text.replace("\n", "\r\n"), is_equal=True)
    yield of_text("text: tabs", lambda text: text.replace(" ", "\t"))
    yield of_text("text: a line of 3 MB", lambda text: text + "x" * 3_000_000 + "\n")
    yield of_bytes("text: UTF-16", lambda content: content.decode().encode("utf-16"))
    yield of_bytes("text: byte order mark", lambda content: b"\xef\xbb\xbf" + content)
    yield of_bytes("text: Latin-1", lambda content: content + "é\n".encode("latin-1"))
    yield of_bytes("text: a zero byte", lambda content: content + b"\x00")
    picked = sorted({0, 1, 2, len(lines) - 1, *rng.integers(0, len(lines), 8).tolist()})
    for index in (index for index in picked if index < len(lines)):
        yield _line_change(f"line {index + 1}: missing", index, lambda line: [])
        yield _line_change(f"line {index + 1}: twice", index, lambda line: [line, line])
        yield _line_change(f"line {index + 1}: blank", index, lambda line: [""])
        yield _line_change(f"line {index + 1}: half", index, lambda line: [line[: len(line) // 2]])
        yield _line_change(f"line {index + 1}: and more", index, lambda line: [f"{line} 1 2 3"])
        for place in range(min(len(_split(lines[index])), 12)):
            for title, word in _WORDS.items():
                yield _line_change(
                    f"line {index + 1}, word {place + 1}: {title}",
                    index,
                    lambda line, place=place, word=word: [_with_word(line, place, word)],
                )


def _line_change(title: str, index: int, edit: Callable[[str], list[str]]) -> Change:
    def change(text: str) -> str:
        lines = text.splitlines()
        return "\n".join([*lines[:index], *edit(lines[index]), *lines[index + 1 :]]) + "\n"

    return of_text(title, change)


def _split(line: str) -> list[str]:
    return line.split("," if "," in line else None)


def _with_word(line: str, place: int, word: str) -> str:
    words = _split(line)
    words[place] = word
    return ("," if "," in line else " ").join(words)


# --- trees ---

_DEEP: Any = []
for _ in range(300):
    _DEEP = [_DEEP]

_LEAVES = {
    "null": None,
    "nan": float("nan"),
    "inf": float("inf"),
    "0": 0,
    "-1": -1,
    "1.5": 1.5,
    "1e300": 1e300,
    "huge": 10**30,
    "text": "fish",
    "no text": "",
    "long text": "x" * 5000,
    "a control character": "\x07",
    "accents": "Škoda $x$",
    "yes": True,
    "no list": [],
    "a list": [1, "two", None],
    "a table": {"a": 1},
    "no table": {},
    "deep lists": _DEEP,
}


def json_changes(path: Path) -> Iterator[Change]:
    """Changes of each value of a JSON file."""
    content = json.loads(path.read_text())
    yield of_text("json: not indented", lambda text: json.dumps(json.loads(text)), is_equal=True)
    yield of_text("json: a list", lambda text: "[" + text + "]")
    yield of_text("json: a number", lambda text: "1")
    yield of_text("json: null", lambda text: "null")
    yield of_text("json: deep", lambda text: "[" * 100_000)
    yield from _tree_changes(content, json.loads, json.dumps)


def yaml_changes(path: Path) -> Iterator[Change]:
    """Changes of each value of a YAML file, and of its grammar."""
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(9)
    )
    yield of_text("yaml: alias bomb", lambda text: bomb + text)
    yield of_text("yaml: deep", lambda text: text + "x: " + "[" * 5000)
    yield of_text("yaml: list as a key", lambda text: text + "? [a, b]\n: 1\n")
    yield of_text("yaml: table as a key", lambda text: text + "? {a: b}\n: 1\n")
    yield of_text("yaml: a key twice", lambda text: text + "results: other\n")
    yield of_text("yaml: two documents", lambda text: text + "---\na: 1\n")
    yield of_text("yaml: python object", lambda text: text + "x: !!python/object:os.system {}\n")
    yield of_text("yaml: alias of nothing", lambda text: text + "x: *nothing\n")
    yield of_text("yaml: alias of itself", lambda text: text + "x: &x [*x]\n")
    yield of_text("yaml: date", lambda text: text.replace("results", "2026-01-01"))
    yield of_text("yaml: merge of text", lambda text: text + "<<: fish\n")
    yield of_text("yaml: tab", lambda text: "\t" + text)
    yield from _tree_changes(yaml.safe_load(path.read_text()), yaml.safe_load, yaml.safe_dump)


def _tree_changes(content: Any, load: Callable, dump: Callable) -> Iterator[Change]:
    for path in list(_paths(content)):
        title = ".".join(map(str, path))

        def change(name: str, edit: Callable[[Any, Any], None], path=path, title=title) -> Change:
            def apply(text: str) -> str:
                tree = load(text)
                parent = tree
                for key in path[:-1]:
                    parent = parent[key]
                edit(parent, path[-1])
                return dump(tree)

            return of_text(f"{title}: {name}", apply)

        yield change("missing", lambda parent, key: parent.__delitem__(key))
        for name, value in _LEAVES.items():
            yield change(name, lambda parent, key, value=value: parent.__setitem__(key, value))


def _paths(content: Any, above: tuple = ()) -> Iterator[tuple]:
    items: Any = ()
    if isinstance(content, dict):
        items = content.items()
    elif isinstance(content, list):
        items = enumerate(content[:2])
    for key, value in items:
        yield (*above, key)
        yield from _paths(value, (*above, key))
