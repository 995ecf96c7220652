"""Read YAML as people write it: keys once, of finite size, and a mistake has a line.

YAML allows more than a configuration needs: keys that are lists, lists in lists without an end,
and texts of a few letters that stand for billions of values. What is beyond these limits is an
error before anything is built from it.
"""

import re
from pathlib import Path
from typing import Any

import yaml

from skyquilt.errors import ConfigError

_OCTAL = re.compile(r"[-+]?0[0-7_]+")

MAX_BYTES = 1 << 22
"""Longest file: thousands of analyses."""
MAX_DEPTH = 64
"""Keys and lists inside each other; a configuration needs ten."""
MAX_VALUES = 1_000_000
"""Values of a file, those that stand several times (`*name`) counted in each."""


def read_yaml(path: str | Path) -> Any:
    """Content of a YAML file.

    Raises
    ------
    ConfigError
        If the file cannot be read, is no YAML, gives a key twice, or is beyond the limits; the
        message names the line.
    """
    path = Path(path)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ConfigError(f"{path}: larger than {MAX_BYTES} bytes; this is no configuration.")
        return parse_yaml(path.read_text(encoding="utf-8"), str(path))
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            f"{path}: cannot be read as YAML: line {line} is no UTF-8: save the file as UTF-8."
        ) from error
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the path
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(
            f"{path}: cannot be read ({reason}); give a YAML file, as config/demo.yaml."
        ) from error


def parse_yaml(text: str, source: str) -> Any:
    """Content of a text in YAML; `source` is where it comes from, for messages.

    Raises
    ------
    ConfigError
        As `read_yaml`.
    """
    try:
        return yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        raise ConfigError(f"{source}: cannot be read as YAML: {_describe(error)}.") from error
    except (ValueError, OverflowError, TypeError, AttributeError) as error:  # 2020-13-45, !!int x
        raise ConfigError(f"{source}: cannot be read as YAML: {error}.") from error


class _Loader(yaml.SafeLoader):
    """YAML's safe loader within the limits; a key given twice is an error, not the last one."""

    def __init__(self, stream: str):
        super().__init__(stream)
        self._depth = 0
        self._sizes: dict[int, int] = {}

    def compose_node(self, parent, index):
        if self.check_event(yaml.AliasEvent):
            return super().compose_node(parent, index)
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise _mistake(f"more than {MAX_DEPTH} levels", self.peek_event().start_mark)
        node = super().compose_node(parent, index)
        self._depth -= 1
        if isinstance(node, yaml.MappingNode):
            self._check_keys([key for key, _ in node.value])
        if node is not None and not isinstance(node, yaml.ScalarNode):
            self._count(node)
        return node

    def _check_keys(self, keys: list[yaml.Node]) -> None:
        seen = set()
        for key in keys:
            if not isinstance(key, yaml.ScalarNode):
                raise _mistake("a key must be a text or a number", key.start_mark)
            if key.tag == "tag:yaml.org,2002:merge":
                continue
            name = self.construct_object(key)
            if name in seen:
                raise _mistake(f"the key {key.value!r} is given twice", key.start_mark)
            seen.add(name)

    def _count(self, node: yaml.Node) -> None:
        """Count the values in a list or mapping that is complete."""
        is_mapping = isinstance(node, yaml.MappingNode)
        inner = [value for _, value in node.value] if is_mapping else node.value
        size = 1 + sum(self._sizes.get(id(one), 1) for one in inner)
        if size > MAX_VALUES:
            raise _mistake(f"stands for more than {MAX_VALUES} values", node.start_mark)
        self._sizes[id(node)] = size

    def construct_yaml_int(self, node: yaml.ScalarNode) -> int:
        """Whole number; refused where YAML reads another one than people do."""
        _check_number(node)
        if _OCTAL.fullmatch(node.value):
            raise _mistake(
                f"{node.value} is octal in YAML: write it without the 0 in front", node.start_mark
            )
        return super().construct_yaml_int(node)

    def construct_yaml_float(self, node: yaml.ScalarNode) -> float:
        """Number; refused where YAML reads another one than people do."""
        _check_number(node)
        return super().construct_yaml_float(node)


_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_yaml_int)
_Loader.add_constructor("tag:yaml.org,2002:float", _Loader.construct_yaml_float)


def _check_number(node: yaml.ScalarNode) -> None:
    """Refuse hours, minutes and seconds, which YAML counts in the last of them."""
    if ":" in node.value:
        raise _mistake(
            f"{node.value} is a number to base 60 in YAML: write decimal degrees, seconds, or "
            "whatever the key asks for",
            node.start_mark,
        )


def _mistake(problem: str, mark: yaml.Mark) -> yaml.YAMLError:
    return yaml.constructor.ConstructorError(None, None, problem, mark)


def _describe(error: yaml.YAMLError) -> str:
    """What the reader of YAML stumbled over, and where."""
    mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
    if mark is None or problem is None:
        return str(error).partition(' in "<unicode string>"')[0]
    hint = "; indent with blanks" if "\\t" in problem else ""
    return f"line {mark.line + 1}, column {mark.column + 1}: {problem}{hint}"
