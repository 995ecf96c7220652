"""One analysis over the rows of a table, lists, or files: expanded as if each were written out."""

import csv
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from glob import glob
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, model_validator

from skyquilt.config.base import Section
from skyquilt.config.messages import describe_mistakes, shorten
from skyquilt.config.paths import InputPath
from skyquilt.errors import ConfigError

KEY = "for_each"
MAX_ROWS = 100_000
"""Most analyses of one `for_each`."""

_MAX_BYTES = 100_000_000  # of a table
_MAX_LINE = 100_000  # letters; readers of CSV have a limit, too
_MAX_LETTERS = 255  # of a path in a message
_NAMED = 30  # columns in a message
_WIDE = re.compile(r"\d{4}")  # more letters in a format than any name has
_PLACEHOLDER = re.compile(r"(?<!\$)\{(\w+)(?::([^{}]*))?\}")
_NUMBER = re.compile(r"[-+]?(0|[1-9]\d*)(\.\d*)?([eE][-+]?\d+)?")

Row = Mapping[str, Any]
"""Values of a row by the names of their columns; texts as they stand in the table."""


class ForEach(Section):
    """What an analysis is repeated for: one of `table`, `lists` and `files`."""

    table: InputPath | None = None
    """CSV or ECSV file; `{NAME}` anywhere in the analysis is the value of that column."""
    lists: Annotated[dict[str, list[Any]], Field(min_length=1)] | None = None
    """Values by name, lists of one length, instead of a table."""
    files: str | None = None
    """Files, as `triggers/*.fits`, instead of a table: `{path}` and `{stem}` are theirs."""
    name: str | None = None
    """Name of each analysis; the column `name` by default, or else `{stem}` or
    `{analysis}-{number}`, which are the name of this one and the number of the row from 1."""
    one_job: bool | Literal["auto"] = "auto"
    """Whether the workflow makes each analysis in one job by `skyquilt run`, without figures and
    page; `auto` is for maps of up to nside 64 without simulated skies."""

    @model_validator(mode="after")
    def _check_source(self):
        given = [key for key in ("table", "lists", "files") if getattr(self, key) is not None]
        if len(given) != 1:
            raise ValueError("give one of `table`, `lists` and `files`")
        return self

    def rows(self) -> list[Row]:
        """Values of each analysis by the names of their columns.

        Raises
        ------
        ConfigError
            If the table cannot be read or has no rows, or lists are not of one length.
        """
        if self.table is not None:
            return _read_table(self.table)
        if self.files is not None:
            found = sorted(glob(self.files, recursive=True))
            return [{"path": path, "stem": Path(path).stem} for path in found]
        assert self.lists is not None
        lengths = {name: len(values) for name, values in self.lists.items()}
        if len(set(lengths.values())) > 1:
            raise ConfigError(f"lists: of {lengths} values: give lists of one length.")
        return [
            dict(zip(self.lists, values, strict=True))
            for values in zip(*self.lists.values(), strict=True)
        ]

    def template(self, columns: Sequence[str]) -> str:
        """Name of an analysis with placeholders."""
        if self.name is not None:
            return self.name
        if "name" in columns:
            return "{name:s}"
        return "{stem:s}" if self.files is not None else "{analysis}-{number}"


def expand_analyses(settings: Any, source: str) -> tuple[Any, dict[str, bool | Literal["auto"]]]:
    """Settings in which each analysis with `for_each` has become one for each of its rows.

    Parameters
    ----------
    settings : dict
        Nested settings as YAML has them.
    source : str
        Where they come from, for messages.

    Returns
    -------
    settings : dict
        The same without `for_each`; others are shared with the given ones.
    one_job : dict of str to bool or "auto"
        `one_job` of each analysis that comes of a `for_each`, by its name.

    Raises
    ------
    ConfigError
        If a table cannot be read, a placeholder has no column, or two analyses have one name.
    """
    analyses = settings.get("analyses") if isinstance(settings, dict) else None
    if not isinstance(analyses, dict) or not any(map(_is_repeated, analyses.values())):
        return settings, {}
    expanded: dict[str, Any] = {}
    one_job: dict[str, bool | Literal["auto"]] = {}
    for name, analysis in analyses.items():
        where = f"{source}: analyses.{name}.{KEY}"
        if not _is_repeated(analysis):
            _put(expanded, str(name), analysis, where)
            continue
        options = _parse(analysis[KEY], where)
        rest = {key: value for key, value in analysis.items() if key != KEY}
        for own, values in _expand(str(name), rest, options, where):
            _put(expanded, own, values, where)
            one_job[own] = options.one_job
    return {**settings, "analyses": expanded}, one_job


def _is_repeated(analysis: Any) -> bool:
    return isinstance(analysis, dict) and KEY in analysis


def _parse(options: Any, where: str) -> ForEach:
    try:
        return ForEach.model_validate(options)
    except ValidationError as error:
        raise ConfigError(f"{where}: {describe_mistakes(error, options)}.") from error


