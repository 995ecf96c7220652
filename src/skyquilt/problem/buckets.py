"""Items on the sky in buckets, so that a direction finds those near it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from skyquilt.io.hdf5 import get, put
from skyquilt.native import NearbyItems
from skyquilt.sky.frames import separation
from skyquilt.sky.healpix import nest_to_vec, vec_to_nest
from skyquilt.sky.pixels import nside_to_npix

if TYPE_CHECKING:
    import h5py


class Nearby(NamedTuple):
    """Items to look at for each direction of a block.

    Attributes
    ----------
    group : ndarray of int64, shape (n,)
        Group of each direction: directions in one bucket look at the same items.
    indptr : ndarray of int64, shape (n_group + 1,)
        Ranges of group g are those from ``indptr[g]`` to ``indptr[g + 1]``.
    ranges : ndarray of int64, shape (m, 2)
        Ranges [first, last + 1) of items.
    """

    group: np.ndarray
    indptr: np.ndarray
    ranges: np.ndarray

    def as_argument(self) -> NearbyItems:
        """The same as the kernels read it."""
        return NearbyItems.of(group=self.group, indptr=self.indptr, ranges=self.ranges)

    def sum_over_items(self, cumulated: np.ndarray) -> np.ndarray:
        """Per direction the sum of a quantity over the items, from its sums up to each item.

        Parameters
        ----------
        cumulated : ndarray, shape (n_item + 1,)
            Sum over the items before each item, 0 for the first.
        """
        per_range = cumulated[self.ranges[:, 1]] - cumulated[self.ranges[:, 0]]
        upto = np.concatenate([[0], np.cumsum(per_range)])
        return np.diff(upto[self.indptr])[self.group]


@dataclass(frozen=True, eq=False)
class Buckets:
    """Where the items of each nested pixel begin, for items sorted by that pixel.

    Attributes
    ----------
    nside : int
        Resolution of the buckets.
    start : ndarray of int64, shape (12 nside^2 + 1,)
        First item of each bucket, and the number of items.
    """

    nside: int
    start: np.ndarray

    @classmethod
    def sort(cls, nside: int, directions: np.ndarray) -> tuple["Buckets", np.ndarray]:
        """Buckets of items at given directions, and the order in which they must be put."""
        bucket = vec_to_nest(nside, directions)
        order = np.argsort(bucket, kind="stable")
        edges = np.arange(nside_to_npix(nside) + 1)
        return cls(nside, np.searchsorted(bucket[order], edges).astype(np.int64)), order

    @property
    def n_item(self) -> int:
        """Number of items."""
        return int(self.start[-1])

    def select(self, items: np.ndarray) -> "Buckets":
        """Buckets of some of the items, by number, ascending."""
        return Buckets(self.nside, np.searchsorted(items, self.start).astype(np.int64))

    def put(self, group: "h5py.Group") -> None:
        """Write to a group."""
        group.attrs["bucket_nside"] = self.nside
        put(group, "bucket_start", self.start, "", "first item of each nested pixel")

    @classmethod
    def get(cls, group: "h5py.Group") -> "Buckets":
        """Read from a group."""
        return cls(int(group.attrs["bucket_nside"]), get(group, "bucket_start"))

    def near(self, directions: np.ndarray, radius: float) -> Nearby:
        """Items that may lie within an angle of each direction; all that do are among them.

        Parameters
        ----------
        directions : ndarray of float64, shape (n, 3)
            Unit vectors.
        radius : float
            Angle [rad].
        """
        bucket, group = np.unique(vec_to_nest(self.nside, directions), return_inverse=True)
        ranges = [self._ranges_near(int(one), radius) for one in bucket]
        return Nearby(
            group.astype(np.int64),
            np.cumsum([0, *map(len, ranges)], dtype=np.int64),
            np.concatenate([_NONE, *ranges]),
        )

    @cached_property
    def _ranges_near(self) -> Callable[[int, float], np.ndarray]:
        """`_find_ranges`, which is asked for the same buckets again and again by a search."""
        return lru_cache(_N_KEPT)(self._find_ranges)

    def _find_ranges(self, bucket: int, radius: float) -> np.ndarray:
        """Ranges of items that may lie within an angle [rad] of any direction in a bucket."""
        occupied, positions, z = self._occupied
        center = nest_to_vec(self.nside, np.array([bucket]))[0]
        # both a direction and an item may lie at the corner of its bucket
        reach = min(radius + 2 * np.radians(bucket_radius(self.nside)), np.pi)
        colatitude = np.arccos(center[2])
        south, north = np.cos([min(colatitude + reach, np.pi), max(colatitude - reach, 0.0)])
        first, last = np.searchsorted(z, [south - _ROUNDING, north + _ROUNDING])
        is_near = positions[first:last] @ center >= np.cos(reach) - _ROUNDING
        near = np.sort(occupied[first:last][is_near])
        return _merge(self.start[near], self.start[near + 1])

    @cached_property
    def _occupied(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Buckets with items, from south to north, their centres and z of these."""
        occupied = np.flatnonzero(np.diff(self.start))
        positions = nest_to_vec(self.nside, occupied)
        order = np.argsort(positions[:, 2], kind="stable")
        return occupied[order], positions[order], positions[order, 2]


_NONE = np.empty((0, 2), np.int64)
_ROUNDING = 1e-12  # of cosines
_N_KEPT = 2**14  # buckets whose ranges are kept, about 1 kB each; events have 12 * 32**2


@cache
def bucket_radius(nside: int) -> float:
    """Largest angle [deg] from the centre of a pixel to its corners.

    The longest pixels are those on the border of belt and caps, ring `nside`, z = 2/3, half a pixel
    from the edge of their base pixel; their far corner lies on that edge, one ring to the north,
    where z = 1 - (nside - 1)^2 / (3 nside^2) (Gorski et al. 2005, ApJ 622, 759, equation 4).

    Examples
    --------
    >>> round(bucket_radius(1), 3)
    48.19
    """
    z_centre, phi = 2 / 3, np.pi / (4 * nside)
    z_corner = 1 - (1 - 1 / nside) ** 2 / 3
    centre = [np.sqrt(1 - z_centre**2) * np.cos(phi), np.sqrt(1 - z_centre**2) * np.sin(phi)]
    corner = np.array([np.sqrt(1 - z_corner**2), 0.0, z_corner])
    return float(separation(np.array([*centre, z_centre]), corner))


def _merge(first: np.ndarray, stop: np.ndarray) -> np.ndarray:
    """Ranges, those that touch made one."""
    if not len(first):
        return _NONE
    is_new = np.append(True, first[1:] != stop[:-1])
    is_last = np.append(is_new[1:], True)
    return np.stack([first[is_new], stop[is_last]], axis=1)
