"""Instrument and data of a measurement: the instrument decides what `data` holds."""

from typing import Annotated, Any, Literal, NamedTuple

from pydantic import (
    BeforeValidator,
    Discriminator,
    Tag,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic_core import PydanticUseDefault

from skyquilt.config.data import ComptonData
from skyquilt.config.imaging import ImagingData
from skyquilt.config.imaging_file import ImagingFile

Instrument = Literal["compton", "imaging"]


class _Labelled(NamedTuple):
    """Settings of `data` on their way to the type that their instrument has."""

    instrument: str
    settings: Any


def _label(settings: Any, validate: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
    if "instrument" not in info.data:  # not known: that is said at its own place
        raise PydanticUseDefault
    return validate(_Labelled(info.data["instrument"], settings))


def _kind(data: Any) -> str:
    """Kind of settings on their way in, or of data on their way out."""
    if isinstance(data, _Labelled):
        is_file = isinstance(data.settings, dict) and "file" in data.settings
        is_file |= isinstance(data.settings, ImagingFile)
        return "imaging_file" if data.instrument == "imaging" and is_file else data.instrument
    if isinstance(data, ImagingFile):
        return "imaging_file"
    return "imaging" if isinstance(data, ImagingData) else "compton"


_unlabel = BeforeValidator(lambda labelled: labelled.settings)

Data = Annotated[
    Annotated[ComptonData, _unlabel, Tag("compton")]
    | Annotated[ImagingData, _unlabel, Tag("imaging")]
    | Annotated[ImagingFile, _unlabel, Tag("imaging_file")],
    Discriminator(_kind),
    WrapValidator(_label),
]
"""Type of the field `data` of a section; its field `instrument` stands before it."""
