"""A time interval of a configuration."""

from typing import Annotated

from pydantic import AfterValidator, Field


def _check_interval(interval: tuple[float, float]) -> tuple[float, float]:
    if not interval[0] < interval[1]:
        raise ValueError(f"{list(interval)}: the start must lie before the end")
    return interval


Interval = Annotated[
    tuple[
        Annotated[float, Field(allow_inf_nan=False)], Annotated[float, Field(allow_inf_nan=False)]
    ],
    AfterValidator(_check_interval),
]
"""Start and end [UNIX s]."""
