"""When the counts of a file were taken."""

from skyquilt.instruments.imaging.fits_file import open_fits
from skyquilt.instruments.imaging.good_times import read_good_times


def read_time_span(path: str) -> tuple[float, float] | None:
    """Start of the first and end of the last good time interval of a file [UNIX s].

    Returns None where the file has no table GTI, or this does not say when its clock began
    (MJDREF, or MJDREFI and MJDREFF) and what it counts (TIMESYS; UTC without it).

    Raises
    ------
    InputError
        If the table has no columns START and STOP, or no times.
    """
    with open_fits(path) as file:
        if "GTI" not in file or not len(file["GTI"].data):
            return None
        return read_good_times(file["GTI"], path).span_unix()
