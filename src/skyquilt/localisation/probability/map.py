"""Probability of the position of a source, and parts of the sky, as the files of others have them.

Pixels are nested ones of any order up to 29, the finest that files have; nothing is fitted here, so
these maps have no TS.
"""

from dataclasses import dataclass

import numpy as np

from skyquilt.maps.credible import credible_threshold

MAX_ORDER = 29
"""Finest order of HEALPix in 64-bit numbers."""

_SR_IN_DEG2 = float(np.degrees(np.degrees(1.0)))


@dataclass(frozen=True, eq=False)
class Coverage:
    """Part of the sky.

    Attributes
    ----------
    frame : {"galactic", "icrs"}
        Frame of the pixels.
    ranges : ndarray of int64, shape (n, 2)
        Nested pixels [start, stop) of order `MAX_ORDER`, in any order.

    Raises
    ------
    ValueError
        If a range is empty or beyond the sky.
    """

    frame: str
    ranges: np.ndarray

    def __post_init__(self):
        start, stop = self.ranges.T
        wrong = np.flatnonzero((start < 0) | (stop <= start) | (stop > 12 << 2 * MAX_ORDER))
        if wrong.size:
            raise ValueError(
                f"pixels {start[wrong[0]]} to {stop[wrong[0]]} are no part of the sky; allowed are "
                f"0 to {12 << 2 * MAX_ORDER}, ascending."
            )

    @property
    def area(self) -> float:
        """Area, overlaps once [deg2]."""
        ranges = self.ranges[np.argsort(self.ranges[:, 0])]
        covered = np.maximum.accumulate(ranges[:, 1])
        begin = np.maximum(ranges[:, 0], np.append(0, covered[:-1]))
        n_pixels = np.maximum(ranges[:, 1] - begin, 0).astype(np.float64).sum()
        return float(n_pixels * np.pi / 3 / 4.0**MAX_ORDER * _SR_IN_DEG2)

    def holds(self, direction: np.ndarray) -> bool:
        """Whether a unit vector in its frame lies in it."""
        pixel = _finest_pixel(direction)
        return bool(np.any((self.ranges[:, 0] <= pixel) & (pixel < self.ranges[:, 1])))


@dataclass(frozen=True, eq=False)
class ProbabilityMap:
    """Probability of cells that do not overlap, each a HEALPix pixel of its own order.

    Attributes
    ----------
    frame : {"galactic", "icrs"}
        Frame of the cells.
    order : ndarray of int, shape (n,)
        Order of each cell.
    ipix : ndarray of int64, shape (n,)
        Nested pixel of each cell at its order; cells come in any order.
    probability : ndarray of float64, shape (n,)
        Probability of each cell, not negative, sum 1.

    Raises
    ------
    ValueError
        If two cells overlap.

    Examples
    --------
    >>> north = ProbabilityMap("icrs", np.array([0, 1]), np.array([5, 0]), np.array([0.2, 0.8]))
    >>> north.density.round(4)
    array([0.191 , 3.0558])
    >>> north.find(np.array([0.0, 0.0, -1.0]))
    -1
    """

    frame: str
    order: np.ndarray
    ipix: np.ndarray
    probability: np.ndarray

    def __post_init__(self):
        ranges = cell_ranges(self.order, self.ipix)
        along = np.argsort(ranges[:, 0], kind="stable")
        wrong = np.flatnonzero(ranges[along[1:], 0] < ranges[along[:-1], 1])
        if wrong.size:
            first, second = along[wrong[0] : wrong[0] + 2]
            raise ValueError(
                f"rows {first} and {second} overlap (order {self.order[first]}, pixel "
                f"{self.ipix[first]} and order {self.order[second]}, pixel {self.ipix[second]}); "
                "each part of the sky may be there once."
            )

    @property
    def area(self) -> np.ndarray:
        """Area of each cell [sr]."""
        return np.pi / 3 / 4.0**self.order

    @property
    def density(self) -> np.ndarray:
        """Probability density of each cell [sr-1]."""
        return self.probability / self.area

    def find(self, direction: np.ndarray) -> int:
        """Row of the cell that holds a unit vector in the map's frame; -1 where there is none."""
        pixel = _finest_pixel(direction)
        is_there = self.ipix == pixel >> 2 * (MAX_ORDER - self.order.astype(np.int64))
        return int(np.argmax(is_there)) if np.any(is_there) else -1

    def credible_area(self, level: float) -> tuple[float, float]:
        """Smallest region of a probability: the density at its edge [sr-1], its area [deg2].

        Raises
        ------
        ValueError
            If `level` is outside (0, 1).
        """
        density = self.density
        threshold = credible_threshold(density, self.area, level)
        return threshold, self._area_above(density, threshold)

    def searched(self, index: int) -> tuple[float, float]:
        """Probability and area [deg2] of all cells as dense as one, or denser."""
        density = self.density
        is_above = density >= density[index]
        return float(self.probability[is_above].sum()), self._area_above(density, density[index])

    def _area_above(self, density: np.ndarray, threshold: float) -> float:
        return float(self.area[density >= threshold].sum() * _SR_IN_DEG2)


def cell_ranges(order: np.ndarray, ipix: np.ndarray) -> np.ndarray:
    """Pixels [start, stop) of order `MAX_ORDER` of cells, int64 of shape (n, 2).

    Examples
    --------
    >>> cell_ranges(np.array([29, 28]), np.array([7, 7]))
    array([[ 7,  8],
           [28, 32]])
    """
    shift = 2 * (MAX_ORDER - np.asarray(order, dtype=np.int64))
    return np.stack([ipix << shift, (ipix + 1) << shift], axis=-1)


def split_uniq(uniq: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Order and nested pixel of numbers 4 * 4^order + pixel.

    Raises
    ------
    ValueError
        If a number stands for no pixel.

    Examples
    --------
    >>> split_uniq(np.array([4, 15, 16, 16 * 4**29 - 1]))[0]
    array([ 0,  0,  1, 29])
    """
    wrong = np.flatnonzero((uniq < 4) | (uniq >= 16 << 2 * MAX_ORDER))
    if wrong.size:
        raise ValueError(
            f"UNIQ {uniq[wrong[0]]} in row {wrong[0]}: allowed are 4 to "
            f"{(16 << 2 * MAX_ORDER) - 1}, orders 0 to {MAX_ORDER}."
        )
    # without its second highest bit a number is not rounded up to the next power of two
    exponent = np.frexp((uniq & ~(uniq >> 1)).astype(np.float64))[1].astype(np.int64)
    order = (exponent - 3) // 2
    return order, uniq - (4 << 2 * order)


def _finest_pixel(direction: np.ndarray) -> int:
    """Nested pixel of order `MAX_ORDER` that holds a unit vector."""
    import healpy

    return int(healpy.vec2pix(1 << MAX_ORDER, *direction, nest=True))
