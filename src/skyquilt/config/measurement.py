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
from skyquilt.config.dl3 import Dl3Data
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
        return _kind_of_images(data.settings) if data.instrument == "imaging" else data.instrument
    return "compton" if isinstance(data, ComptonData) else _kind_of_images(data)


def _kind_of_images(settings: Any) -> str:
    """Kind of the data of an imaging instrument, by their keys."""
    if isinstance(settings, ImagingFile) or (isinstance(settings, dict) and "file" in settings):
        return "imaging_file"
    if isinstance(settings, Dl3Data):
        return "imaging_dl3"
    if not isinstance(settings, dict) or "events" not in settings:
        return "imaging"
    is_of_files = {"counts", "exposure", "psf"} & settings.keys()
    return "imaging" if is_of_files else "imaging_dl3"


_unlabel = BeforeValidator(lambda labelled: labelled.settings)

Data = Annotated[
    Annotated[ComptonData, _unlabel, Tag("compton")]
    | Annotated[ImagingData, _unlabel, Tag("imaging")]
    | Annotated[ImagingFile, _unlabel, Tag("imaging_file")]
    | Annotated[Dl3Data, _unlabel, Tag("imaging_dl3")],
    Discriminator(_kind),
    WrapValidator(_label),
]
"""Type of the field `data` of a section; its field `instrument` stands before it."""
