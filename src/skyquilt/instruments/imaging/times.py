"""When the counts of a file were taken."""

import numpy as np

from skyquilt.errors import InputError
from skyquilt.instruments.imaging.fits_file import open_fits, read_column


def read_time_span(path: str) -> tuple[float, float] | None:
    """Start of the first and end of the last good time interval of a file [UNIX s].

    Returns None where the file has no table GTI, or this does not say when its clock began
    (MJDREF, or MJDREFI and MJDREFF) and what it counts (TIMESYS; UTC without it).

    Raises
    ------
    InputError
        If the table has no columns START and STOP, or no times.
    """
    from astropy.time import Time, TimeDelta

    with open_fits(path) as file:
        if "GTI" not in file or not len(file["GTI"].data):
            return None
        table = file["GTI"]
        header = table.header
        if "MJDREF" not in header and "MJDREFI" not in header:
            return None
        start, stop = (read_column(table, path, name) for name in ("START", "STOP"))
        if not np.all(np.isfinite(start) & np.isfinite(stop)):
            raise InputError(f"{path}: table GTI has times that are not finite.")
        day = float(header.get("MJDREFI", header.get("MJDREF", 0.0)))
        scale = str(header.get("TIMESYS", "UTC")).lower()
        if scale not in Time.SCALES:
            raise InputError(
                f"{path}: table GTI has TIMESYS {scale.upper()!r}; known are "
                f"{', '.join(sorted(Time.SCALES)).upper()}."
            )
        zero = Time(day, float(header.get("MJDREFF", 0.0)), format="mjd", scale=scale)
        ends = zero + TimeDelta([start.min(), stop.max()], format="sec")
        return float(ends[0].unix), float(ends[1].unix)
