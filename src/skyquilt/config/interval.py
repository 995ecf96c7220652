"""A time interval of a configuration."""

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field


def to_unix(time: Any) -> Any:
    """UNIX time of a date and time in UTC; anything else stays as it is.

    Parameters
    ----------
    time : str, datetime or float
        Date and time in ISO 8601, in UTC where it names no zone, or UNIX s.

    Returns
    -------
    float
        UNIX s.

    Raises
    ------
    ValueError
        If it is a text, and neither a number nor a time.

    Examples
    --------
    >>> to_unix("2028-03-01T01:00:10"), to_unix("2028-03-01 01:00:10.5Z"), to_unix(5.0)
    (1835485210.0, 1835485210.5, 5.0)
    """
    if isinstance(time, str):
        try:
            return float(time)
        except ValueError:
            pass
        try:
            time = datetime.fromisoformat(time.strip())
        except ValueError as error:
            raise ValueError(
                f"{time!r} is no time: give UNIX s, or date and time in UTC, as in "
                "'2028-03-01T01:00:10'"
            ) from error
    if isinstance(time, datetime):  # YAML makes one of a time without quotation marks
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
    return time


def _check_interval(interval: tuple[float, float]) -> tuple[float, float]:
    if not interval[0] < interval[1]:
        raise ValueError(f"{list(interval)}: the start must lie before the end")
    return interval


_Time = Annotated[float, BeforeValidator(to_unix), Field(allow_inf_nan=False)]

Interval = Annotated[tuple[_Time, _Time], AfterValidator(_check_interval)]
"""Start and end [UNIX s], or date and time in UTC."""
