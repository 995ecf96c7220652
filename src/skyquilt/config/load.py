"""Read a configuration file; a mistake becomes one message with the key's path."""

import os
import re
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from skyquilt.config.analysis import Analysis
from skyquilt.config.messages import describe_mistakes
from skyquilt.config.run import Config
from skyquilt.errors import ConfigError

_VARIABLE = re.compile(r"\$\{(\w+)(?::-([^}]*))?\}")


class _UniqueKeys(yaml.SafeLoader):
    """YAML's safe loader, in which a key given twice is an error instead of the last one."""

    def construct_mapping(self, node, deep=False):
        seen = set()
        for key, _ in node.value:
            if key.value in seen and key.tag != "tag:yaml.org,2002:merge":
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key.value!r} is given twice", key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def load_config(path: str | Path) -> Config:
    """Read and check a configuration file.

    Parameters
    ----------
    path : str or Path
        YAML file. ``${NAME}`` and ``${NAME:-default}`` are replaced from the environment.

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
    try:
        settings = yaml.load(Path(path).read_text(encoding="utf-8"), Loader=_UniqueKeys)
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be read ({error.strerror}); give a YAML file, as config/demo.yaml."
        ) from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            f"{path}: cannot be read as YAML: line {line} is no UTF-8: save the file as UTF-8."
        ) from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: cannot be read as YAML: {_describe(error)}.") from error
    return parse_config(settings, source=str(path))


def parse_config(settings: Any, source: str = "configuration") -> Config:
    """Check settings that were read from YAML.

    Parameters
    ----------
    settings : dict
        Nested settings.
    source : str, optional
        Where they come from, for messages.

    Raises
    ------
    ConfigError
        If there are unknown, missing or wrong values, each named by its path.
    """
    if not isinstance(settings, dict):
        raise ConfigError(
            f"{source}: expected a mapping with the key `analyses`, got {settings!r}."
        )
    try:
        return Config.model_validate(_expand(settings, source))
    except RecursionError as error:
        raise ConfigError(
            f"{source}: an anchor (`&name`) that contains itself has no end."
        ) from error
    except ValidationError as error:
        raise ConfigError(f"{source}: {describe_mistakes(error, settings)}.") from error


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


def _describe(error: yaml.YAMLError) -> str:
    """What the reader of YAML stumbled over, and where."""
    mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
    if mark is None or problem is None:
        return str(error).partition(' in "<unicode string>"')[0]
    hint = "; indent with blanks" if "\\t" in problem else ""
    return f"line {mark.line + 1}, column {mark.column + 1}: {problem}{hint}"


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
