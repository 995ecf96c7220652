"""How the map is made finer where the source may be."""

from typing import Annotated, Literal

from pydantic import Field, PositiveFloat

from skyquilt.config.base import MAX_NSIDE, Section


class RefineOptions(Section):
    """Cells of refined.fits are split until the region of `localise.levels` is resolved."""

    enabled: bool = True
    """Split cells beyond the resolution of the map."""
    drop: PositiveFloat | Literal["auto"] = "auto"
    """Cells of TS above the maximum less this are split; auto follows the largest level."""
    max_order: Annotated[int, Field(ge=0, le=MAX_NSIDE.bit_length() - 1)] | Literal["auto"] = "auto"
    """Finest order (nside 2^order), 13 at most; programs that flatten the map need 12 * 4^order
    numbers. auto follows the point spread function, from 11 to 13; 11 without one."""
    chunks: bool | Literal["auto"] = "auto"
    """Fit the cells in chunks, order by order; auto: where one process took over five minutes."""
