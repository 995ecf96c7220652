"""Time of a galactic response, which holds the exposure of an observation, against the counts'.

Exposure differs from direction to direction, and so does the part of it that falls in an interval:
a response of one time cannot be turned into that of another. Times that differ are refused, and a
time that is not known is asked for where the counts are cut out of a longer one.
"""

import logging

from skyquilt.config.instrument_analysis import ComptonAnalysis
from skyquilt.errors import InputError
from skyquilt.instruments.compton.measurement import Measurement
from skyquilt.instruments.compton.response.model import Span

logger = logging.getLogger(__name__)

# Ends of a response's time may differ by this fraction of the counts' duration: steps of the
# orientation file it was made with.
_TOLERANCE = 0.01


def check_response_time(analysis: ComptonAnalysis, measurement: Measurement, span: Span) -> None:
    """Compare the time of a galactic response with that of the counts.

    Parameters
    ----------
    analysis : ComptonAnalysis
        The analysis; `response_interval` of its data tells the time, `response_scale` a factor.
    measurement : Measurement
        The counts.
    span : tuple of float or None
        Time of the response [UNIX s] by its file; None if it does not say.

    Raises
    ------
    InputError
        If the times differ, or that of the response is not known and the counts are cut.
    """
    data = analysis.data
    if data.frame == "local":
        return
    known = data.response_interval or span
    if data.response_scale is not None:
        logger.info("%s: response scaled by %g (configuration)", data.response, data.response_scale)
    elif known is None:
        _ask(analysis, measurement)
    elif measurement.span is not None and not _is_same(known, measurement.span):
        raise InputError(
            f"{data.response}: holds the exposure of {_text(known)}, but the counts are of "
            f"{_text(measurement.span)}: give a response made for that time, or "
            "`data.response_scale`, the factor from its exposure to that of the counts."
        )


def _ask(analysis: ComptonAnalysis, measurement: Measurement) -> None:
    """Ask for the time of a response that does not tell it, where that matters for certain."""
    data, span = analysis.data, measurement.span
    when = "the time of the counts" if span is None else _text(span)
    if measurement.is_cut:
        raise InputError(
            f"{data.response}: a galactic response holds the exposure of a whole observation, and "
            f"its file does not tell of which; the counts are cut to {when}. Give a "
            "response made for that time and say so by `data.response_interval`, or give "
            "`data.response_scale`, the factor from its exposure to that of the interval."
        )
    is_scaled = any(
        model.scale == "auto" and measurement.scales[name].factor != 1
        for name, model in data.backgrounds().items()
    )
    logger.log(
        logging.WARNING if is_scaled else logging.INFO,
        "%s: does not tell of which time its exposure is; taken as of %s",
        *(data.response, when),
    )


def _is_same(one: tuple[float, float], other: tuple[float, float]) -> bool:
    allowed = _TOLERANCE * (other[1] - other[0])
    return all(abs(mine - theirs) <= allowed for mine, theirs in zip(one, other, strict=True))


def _text(span: tuple[float, float]) -> str:
    return f"{span[0]:.6f} to {span[1]:.6f} s"
