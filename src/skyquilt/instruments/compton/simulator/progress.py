"""Progress of long loops, in the log."""

import logging
import time
from collections.abc import Iterator

_EVERY_S = 5.0


def progress(n_items: int, what: str, logger: logging.Logger) -> Iterator[int]:
    """Count from 0 to `n_items`; log the rate and the time left every five seconds.

    Parameters
    ----------
    n_items : int
        Number of items.
    what : str
        What is done and what an item is, as "response.h5: rows".
    logger : logging.Logger
        Logger of the caller.

    Examples
    --------
    >>> list(progress(3, "rows", logging.getLogger("doc")))
    [0, 1, 2]
    """
    begin = last = time.monotonic()
    for item in range(n_items):
        yield item
        now = time.monotonic()
        if now - last > _EVERY_S:
            last, rate = now, (item + 1) / (now - begin)
            left = (n_items - item - 1) / rate
            logger.info("%s %d/%d, %.3g/s, %.0f s left", what, item + 1, n_items, rate, left)
