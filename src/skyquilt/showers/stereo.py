"""Directions, cores and heights of showers that several telescopes have seen."""

from dataclasses import dataclass, fields

import numpy as np

from skyquilt.native import kernels


@dataclass(frozen=True)
class StereoImages:
    """Images of events, those of one event after the other.

    Attributes
    ----------
    lon, lat, psi : ndarray
        Centroids and angles in the field of view [rad], shape (n_image,).
    radius : ndarray
        Radius of each camera [rad].
    weight : ndarray
        Weights of the images.
    pointing : ndarray
        Altitude and azimuth of each telescope [rad], shape (n_image, 2).
    position : ndarray
        Telescopes: north, west, up [m], shape (n_image, 3).
    """

    lon: np.ndarray
    lat: np.ndarray
    psi: np.ndarray
    radius: np.ndarray
    weight: np.ndarray
    pointing: np.ndarray
    position: np.ndarray


@dataclass(frozen=True)
class Showers:
    """Showers, arrays of shape (n_event,).

    Attributes
    ----------
    alt, az : ndarray
        Where the shower comes from [rad].
    core_x, core_y : ndarray
        Where its axis meets the ground: north, west [m].
    tilted_x, tilted_y : ndarray
        The same in the plane across the pointing of the array [m].
    height : ndarray
        Height of the maximum above the array [m].
    error : ndarray
        Mean angle between the direction and the crossings of pairs of images [rad].
    psi : ndarray
        Angle of each image in the field of the array [rad], shape (n_image,).
    """

    alt: np.ndarray
    az: np.ndarray
    core_x: np.ndarray
    core_y: np.ndarray
    tilted_x: np.ndarray
    tilted_y: np.ndarray
    height: np.ndarray
    error: np.ndarray
    psi: np.ndarray


def reconstruct_showers(
    indptr: np.ndarray, images: StereoImages, array_pointing: np.ndarray
) -> Showers:
    """Showers from their images.

    Each image is a plane, through its telescope and the axis of its ellipse. The direction is the
    mean of the crossings of all pairs of planes; core and height are the points nearest to the
    lines of the images on the ground and in space.

    Parameters
    ----------
    indptr : ndarray of int64
        Images of event i are those from ``indptr[i]`` to ``indptr[i + 1]``.
    images : StereoImages
        At least two for each event.
    array_pointing : ndarray
        Altitude and azimuth of the array [rad], shape (n_event, 2).
    """
    n_event = indptr.size - 1
    if np.any(np.diff(indptr) < 2):
        raise ValueError("an event has fewer than 2 images")
    ellipse = np.stack([images.lon, images.lat, images.psi, 0.1 * images.radius], axis=-1)
    showers, psi = np.empty((n_event, 8)), np.empty(images.lon.size)
    kernels.stereo_showers(
        *(n_event, indptr, ellipse, images.weight, images.pointing, images.position),
        *(array_pointing, psi, showers),
    )
    names = [one.name for one in fields(Showers)]
    return Showers(**dict(zip(names, [*showers.T, psi], strict=True)))


def impact_distances(
    position: np.ndarray, core: np.ndarray, alt: np.ndarray, az: np.ndarray
) -> np.ndarray:
    """Distances of telescopes from the axes of showers [m].

    Parameters
    ----------
    position : ndarray
        Telescopes: north, west, up [m], shape (n, 3).
    core : ndarray
        Where the axis meets the ground [m], shape (n, 2).
    alt, az : ndarray
        Direction of the axis [rad], shape (n,).

    Examples
    --------
    >>> at = np.array([[3.0, 4.0, 100.0]])
    >>> impact_distances(at, np.zeros((1, 2)), np.array([np.pi / 2]), np.zeros(1)).round(9)
    array([5.])
    """
    axis = np.stack([np.cos(alt) * np.cos(az), -np.cos(alt) * np.sin(az), np.sin(alt)], axis=-1)
    offset = position - np.concatenate([core, np.zeros((len(core), 1))], axis=-1)
    return np.linalg.norm(np.cross(offset, axis), axis=-1)
