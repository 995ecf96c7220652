"""JSON schema of the configuration, for editors: ``python -m skyquilt.config.schema``."""

import ast
import inspect
import sys
import textwrap
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import yaml

from skyquilt.config.base import Section
from skyquilt.config.run import Config

_HEADER = """\
# Every key of a configuration, with its type and default; written by `make schema`.
# An editor checks a file that begins with
#   # yaml-language-server: $schema=../config/config.schema.yaml
"""


def schema() -> dict[str, Any]:
    """JSON schema of the configuration.

    Returns
    -------
    dict
        Schema in the dialect 2020-12.

    Examples
    --------
    >>> schema()["additionalProperties"]
    False
    """
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    whole = dialect | Config.model_json_schema()
    _describe(whole, Config)
    for model in _sections(Section):
        if model.__name__ in whole["$defs"]:
            _describe(whole["$defs"][model.__name__], model)
    return whole


def _sections(model: type[Section]) -> Iterator[type[Section]]:
    """All sections that are made from one."""
    for each in model.__subclasses__():
        yield each
        yield from _sections(each)


def _describe(definition: dict[str, Any], model: type[Section]) -> None:
    """Put what stands below each key of a section into its definition."""
    properties, texts = definition.get("properties", {}), _descriptions(model)
    for key in properties.keys() & texts.keys():
        known = properties[key]
        properties[key] = dict(sorted({"description": texts[key], **known}.items()))


def _descriptions(model: type[Section]) -> dict[str, str]:
    """Texts below the keys of a section and of those that it is made from."""
    found = {}
    for each in reversed(model.__mro__[: model.__mro__.index(Section)]):
        (tree,) = ast.parse(textwrap.dedent(inspect.getsource(each))).body
        if not isinstance(tree, ast.ClassDef):
            continue
        for key, text in pairwise(tree.body):
            if isinstance(key, ast.AnnAssign) and isinstance(key.target, ast.Name):
                match text:
                    case ast.Expr(value=ast.Constant(value=str(words))):
                        found[key.target.id] = inspect.cleandoc(words)
    return found


def schema_text() -> str:
    """Content of ``config/config.schema.yaml``."""
    return _HEADER + yaml.safe_dump(schema(), sort_keys=False, width=100)


if __name__ == "__main__":
    sys.stdout.write(schema_text())
