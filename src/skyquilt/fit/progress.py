"""Progress in the log, at a fixed interval."""

import logging
import time
from collections.abc import Callable

logger = logging.getLogger(__name__)

INTERVAL_S = 5.0
"""Time between two lines [s]: often enough to watch, few enough lines in a log of hours."""


class Progress:
    """Logs how much is done, how fast, and how long the rest takes.

    Call it with the number done and that of all; the last call, with all done, is always logged.

    Parameters
    ----------
    label : str
        What is going on, as "chunk 3 of 12".
    unit : str
        What is counted, in the plural.
    interval_s : float
        Time between two lines [s].
    clock : callable
        Time in seconds from any zero.
    """

    def __init__(
        self,
        label: str,
        unit: str = "pixels",
        interval_s: float = INTERVAL_S,
        clock: Callable[[], float] = time.monotonic,
    ):
        self._label = label
        self._unit = unit
        self._interval_s = interval_s
        self._clock = clock
        self._start_s = self._last_s = clock()

    def __call__(self, n_done: int, n_all: int) -> None:
        """Log a line if it is time for one or all is done."""
        now_s = self._clock()
        if n_done < n_all and now_s - self._last_s < self._interval_s:
            return
        self._last_s = now_s
        rate = n_done / max(now_s - self._start_s, 1e-3)  # a clock may stand still for 1 ms
        left = f"{(n_all - n_done) / rate:.0f} s left" if rate else "time left unknown"
        speed = f"{rate:.0f}" if rate >= 1000 else f"{rate:.4g}"
        done = f"{n_done}/{n_all} {self._unit}, {speed} {self._unit}/s"
        logger.info("%s: %s, %s", self._label, done, left)
