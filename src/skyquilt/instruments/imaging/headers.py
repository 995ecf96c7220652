"""Frames and units: from the header, else from the analysis, and never one against the other."""

import re

from skyquilt.config.units import convert_unit
from skyquilt.errors import ConfigError, InputError
from skyquilt.io.fits_frame import read_frame

_COUNTS = re.compile(
    r"(1?|dimensionless|(count|ct|ph|photon|event)s?(\s*/\s*(pix|pixel|bin)|\s+(pix|pixel|bin)-1)?)",
    re.IGNORECASE,
)


def choose_frame(path: str, stated: str | None, section: str, given: str | None) -> str:
    """Frame of the pixels of a file.

    Parameters
    ----------
    path : str
        The file, for messages.
    stated : str or None
        COORDSYS of its header.
    section : str
        Section of the analysis that names the file, as "data.exposure".
    given : str or None
        Frame in that section.

    Returns
    -------
    {"galactic", "icrs"}
        The frame.

    Raises
    ------
    ConfigError
        If neither header nor section says, or they contradict each other.
    InputError
        If the header names a frame that is not known.
    """
    try:
        found = read_frame(stated)
    except ValueError as error:
        raise InputError(f"{path}: {error}.") from error
    if found is None:
        if given is None:
            raise ConfigError(
                f"{path}: its header has no COORDSYS, so the frame of its pixels is not known: "
                f"say `frame: galactic` or `frame: icrs` under {section}."
            )
        return given
    if given not in (None, found):
        raise ConfigError(
            f"{path}: its header says COORDSYS {stated!r}, {found}, but {section} says `frame: "
            f"{given}`: remove that, or mend the header."
        )
    return found


def unit_factor(
    path: str, what: str, stated: str | None, key: str, given: str | None, target: str
) -> float:
    """Factor from the unit of a quantity in a file to another unit.

    Parameters
    ----------
    path : str
        The file, for messages.
    what : str
        The quantity, for messages, as "the energies".
    stated : str or None
        Unit in the header.
    key : str
        Key of the analysis that gives it else, as "data.exposure.energy_unit".
    given : str or None
        Value of that key.
    target : str
        Unit wanted.

    Raises
    ------
    ConfigError
        If neither header nor key says, or they contradict each other.
    InputError
        If the header's unit is of another kind.
    """
    if stated is None:
        if given is None:
            raise ConfigError(
                f"{path}: its header has no unit for {what}: say it as `{key.rpartition('.')[2]}: "
                f"{target}`, or another unit of that kind, under {key.rpartition('.')[0]}."
            )
        return convert_unit(given, target)
    try:
        factor = convert_unit(stated, target)
    except ValueError as error:
        raise InputError(
            f"{path}: {what} are in {stated!r}, which is not convertible to {target}."
        ) from error
    if given is not None and abs(convert_unit(given, target) / factor - 1) > 1e-9:
        raise ConfigError(
            f"{path}: its header says that {what} are in {stated!r}, but {key} says {given!r}: "
            "remove that, or mend the header."
        )
    return factor


def is_counts(unit: str | None) -> bool:
    """Whether a unit in a header can be that of counts; many headers have none for them.

    Examples
    --------
    >>> [is_counts(unit) for unit in (None, "counts", "ct / pix", "ph s-1")]
    [True, True, True, False]
    """
    return _COUNTS.fullmatch((unit or "").strip()) is not None


def check_counts(path: str, unit: str | None) -> None:
    """Refuse values that are no counts.

    Raises
    ------
    InputError
        If the header has another unit for them.
    """
    if not is_counts(unit):
        raise InputError(
            f"{path}: its values are in {unit!r}; counts are needed: multiply a rate or an "
            "intensity by time, exposure, solid angle and width of the band, or mend the header."
        )
