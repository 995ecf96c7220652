"""Scale of the background histogram: from its time span to that of the counts."""

from typing import NamedTuple

import numpy as np

from skyquilt.config.background import background_key
from skyquilt.config.data import BackgroundModel
from skyquilt.errors import InputError
from skyquilt.instruments.compton.orientation import Orientation

Span = tuple[float, float] | None


class BackgroundScale(NamedTuple):
    """Factor on the background histogram, and where it comes from."""

    factor: float
    source: str


def scale_background(
    model: BackgroundModel,
    counts_span: Span,
    background_span: Span,
    orientation: Orientation | None,
    name: str = "",
) -> BackgroundScale:
    """Factor that scales the background histogram to the time of the counts.

    Parameters
    ----------
    model : BackgroundModel
        A fixed scale wins; its interval is the time span of a histogram without time axis.
    counts_span, background_span : tuple of float or None
        Time spans [UNIX s]; None without a time axis.
    orientation : Orientation or None
        Gives the livetimes; without it the durations are compared.
    name : str
        Name of the component, for messages.

    Raises
    ------
    InputError
        If one span is known and the other is not, or a livetime is zero.
    """
    if model.scale != "auto":
        return BackgroundScale(model.scale, "configuration")
    background_span, section = model.interval or background_span, background_key(name)
    if counts_span is None and background_span is None:
        return BackgroundScale(1.0, "no time axis: the histograms cover the same time")
    if counts_span is None or background_span is None:
        known, unknown, key = ("counts", "background", f"{section}.interval")
        if counts_span is None:
            known, unknown, key = ("background", "counts", "data.interval")
        raise InputError(
            f"{model.path}: the time span of the {known} is known, that of the {unknown} is not, "
            f"so the background cannot be scaled: give `{key}`, or `{section}.scale`."
        )
    if orientation is None:
        ratio = np.diff(counts_span)[0] / np.diff(background_span)[0]
        return BackgroundScale(float(ratio), "ratio of durations")
    counts_time = orientation.livetime_between(
        *counts_span, " of the counts (`data.interval`, or their time axis)"
    )
    background_time = orientation.livetime_between(
        *background_span,
        f" of the background (`{section}.interval`, or its time axis; `{section}.scale` needs "
        "neither)",
    )
    if not (counts_time > 0 and background_time > 0):
        raise InputError(
            f"{orientation.path}: livetime {counts_time:g} s of the counts and "
            f"{background_time:g} s of the background; both must be above 0 to scale the "
            f"background: give `{section}.scale`."
        )
    what = "durations" if orientation.livetime is None else "livetimes"
    return BackgroundScale(counts_time / background_time, f"ratio of {what}")
