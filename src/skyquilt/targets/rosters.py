"""Rosters: lists of targets, from the configuration, YAML files or tables."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import TypeAdapter, ValidationError

from skyquilt.config.messages import describe_mistakes
from skyquilt.config.target import Target
from skyquilt.config.targets import Roster
from skyquilt.config.yaml_file import read_yaml
from skyquilt.errors import ConfigError, InputError

if TYPE_CHECKING:
    from astropy.table import Table

YAML = (".yaml", ".yml")
"""Endings of rosters in YAML; all others are tables."""

_ROSTER: TypeAdapter[dict[str, Target]] = TypeAdapter(Roster)
_KEYS = ("name", *Target.model_fields)
_ANGLES = ("lon", "lat", "ra", "dec")


def read_yaml_roster(path: str, name: str) -> dict[str, Target]:
    """Read a roster from YAML: targets by name, or rosters by name, of which this is one.

    Parameters
    ----------
    path : str
        File.
    name : str
        Name of the roster.

    Raises
    ------
    InputError
        If there are no targets, or one is not possible.
    """
    try:
        content = read_yaml(path)
    except ConfigError as error:
        raise InputError(str(error)) from error
    if not isinstance(content, dict) or not content:
        raise InputError(
            f"{path}: no targets; give them by name, as `mkn421: {{ra: .., dec: ..}}`."
        )
    if all(map(_holds_targets, content.values())):
        if name not in content and len(content) > 1:
            raise InputError(
                f"{path}: has the rosters {', '.join(content)}, and none is called {name}: give "
                "the roster of the configuration one of these names."
            )
        content = content.get(name, next(iter(content.values())))
    return _check(path, content)


def table_roster(path: str, table: "Table") -> dict[str, Target]:
    """Targets of the rows of a table; columns that are neither known nor numbers are passed over.

    Raises
    ------
    InputError
        If a row is no target, or a name is there twice.
    """
    columns = {str(key).lower(): str(key) for key in reversed(table.colnames)}
    if "name" not in columns:
        raise InputError(
            f"{path}: no column `name`; there are {', '.join(table.colnames[:20])}: name the "
            "targets."
        )
    found: dict[str, Any] = {}
    for number, row in enumerate(_rows(table, columns), 1):
        name = row.pop("name", "")
        if name in found:
            raise InputError(f"{path}: {name} is there twice, again in row {number}: name it once.")
        found[name] = row
    if not found:
        raise InputError(f"{path}: the table has no rows: a roster needs a target.")
    return _check(path, found)


def _holds_targets(value: Any) -> bool:
    """Whether a value of a file is a roster: a mapping of mappings, which no target is."""
    if not isinstance(value, dict) or not value:
        return False
    inner = {key: one for key, one in value.items() if key != "profile"}
    return bool(inner) and all(isinstance(one, dict) for one in inner.values())


def _check(path: str, content: Any) -> dict[str, Target]:
    try:
        return _ROSTER.validate_python(content)
    except ValidationError as error:
        raise InputError(f"{path}: {describe_mistakes(error, content)}.") from error


def _rows(table: "Table", columns: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Rows of a table as a configuration has them."""
    taken = {
        key: _values(table[name], key)
        for key, name in columns.items()
        if key in _KEYS or table[name].dtype.kind in "fiu"
    }
    for number in range(len(table)):
        row = {key: values[number] for key, values in taken.items()}
        yield {key: value for key, value in row.items() if _is_given(value)}


def _values(column: Any, key: str) -> list[Any]:
    if key in _ANGLES and getattr(column, "unit", None) is not None:
        column = column.to("deg") if hasattr(column, "to") else column
    values = np.ma.asarray(getattr(column, "value", column))
    if values.ndim != 1:
        return [None] * len(values)
    plain = [None if one is np.ma.masked else one for one in values]
    if values.dtype.kind in "fiu":
        return [None if one is None else float(one) for one in plain]
    texts = (one.decode() if isinstance(one, bytes) else one for one in plain)
    return [None if one is None else str(one).strip() for one in texts]


def _is_given(value: Any) -> bool:
    return value is not None and value != "" and value == value


def check_roster_file(roster: str, path: str) -> None:
    """Refuse a file of a roster that is not there.

    Raises
    ------
    InputError
        If so.
    """
    if not Path(path).is_file():
        raise InputError(
            f"targets.rosters.{roster}: {path}: no such file; give a YAML file or table."
        )
