"""A background that is one section, or several components by name, each a section of that kind."""

from collections.abc import Iterator, Mapping
from os.path import normpath
from typing import Any, TypeVar

from pydantic import AfterValidator, BeforeValidator, Discriminator, Tag

from skyquilt.config.base import Section

S = TypeVar("S", bound=Section)

ONE, NAMED = Tag("one background"), Tag("named backgrounds")
"""Kinds of a background; a mapping in which any value is one itself is of names."""


def names_no(section: type[Section]) -> BeforeValidator:
    """Of the type of components by name: keys of one background are no names."""
    keys = tuple(section.model_fields)

    def check(settings: Any) -> Any:
        clashes = [str(name) for name in settings if name in keys]
        if clashes:
            raise ValueError(
                f"`{clashes[0]}` is a key of one background and no name of a component: give the "
                f"keys of one background ({', '.join(keys)}), or components of other names that "
                "each have them"
            )
        return settings

    return BeforeValidator(check)


def by_name(background: S | Mapping[str, S]) -> dict[str, S]:
    """Components by name; the only one of a background that is one section has the name ""."""
    return {"": background} if isinstance(background, Section) else dict(background)


def background_key(name: str) -> str:
    """Where a component stands in an analysis, for messages.

    Examples
    --------
    >>> background_key(""), background_key("galactic")
    ('data.background', 'data.background.galactic')
    """
    return f"data.background.{name}" if name else "data.background"


def _kind(settings: Any) -> str:
    is_named = isinstance(settings, dict) and any(
        isinstance(value, dict | Section) for value in settings.values()
    )
    return (NAMED if is_named else ONE).tag


def _check_once(components: dict[str, Section]) -> dict[str, Section]:
    """Refuse no components, and two that are the same counts of the same file."""
    seen: dict[tuple, str] = {}
    for name, (path, key) in zip(components, _sources(components.values()), strict=True):
        if key in seen:
            what = "the background of the file itself" if path is None else repr(path)
            raise ValueError(
                f"components {seen[key]} and {name} are both {what}: its counts would be added "
                "twice"
            )
        seen[key] = name
    return components


def _sources(sections: Any) -> Iterator[tuple[str | None, tuple]]:
    """Path of each, and what tells it from others of that path."""
    for section in sections:
        path = section.path
        yield path, (path and normpath(path), getattr(section, "interval", None))


one_or_named = Discriminator(_kind)
"""Of the type of a background that is one section, or several by name."""

components_once = AfterValidator(_check_once)
"""Of the type of components by name: no two are the same counts."""
