"""Random numbers that follow from a seed and from what they are for."""

import zlib

import numpy as np


def generator(seed: int, *keys: int | str) -> np.random.Generator:
    """Random numbers of one thing, the same wherever and whenever it is simulated.

    Parameters
    ----------
    seed : int
        Seed of the simulation, 0 or above.
    *keys : int or str
        What the numbers are for: names, and numbers of 0 or above. One use of a seed always has
        the same number of keys: a last key of 0 is as good as none.

    Returns
    -------
    numpy.random.Generator
        Independent of those of other keys.

    Raises
    ------
    ValueError
        If a number is below 0.

    Examples
    --------
    >>> int(generator(1, "null", 7).integers(1000)) == int(generator(1, "null", 7).integers(1000))
    True
    """
    numbers = [zlib.crc32(key.encode()) if isinstance(key, str) else key for key in keys]
    if min([seed, *numbers]) < 0:
        raise ValueError(f"seed {seed}, keys {keys}: allowed are names, and numbers of 0 or above.")
    return np.random.default_rng([seed, *numbers])
