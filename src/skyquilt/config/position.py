"""A position on the sky, always with its frame."""

from typing import Annotated, Any

from pydantic import AfterValidator, Field, model_validator

from skyquilt.config.base import Section

_COMMON = ("galactic", "icrs")


def _check_frame(frame: str) -> str:
    """Try the frame on one position; astropy is imported only for the less common ones."""
    if frame in _COMMON:
        return frame
    from astropy.coordinates import SkyCoord

    try:
        _ = SkyCoord(0, 0, unit="deg", frame=frame).icrs
    except Exception as error:  # of many kinds, depending on what the frame lacks
        raise ValueError(
            f"{frame!r} is no frame for a position on the sky: use galactic, icrs, or another "
            "astropy frame that needs no time, place or distance, as fk5"
        ) from error
    return frame


Frame = Annotated[str, AfterValidator(_check_frame)]
"""Frame of a position, by its astropy name."""


class Position(Section):
    """Direction on the sky."""

    lon: Annotated[float, Field(ge=-180, le=360)]
    """Longitude or right ascension [deg]."""
    lat: Annotated[float, Field(ge=-90, le=90)]
    """Latitude or declination [deg]."""
    frame: Frame
    """Frame of `lon` and `lat`, by its astropy name; there is no default."""

    @model_validator(mode="before")
    @classmethod
    def _require_frame(cls, settings: Any) -> Any:
        if isinstance(settings, dict) and settings.get("frame") is None:
            raise ValueError(
                "the position has no frame: add `frame: galactic`, `frame: icrs` or another "
                "astropy frame"
            )
        return settings
