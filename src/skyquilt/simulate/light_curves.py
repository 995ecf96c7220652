"""Whether light curves of simulated sources shine while these are observed."""

import logging
from collections.abc import Sequence

import numpy as np

from skyquilt.config.light_curve import LightCurve, TableLightCurve
from skyquilt.errors import ConfigError
from skyquilt.light_curves.factors import integrate_factor

logger = logging.getLogger(__name__)

_LEAST_FACTOR = 1e-9
"""Mean of a light curve of which there is something."""


def check_light_curve(
    source: str, curve: LightCurve | None, observed: Sequence[tuple[float, float]]
) -> None:
    """Refuse a light curve of which nothing is observed; warn where a table does not reach.

    Parameters
    ----------
    source : str
        Name of the source, for messages.
    curve : LightCurve or None
        Its light curve.
    observed : sequence of tuple of float
        Starts and ends of the times in which it is observed [UNIX s].

    Raises
    ------
    ConfigError
        If the mean of the factor over these times is 0.
    """
    if curve is None:
        return
    start, stop = np.array(observed, np.float64).T
    key = f"simulation.sources.{source}.light_curve"
    length = np.sum(stop - start)
    if not integrate_factor(curve, start, stop).sum() > _LEAST_FACTOR * length:
        raise ConfigError(
            f"{key}: nothing of it lies in the time in which the source is observed, "
            f"{start[0]:.6f} to {stop[-1]:.6f} s: change its times, or the epochs, interval or "
            "duration of the simulation."
        )
    if isinstance(curve, TableLightCurve):
        first, last = curve.edges[0], curve.edges[-1]
        within = np.sum(np.maximum(np.minimum(stop, last) - np.maximum(start, first), 0))
        if within < length:
            logger.warning(
                "%s: its edges, %.6f to %.6f s, cover %.6g of %.6g s of observation; in the rest "
                "the source does not shine",
                *(key, first, last, within, length),
            )