def _put(expanded: dict[str, Any], name: str, analysis: Any, where: str) -> None:
    if name in expanded:
        raise ConfigError(
            f"{where}: two analyses are called {name!r}: give `name` with columns that tell them "
            "apart."
        )
    expanded[name] = analysis


def _expand(
    name: str, analysis: dict[str, Any], options: ForEach, where: str
) -> Iterator[tuple[str, Any]]:
    """Name and settings of each analysis."""
    try:
        rows = options.rows()
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from error
    if not 1 <= len(rows) <= MAX_ROWS:
        raise ConfigError(f"{where}: {len(rows)} rows: allowed are 1 to {MAX_ROWS}.")
    template = options.template(list(rows[0]))
    for number, row in enumerate(rows, 1):
        values = {**row, "analysis": name, "number": str(number)}
        at = f"{where}, row {number}"
        yield str(_fill_text(template, values, at)), _fill(analysis, values, at)


def _fill(value: Any, row: Row, where: str) -> Any:
    """A value with the placeholders in it, and in what it holds, replaced."""
    if isinstance(value, dict):
        if (column := _unquoted(value)) in row:
            return _fill_text(f"{{{column}}}", row, where)
        return {_fill_key(key, row, where): _fill(item, row, where) for key, item in value.items()}
    if isinstance(value, list):
        return [_fill(item, row, where) for item in value]
    return _fill_text(value, row, where) if isinstance(value, str) else value


def _fill_key(key: Any, row: Row, where: str) -> Any:
    return str(_fill_text(key, row, where)) if isinstance(key, str) else key


def _unquoted(value: dict[Any, Any]) -> Any:
    """Column of a placeholder without quotes, which YAML reads as a key without a value."""
    (key, inner), *others = value.items() if value else ((None, 0),)
    return key if inner is None and not others else None


def _fill_text(text: str, row: Row, where: str) -> Any:
    """A text with its placeholders replaced; one that is nothing else becomes the value itself."""
    whole = _PLACEHOLDER.fullmatch(text)
    if whole and not whole[2]:
        return _typed(_look_up(whole[1], row, where))
    return _PLACEHOLDER.sub(lambda match: _format(match, row, where), text)


def _format(match: re.Match, row: Row, where: str) -> str:
    value, spec = _look_up(match[1], row, where), match[2] or ""
    if _WIDE.search(spec):
        raise ConfigError(f"{where}: {match[0]}: allowed are widths up to 999.")
    try:
        return format(str(value) if spec in ("", "s") else _typed(value), spec)
    except (ValueError, TypeError) as error:
        raise ConfigError(f"{where}: {match[0]} does not fit {value!r}: {error}.") from error


def _look_up(column: str, row: Row, where: str) -> Any:
    if column not in row:
        known = ", ".join(islice(row, _NAMED))
        raise ConfigError(f"{where}: {{{column}}} is no column; there are: {known}.")
    value = row[column]
    if value is None or value == "":
        raise ConfigError(f"{where}: the column {column!r} has no value there.")
    return value


def _typed(value: Any) -> Any:
    """A text that is a number as number; "012" is a text, for it would lose its 0."""
    if isinstance(value, str) and (match := _NUMBER.fullmatch(value)):
        return float(value) if match[2] or match[3] else int(value)
    return value


def _read_table(path: str) -> list[Row]:
    """Rows of a CSV or ECSV file, as texts."""
    # of `os.path`, which says no where `Path` of Python 3.11 raises, as for names that are too long
    is_file, name = os.path.isfile(path), path if len(path) <= _MAX_LETTERS else shorten(path)
    size = os.path.getsize(path) if is_file else 0
    if (os.path.exists(path) and not is_file) or size > _MAX_BYTES:
        raise ConfigError(f"{name}: no file, or above {_MAX_BYTES // 10**6} MB; give a table.")
    try:
        lines = Path(path).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "no UTF-8"
        raise ConfigError(f"{name}: cannot be read ({reason}); give a CSV or ECSV file.") from error
    if long := next((at for at, line in enumerate(lines, 1) if len(line) > _MAX_LINE), None):
        raise ConfigError(f"{name}: line {long} has more than {_MAX_LINE} letters.")
    header = [line.removeprefix("#").strip() for line in lines if line.startswith("#")]
    content = [line for line in lines if line.strip() and not line.startswith("#")]
    is_ecsv = any(line.startswith("%ECSV") for line in header)
    delimiter = " " if is_ecsv and "delimiter: ','" not in header else ","
    reader = csv.reader(content, delimiter=delimiter, skipinitialspace=True)
    names, *rows = [[cell.strip() for cell in row] for row in reader] or [[]]
    if wrong := next((at for at, row in enumerate(rows, 1) if len(row) != len(names)), None):
        raise ConfigError(
            f"{name}: row {wrong} has {len(rows[wrong - 1])} values for {len(names)} columns."
        )
    if len(set(names)) < len(names) or not all(map(str.isidentifier, names)):
        raise ConfigError(
            f"{name}: columns {names}: allowed are letters, digits and _, each name once."
        )
    return [dict(zip(names, row, strict=True)) for row in rows]
