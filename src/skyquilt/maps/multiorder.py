"""A map in memory whose cells are HEALPix pixels of many resolutions."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from skyquilt.maps.skymap import SkyMap, source_ts
from skyquilt.sky.healpix import nest_to_vec, vec_to_nest
from skyquilt.sky.pixels import nside_to_order
from skyquilt.sky.uniq import to_uniq, uniq_to_ipix, uniq_to_order, uniq_to_ranges


@dataclass(frozen=True, eq=False)
class MultiOrderMap:
    """Fitted quantities of cells that do not overlap, each a HEALPix pixel of its own order.

    Attributes
    ----------
    frame : {"galactic", "icrs"}
        Frame of the cells.
    uniq : ndarray of int64, shape (n,)
        Cells, 4 * 4^order + nested pixel, ascending along the nested curve (not by number); at
        least one. Parts of the sky without a cell are not in the map.
    columns : dict of str to ndarray, shape (n,)
        Quantities by lower-case name, as those of a `SkyMap`.

    Raises
    ------
    ValueError
        If there is no cell, one does not exist, the cells are not ascending or overlap, or a
        column has another length.

    Examples
    --------
    >>> cells = MultiOrderMap("icrs", np.array([16, 17, 18, 19, 5]), {"ts": np.arange(5.0)})
    >>> cells.order
    array([1, 1, 1, 1, 0])
    >>> cells.find(np.array([[0.0, 0.0, 1.0], [0.0, 0.0, -1.0]]))  # north, in the map; south, not
    array([ 3, -1])
    """

    frame: str
    uniq: np.ndarray
    columns: dict[str, np.ndarray]

    def __post_init__(self):
        if np.ndim(self.uniq) != 1 or not np.size(self.uniq):
            raise ValueError(f"cells of shape {np.shape(self.uniq)}: allowed is (n,), n above 0.")
        ranges = self.ranges
        wrong = np.flatnonzero(ranges[1:, 0] < ranges[:-1, 1])
        if wrong.size:
            pair = self.uniq[wrong[0] : wrong[0] + 2].tolist()
            raise ValueError(
                f"cells {pair[0]} and {pair[1]} overlap or are not ascending along the nested "
                "curve; sort them by their first pixel at a fine order, each part of the sky once."
            )
        for name, column in self.columns.items():
            if np.shape(column) != np.shape(self.uniq):
                raise ValueError(
                    f"column {name!r} has shape {np.shape(column)}, the map has "
                    f"{self.uniq.size} cells."
                )

    @classmethod
    def from_skymap(cls, skymap: SkyMap) -> "MultiOrderMap":
        """Map whose cells are the pixels of a map of one resolution; columns are shared."""
        uniq = to_uniq(nside_to_order(skymap.nside), skymap.ipix)
        return cls(skymap.frame, uniq, skymap.columns)

    @cached_property
    def order(self) -> np.ndarray:
        """Order of each cell, int64."""
        return uniq_to_order(self.uniq)

    @cached_property
    def ipix(self) -> np.ndarray:
        """Nested pixel of each cell at its own order, int64."""
        return uniq_to_ipix(self.uniq)

    @property
    def max_order(self) -> int:
        """Finest order."""
        return int(self.order.max())

    @cached_property
    def ranges(self) -> np.ndarray:
        """Nested pixels [start, stop) of each cell at the finest order, int64, shape (n, 2)."""
        return uniq_to_ranges(self.uniq, self.max_order)

    @property
    def pixel_area(self) -> np.ndarray:
        """Area of each cell [deg2]."""
        return np.degrees(np.degrees(np.pi / 3)) / 4.0**self.order

    @property
    def ts(self) -> np.ndarray:
        """Test statistic of a source, NaN where there is none, 0 where the flux is below zero."""
        return source_ts(self.columns)

    @cached_property
    def centres(self) -> np.ndarray:
        """Unit vectors of the centres of the cells in the map's frame, shape (n, 3)."""
        vec = np.empty((self.uniq.size, 3))
        for order in np.unique(self.order):
            here = self.order == order
            vec[here] = nest_to_vec(1 << order, self.ipix[here])
        return vec

    def find(self, directions: np.ndarray) -> np.ndarray:
        """Cells that hold given directions.

        Parameters
        ----------
        directions : ndarray of float64, shape (n, 3)
            Unit vectors in the frame of the map.

        Returns
        -------
        ndarray of int64, shape (n,)
            Indices in `uniq`; -1 where there is no cell.
        """
        return self._index(vec_to_nest(1 << self.max_order, directions))

    def locate(self, order: int, ipix: np.ndarray) -> np.ndarray:
        """Cells that hold the centres of pixels of one order.

        Parameters
        ----------
        order : int
            Order of the pixels, at most the finest of the map.
        ipix : ndarray of int64, any shape
            Nested pixels.

        Returns
        -------
        ndarray of int64, shape of `ipix`
            Indices in `uniq`; -1 where there is no cell. Where a centre is a corner of finer
            cells, the one to its north.
        """
        depth = self.max_order - order
        # of the finest pixels below a pixel, the last quarter begins north of the centre
        to_centre = 3 << 2 * (depth - 1) if depth else 0
        return self._index((ipix << 2 * depth) + to_centre)

    def _index(self, pixel: np.ndarray) -> np.ndarray:
        """Indices of the cells that hold pixels of the finest order, -1 where there is none."""
        index = np.searchsorted(self.ranges[:, 0], pixel, side="right") - 1
        return np.where((index >= 0) & (pixel < self.ranges[index, 1]), index, -1)
