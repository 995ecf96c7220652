"""Frame of the pixels of FITS files of others: COORDSYS in the ways that programs write it."""

FRAMES = {
    **dict.fromkeys(("G", "GAL", "GALACTIC"), "galactic"),
    **dict.fromkeys(("C", "CEL", "EQU", "ICRS", "EQUATORIAL"), "icrs"),
}
"""Frame by COORDSYS in capitals."""


def read_frame(stated: object) -> str | None:
    """Frame that a COORDSYS stands for; None where it is missing or blank.

    Raises
    ------
    ValueError
        If it is none that is known.

    Examples
    --------
    >>> read_frame("c "), read_frame("GAL"), read_frame(None)
    ('icrs', 'galactic', None)
    """
    text = "" if stated is None else str(stated).strip()
    if text and text.upper() not in FRAMES:
        raise ValueError(f"COORDSYS {stated!r} is not known: allowed are {', '.join(FRAMES)}")
    return FRAMES.get(text.upper())
