"""Changes of single settings, as the command line gives them: `KEY=VALUE`."""

from collections.abc import Sequence
from typing import Any

import yaml

from skyquilt.config.interval import to_unix
from skyquilt.config.run import Config
from skyquilt.errors import ConfigError

Change = str | tuple[tuple[str, ...], Any]
"""`KEY=VALUE` of the command line, or keys from the top and a value."""


def change_settings(settings: Any, changes: Sequence[Change], name: str | None = None) -> Any:
    """Settings with changes; what is not changed is shared.

    Parameters
    ----------
    settings : dict
        Nested settings as YAML has them.
    changes : sequence of str or tuple
        Each `KEY=VALUE`, or keys from the top and a value. Keys of a text have points between
        them, and numbers from 0 for the entries of a list; its value is YAML. One that does not
        begin with a key of the whole configuration is one of an analysis.
    name : str, optional
        Analysis whose keys are changed; all of them if left out.

    Returns
    -------
    dict
        The changed settings; they are not checked.

    Raises
    ------
    ConfigError
        If a change is no `KEY=VALUE`, its value is no YAML, or its key leads through a value.

    Examples
    --------
    >>> settings = {"analyses": {"a": {"map": {"nside": 8}}, "b": {}}}
    >>> change_settings(settings, ["map.nside=16", "results=here"], "a")
    {'analyses': {'a': {'map': {'nside': 16}}, 'b': {}}, 'results': 'here'}
    """
    for change in changes:
        if not isinstance(change, str):
            settings = _with(settings, list(change[0]), change[1], ".".join(change[0]))
            continue
        key, sign, text = change.partition("=")
        words = key.strip().split(".")
        if not sign or not all(words):
            raise ConfigError(f"--set {change}: give KEY=VALUE, as in map.nside=32.")
        try:
            value = yaml.safe_load(text)
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            raise ConfigError(f"--set {change}: the value is no YAML.") from error
        for path in _paths(settings, words, name):
            settings = _with(settings, path, value, change)
    return settings


def _paths(settings: Any, words: list[str], name: str | None) -> list[list[str]]:
    """Keys from the top; those of an analysis, for each analysis that is meant."""
    if words[0] in Config.model_fields:
        return [words]
    analyses = settings.get("analyses") if isinstance(settings, dict) else None
    names = [name] if name is not None else list(analyses) if isinstance(analyses, dict) else []
    return [["analyses", one, *words] for one in names]


def _with(settings: Any, path: list[str], value: Any, change: str) -> Any:
    """A copy in which one value is another."""
    if not path:
        return value
    first, *rest = path
    if isinstance(settings, list):
        if not first.isdecimal() or int(first) >= len(settings):
            raise ConfigError(
                f"--set {change}: {first!r} stands where a list has {len(settings)} entries: give "
                "the number of one, from 0."
            )
        number = int(first)
        changed = _with(settings[number], rest, value, change)
        return [*settings[:number], changed, *settings[number + 1 :]]
    if settings is not None and not isinstance(settings, dict):
        raise ConfigError(f"--set {change}: {first!r} leads into {settings!r}, which has no keys.")
    return {**(settings or {}), first: _with((settings or {}).get(first), rest, value, change)}


def interval_changes(
    config: Config, names: Sequence[str], start: str | None, stop: str | None
) -> list[Change]:
    """Changes that give analyses another `data.interval`.

    Parameters
    ----------
    config : Config
        The configuration as it is.
    names : sequence of str
        Analyses.
    start, stop : str or None
        Date and time in UTC, or UNIX s; None keeps that of the analysis.

    Raises
    ------
    ConfigError
        If a time is none, one of the two is not known, or the data have no interval.
    """
    changes: list[Change] = []
    for name in names:
        data = config.analyses[name].data
        if data is None or "interval" not in type(data).model_fields:
            raise ConfigError(
                f"analysis {name}: --tstart and --tstop change `data.interval`, which "
                f"{'each data set has for itself' if data is None else 'these data do not have'}; "
                "use --set."
            )
        first, last = getattr(data, "interval", None) or (None, None)
        times = [_time("--tstart", start, first), _time("--tstop", stop, last)]
        changes.append((("analyses", name, "data", "interval"), times))
    return changes


def _time(option: str, given: str | None, old: float | None) -> float:
    if given is None and old is None:
        raise ConfigError(f"{option} is missing: the analysis has no `data.interval` of its own.")
    try:
        return float(to_unix(old if given is None else given))
    except ValueError as error:
        raise ConfigError(f"{option}: {error}.") from error
