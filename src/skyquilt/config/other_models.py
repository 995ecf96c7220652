"""Spectra, shapes and light curves of other packages, found by their name.

An installed package names its own in the group `skyquilt.models` of its entry points; no
configuration names a path. What an entry point holds has a class of options, and
`skyquilt.model.functions` knows what it does.
"""

from collections.abc import Callable
from functools import cache
from importlib.metadata import entry_points
from typing import Any

from pydantic import BaseModel, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

GROUP = "skyquilt.models"
"""Group of entry points."""


@cache
def other_model(name: str) -> Any:
    """What another package has under a name; None if there is no such entry point.

    Raises
    ------
    ValueError
        If it cannot be imported, or two packages have one of this name.
    """
    found = tuple(entry_points(group=GROUP, name=name))
    if len(found) > 1:
        raise ValueError(f"{name!r}: {len(found)} entry points of {GROUP} have this name")
    try:
        return found[0].load() if found else None
    except (ImportError, AttributeError) as error:
        raise ValueError(
            f"{name!r}: its entry point {found[0].value} cannot be loaded: {error}"
        ) from error


class OrOther:
    """Of the type of a union of classes of options: those of other packages, too.

    Parameters
    ----------
    key : {"model", "light_curve"}
        Key that names the function.
    base : type
        Class that options derive from.
    """

    def __init__(self, key: str, base: type[BaseModel]) -> None:
        self._key, self._base = key, base

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        own = handler(source)
        serializer = core_schema.wrap_serializer_function_ser_schema(_write, info_arg=True)
        return core_schema.no_info_wrap_validator_function(
            self._read, own, serialization=serializer
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return handler(schema["schema"])

    def _read(self, settings: Any, own: Callable[[Any], Any]) -> Any:
        if isinstance(settings, self._base):
            return settings
        name = settings.get(self._key) if isinstance(settings, dict) else None
        other = other_model(name) if isinstance(name, str) else None
        options = getattr(other, "options", None)
        if not (isinstance(options, type) and issubclass(options, self._base)):
            return own(settings)
        return options.model_validate(settings)


def _write(value: Any, own: Callable[[Any], Any], info: Any) -> Any:
    is_other = isinstance(value, BaseModel) and not type(value).__module__.startswith("skyquilt.")
    return value.model_dump(mode=info.mode) if is_other else own(value)
