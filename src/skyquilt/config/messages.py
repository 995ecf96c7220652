"""What is wrong with a configuration, in the words of its user instead of pydantic's."""

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from itertools import islice
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from skyquilt.config.base import Section

_SHOWN = 200  # letters of a value
_NAMED = 30  # mistakes

_KINDS = {
    "tuple_type": "must be a list, as in [1, 2]",
    "list_type": "must be a list, as in [1, 2]",
    "dict_type": "must be keys with values",
    "model_type": "must be keys with values",
    "model_attributes_type": "must be keys with values",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "int_parsing": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "string_type": "must be a text",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "greater_than": "must be above {gt:g}",
    "greater_than_equal": "must be {ge:g} or more",
    "less_than": "must be below {lt:g}",
    "less_than_equal": "must be {le:g} or less",
    "too_short": "must have {min_length} or more entries",
    "too_long": "must have {max_length} entries at most",
    "string_too_long": "must have {max_length} letters at most",
    "literal_error": "must be {expected}",
    "string_pattern_mismatch": (
        "allowed are letters from a to z, digits and . _ -, with a letter or digit first"
    ),
    "union_tag_invalid": "{tag!r} is no {discriminator}; there are {expected_tags}",
    "union_tag_not_found": "{discriminator} is missing",
}
"""By pydantic's type of a mistake; names in braces are its details."""


def describe_mistakes(error: ValidationError, settings: Any) -> str:
    """All mistakes of a configuration as `key.path: what is wrong (got value)`, each once.

    Parameters
    ----------
    error : ValidationError
        What pydantic found.
    settings : dict
        What was checked.
    """
    found: dict[tuple[str, str], list[str]] = {}
    for detail in error.errors(include_url=False):
        if not _follows_from_others(detail):
            message, value = _describe(detail)
            found.setdefault((".".join(_keys(detail, settings)), value), []).append(message)
    texts = {
        (location, f"{', or '.join(dict.fromkeys(messages))}{value}"): None
        for (location, value), messages in found.items()
    }
    locations = _say_once(texts)
    lines = [
        f"{location}{': ' if location else ''}{text}"
        for location, text in islice(locations, _NAMED)
    ]
    more = [f"and {len(locations) - _NAMED} more mistakes"] if len(locations) > _NAMED else []
    return "; ".join(lines + more)


def _say_once(texts: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Locations and what is wrong there; what several analyses share, at the first of them."""
    shared: dict[tuple[str, str], list[str]] = {}
    for location, text in texts:
        section, _, rest = location.partition(".")
        key = rest.partition(".")[2] if section == "analyses" else ""
        shared.setdefault((f"analyses.*.{key}" if key else location, text), []).append(location)
    return [(_with_others(locations), text) for (_, text), locations in shared.items()]


def _with_others(locations: list[str]) -> str:
    n = len(locations) - 1
    others = "analyses" if n > 1 else "analysis"
    return f"{locations[0]} (and in {n} other {others})" if n else locations[0]


def shorten(value: Any) -> str:
    """A value as it would be written, of some hundred letters at most.

    Examples
    --------
    >>> shorten([1, 2]), len(shorten(list(range(100000))))
    ('[1, 2]', 203)
    """
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _describe(detail: ErrorDetails) -> tuple[str, str]:
    """What is wrong at one location, and the value there, if that is not told already."""
    if detail["type"] == "extra_forbidden":
        key, known = str(detail["loc"][-1]), _known_keys()
        near = [] if key in known else get_close_matches(key, sorted(known), 1)
        meant = f"; is `{near[0]}` meant?" if near else " here;"
        return f"unknown key{meant} see config/config.schema.yaml for those that exist", ""
    if detail["type"] == "missing":
        return "missing", ""
    value, message = detail["input"], detail["msg"].removeprefix("Value error, ")
    is_shown = not isinstance(value, dict) and repr(value) not in message
    if detail["type"] in _KINDS:
        message = _KINDS[detail["type"]].format(**_plain(detail.get("ctx", {})))
        is_shown = not isinstance(value, dict)
    message = message.replace(repr(value), shorten(value))
    return message, f" (got {shorten(value)})" if is_shown else ""


def _plain(details: dict[str, Any]) -> dict[str, Any]:
    """Details without the quotes that pydantic puts around names; a long tag is cut."""
    plain = {
        key: value[:_SHOWN] if isinstance(value, str) and key == "tag" else value
        for key, value in details.items()
    }
    if "discriminator" in plain:
        plain["discriminator"] = plain["discriminator"].strip("'")
    return plain


def _follows_from_others(detail: ErrorDetails) -> bool:
    """Whether a list is too short only because its entries are wrong, which is said as well."""
    if detail["type"] != "too_short":
        return False
    return len(detail["input"]) >= detail["ctx"]["min_length"]


def _known_keys(section: type[Section] = Section) -> set[str]:
    """Keys of a section and of all that are derived from it."""
    below = (_known_keys(derived) for derived in section.__subclasses__())
    return set(section.model_fields).union(*below)


def _keys(detail: ErrorDetails, settings: Any) -> Iterator[str]:
    """Keys of a mistake's location; pydantic puts the kinds of alternatives between them."""
    n_parts = len(detail["loc"])
    for depth, part in enumerate(detail["loc"], 1):
        try:
            settings = settings[part]
        except (KeyError, IndexError, TypeError):
            if detail["type"] != "missing" or depth < n_parts:
                continue
        yield str(part)
