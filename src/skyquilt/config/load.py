"""Read a configuration file; a mistake becomes one message with the key's path."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from skyquilt.config.analysis import Analysis
from skyquilt.config.changes import Change, change_settings
from skyquilt.config.for_each import expand_analyses
from skyquilt.config.messages import describe_mistakes, shorten
from skyquilt.config.run import Config
from skyquilt.config.yaml_file import read_yaml
from skyquilt.errors import ConfigError

_VARIABLE = re.compile(r"\$\{(\w+)(?::-([^}]*))?\}")


def load_config(
    path: str | Path, changes: Sequence[Change] = (), name: str | None = None
) -> Config:
    """Read and check a configuration file.

    Parameters
    ----------
    path : str or Path
        YAML file. ``${NAME}`` and ``${NAME:-default}`` are replaced from the environment.
    changes : sequence of str or tuple, optional
        Changes, see `change_settings`.
    name : str, optional
        Analysis that they are of; all of them if left out.

    Returns
    -------
    Config
        The configuration with all defaults filled in.

    Raises
    ------
    ConfigError
        If the file cannot be read, is no YAML, or has unknown, missing or wrong values; the
        message names each key by its path.
    """
    settings, one_job = expand_analyses(read_yaml(path), str(path))
    return _parse(change_settings(settings, changes, name), str(path), one_job)


def merge_settings(paths: Sequence[str | Path], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of several YAML files, later ones over earlier ones, with changes over all.

    Sections are merged key by key, everything else is replaced.

    Raises
    ------
    ConfigError
        If a file cannot be read as YAML, or has no keys at its top.
    """
    merged: dict[str, Any] = {}
    for path in paths:
        settings = read_yaml(path)
        _check_mapping(settings, str(path))
        _merge(merged, settings)
    _merge(merged, changes)
    return merged


def _merge(into: dict[str, Any], settings: Mapping[str, Any]) -> None:
    for key, value in settings.items():
        if isinstance(value, Mapping) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = dict(value) if isinstance(value, Mapping) else value


def parse_config(settings: Any, source: str = "configuration") -> Config:
    """Check settings that were read from YAML.

    Parameters
    ----------
    settings : dict
        Nested settings.
    source : str, optional
        Where they come from, for messages.

    Returns
    -------
    Config
        The configuration; analyses with `for_each` have become those of its rows.

    Raises
    ------
    ConfigError
        If there are unknown, missing or wrong values, each named by its path.
    """
    expanded, one_job = expand_analyses(settings, source)
    return _parse(expanded, source, one_job)


def _parse(settings: Any, source: str, one_job: Mapping[str, bool | Literal["auto"]]) -> Config:
    _check_mapping(settings, source)
    try:
        config = Config.model_validate(_expand(settings, source))
    except RecursionError as error:
        raise ConfigError(
            f"{source}: an anchor (`&name`) that contains itself has no end."
        ) from error
    except ValidationError as error:
        raise ConfigError(f"{source}: {describe_mistakes(error, settings)}.") from error
    if location := next(_misread_truths(settings, config), None):
        raise ConfigError(f"{source}: {location}: true and false are no values here.")
    config.set_one_job(one_job)
    return config


def _misread_truths(settings: Any, value: Any, *location: str) -> Iterator[str]:
    """Keys whose true or false was read as 1 or 0, which Python takes them for."""
    if isinstance(settings, bool) and not isinstance(value, bool):
        yield ".".join(location)
    elif isinstance(settings, dict):
        for key, item in settings.items():
            inner = value[key] if isinstance(value, dict) else getattr(value, str(key))
            yield from _misread_truths(item, inner, *location, str(key))
    elif isinstance(settings, list):
        for number, (item, inner) in enumerate(zip(settings, value, strict=True)):
            yield from _misread_truths(item, inner, *location, str(number))


def get_analysis(config: Config, name: str) -> Analysis:
    """Analysis of a configuration by name.

    Raises
    ------
    ConfigError
        If there is none of that name.
    """
    if name not in config.analyses:
        raise ConfigError(f"no analysis {name!r}; there are: {', '.join(config.analyses)}.")
    return config.analyses[name]


def _check_mapping(settings: Any, source: str) -> None:
    if not isinstance(settings, dict):
        raise ConfigError(
            f"{source}: expected a mapping with the key `analyses`, got {shorten(settings)}."
        )


def _expand(value: Any, source: str) -> Any:
    """Replace environment variables in all texts of nested settings."""
    if isinstance(value, dict):
        return {key: _expand(item, source) for key, item in value.items()}
    if isinstance(value, list):
        return [_expand(item, source) for item in value]
    if isinstance(value, str):
        return _VARIABLE.sub(lambda match: _variable(match, source), value)
    return value


def _variable(match: re.Match, source: str) -> str:
    name, default = match.groups()
    value = os.environ.get(name) or default
    if value is None:
        raise ConfigError(
            f"{source}: {match.group()} is used, but the environment variable {name} is not set "
            f"or empty; set it, or write ${{{name}:-default}}."
        )
    return value
