"""Pixels of an image as polygons: those with counts, and the border of all of them."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from skyquilt.problem.buckets import Buckets
from skyquilt.problem.datasets import StoredDataset, get_all, put_all

if TYPE_CHECKING:
    import h5py

NSIDE = 64
"""Resolution of the buckets that pixels are sorted into."""

# Corners that differ by less are one; pixels of nside 8192 have 1e-4.
_SAME = 1e-9

_SQUARE = 0.05

DATASETS: dict[str, StoredDataset] = {
    "vertices": StoredDataset(
        "", "corners of the pixels that have counts, unit vectors", is_mapped=True
    ),
    "shapes": StoredDataset(
        "", "centre, solid angle [sr], radius [rad], bulge of these pixels", is_mapped=True
    ),
    "bin_stop": StoredDataset("", "end of the hit bins of each of these pixels"),
    "bin_band": StoredDataset("", "energy band of each hit bin"),
    "border": StoredDataset("", "edges around the image, unit vectors"),
    "inside": StoredDataset("", "a direction in the image"),
}
"""What a problem keeps of an image."""


class PixelImage(NamedTuple):
    """Where the counts of an image are.

    Attributes
    ----------
    vertices : ndarray of float64, shape (n_pixel, n_vertex, 3)
        Corners of the pixels that have counts, in the order of `buckets`.
    shapes : ndarray of float64, shape (n_pixel, 6)
        Their centres, solid angles, radii and bulges; see `pixel_shapes`.
    buckets : Buckets
        The pixels of each bucket.
    bin_stop : ndarray of int64, shape (n_pixel,)
        End of the hit bins of each pixel; they start where those of the one before end.
    bin_band : ndarray of int64, shape (n_hit,)
        Energy band of each hit bin.
    border : ndarray of float64, shape (n_edge, 2, 3)
        Edges around the whole image, which lies to their left; none around the whole sky.
    inside : ndarray of float64, shape (3,)
        A direction in the image.
    """

    vertices: np.ndarray
    shapes: np.ndarray
    buckets: Buckets
    bin_stop: np.ndarray
    bin_band: np.ndarray
    border: np.ndarray
    inside: np.ndarray

    def select_bins(self, bins: np.ndarray) -> "PixelImage":
        """The same with some of the hit bins, by number, ascending."""
        stop = np.searchsorted(bins, self.bin_stop).astype(np.int64)
        return self._replace(bin_stop=stop, bin_band=self.bin_band[bins])

    def put(self, group: "h5py.Group") -> None:
        """Write to a group."""
        put_all(group, self, DATASETS)
        self.buckets.put(group)

    @classmethod
    def get(cls, group: "h5py.Group") -> "PixelImage":
        """Read from a group; corners and shapes are mapped."""
        return cls(**get_all(group, DATASETS), buckets=Buckets.get(group))


def find_hits(vertices: np.ndarray, counts: np.ndarray) -> tuple[PixelImage, np.ndarray]:
    """Sort the bins with counts of an image.

    Parameters
    ----------
    vertices : ndarray of float64, shape (n_pixel, n_vertex, 3)
        Corners of all pixels, with counts and without: unit vectors, counter-clockwise as seen
        from outside the sphere. Pixels have four corners, or four times as many where edges are
        curved. They tile a part of the sky, or all of it.
    counts : ndarray of float64, shape (n_pixel, n_band)
        Observed counts.

    Returns
    -------
    image : PixelImage
        Pixels with counts, and border.
    index : ndarray of int64, shape (n_hit,)
        Index of each hit bin in ``counts.ravel()``.

    Raises
    ------
    ValueError
        If shapes do not fit, the number of corners is no multiple of four, or they run clockwise.
    """
    if vertices.shape[:1] + vertices.shape[2:] != (len(counts), 3) or counts.ndim != 2:
        raise ValueError(f"vertices {vertices.shape} do not fit counts {counts.shape}.")
    if vertices.shape[1] == 0 or vertices.shape[1] % 4:
        raise ValueError(f"{vertices.shape[1]} vertices: allowed are multiples of four.")
    shapes = pixel_shapes(vertices)
    if np.any(shapes[:, 3] <= 0):
        raise ValueError("vertices: allowed are corners that run counter-clockwise.")
    hit = np.flatnonzero(counts.any(axis=1))
    buckets, order = Buckets.sort(NSIDE, shapes[hit, :3])
    pixel = hit[order]
    row, band = np.nonzero(counts[pixel])
    image = PixelImage(
        vertices=np.ascontiguousarray(vertices[pixel]),
        shapes=shapes[pixel],
        buckets=buckets,
        bin_stop=np.cumsum(np.count_nonzero(counts[pixel], axis=1)),
        bin_band=band.astype(np.int64),
        border=_border(vertices, shapes[:, 3].sum()),
        inside=_point_inside(vertices[0]),
    )
    return image, pixel[row] * counts.shape[1] + band


def pixel_shapes(vertices: np.ndarray) -> np.ndarray:
    """Centre, solid angle [sr], radius [rad] and bulge of each pixel.

    Parameters
    ----------
    vertices : ndarray of float64, shape (n_pixel, n_vertex, 3)
        Corners.

    Returns
    -------
    ndarray of float64, shape (n_pixel, 6)
        Unit vector, solid angle (below zero where the corners run clockwise), largest angle from
        the centre to a corner, and ratio of the solid angle to that with straight edges between
        the four true corners.

    References
    ----------
    Van Oosterom and Strackee 1983, IEEE Trans. Biomed. Eng. 30, 125 (solid angle of a triangle).
    """
    center = vertices.mean(axis=1)
    center /= np.linalg.norm(center, axis=1)[:, np.newaxis]
    area = _solid_angle(center, vertices)
    bulge = area / _solid_angle(center, vertices[:, :: vertices.shape[1] // 4])
    chord = np.sqrt(np.sum((vertices - center[:, np.newaxis]) ** 2, axis=2)).max(axis=1)
    radius = 2 * np.arcsin(np.minimum(chord / 2, 1))
    return np.column_stack([center, area, radius, bulge])


def are_squares(image: PixelImage) -> bool:
    """Whether all pixels with counts are squares of one size, or nearly so.

    They are if their second moments in any direction differ by 5 % at most from those of the mean
    pixel, which moves the integral of a power law of the angle by a five-hundredth of itself
    five radii away.
    """
    if not len(image.vertices):
        return False
    corner = image.vertices[:, :: image.vertices.shape[1] // 4]
    a, b = corner[:, 1] - corner[:, 0], corner[:, 3] - corner[:, 0]
    # of a parallelogram with sides a and b: (a a^T + b b^T) / 12
    trace = np.sum(a**2 + b**2, axis=1)
    root = np.sqrt(np.maximum(trace**2 - 4 * np.sum(np.cross(a, b) ** 2, axis=1), 0))
    extremes = np.concatenate([trace - root, trace + root]) / trace.mean()
    return bool(np.all(np.abs(extremes - 1) < _SQUARE))


def _solid_angle(center: np.ndarray, vertices: np.ndarray) -> np.ndarray:
    """Sum over the triangles between centre and edges [sr], shape (n_pixel,)."""
    a, b, c = center[:, np.newaxis], vertices, np.roll(vertices, -1, axis=1)
    volume = np.sum(a * np.cross(b, c), axis=2)
    scale = 1 + np.sum(a * b, axis=2) + np.sum(b * c, axis=2) + np.sum(a * c, axis=2)
    return 2 * np.arctan2(volume, scale).sum(axis=1)


def _border(vertices: np.ndarray, area: float) -> np.ndarray:
    """Edges that belong to one pixel only; none where pixels cover the whole sky."""
    if abs(area - 4 * np.pi) < _SAME:
        return np.empty((0, 2, 3))
    corner = np.round(vertices / _SAME).astype(np.int64)
    _, name = np.unique(corner.reshape(-1, 3), axis=0, return_inverse=True)
    first = name.reshape(corner.shape[:2])
    last = np.roll(first, -1, axis=1)
    n = first.max() + 1
    forth, back = (first * n + last).ravel(), (last * n + first).ravel()
    is_border = ~np.isin(forth, back)
    edges = np.stack([vertices, np.roll(vertices, -1, axis=1)], axis=2).reshape(-1, 2, 3)
    return np.ascontiguousarray(edges[is_border])


def _point_inside(corners: np.ndarray) -> np.ndarray:
    """A direction in a pixel, on no line of symmetry."""
    center = corners.mean(axis=0)
    point = 0.731 * center + 0.163 * corners[0] + 0.106 * corners[1]
    return point / np.linalg.norm(point)
