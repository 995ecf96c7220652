"""Photons one by one of a telescope with a field of view: where its background is known.

A background of a part of the sky says where photons can be: events elsewhere have no likelihood,
and directions whose photons are not all in it have no exposure.
"""

import logging

import numpy as np

from skyquilt.errors import InputError
from skyquilt.instruments.imaging.cube import SkyCube
from skyquilt.instruments.imaging.events import ImagingEvents
from skyquilt.instruments.imaging.healpix_cube import HealpixCube
from skyquilt.instruments.imaging.region import exposure_of
from skyquilt.problem.buckets import bucket_radius
from skyquilt.sky.frames import rotate, rotation
from skyquilt.sky.healpix import nest_to_vec, vec_to_ring
from skyquilt.sky.neighbours import neighbours
from skyquilt.sky.pixels import nest_to_ring, ring_to_nest

logger = logging.getLogger(__name__)


def cut_events_to_field(events: ImagingEvents, field: HealpixCube) -> ImagingEvents:
    """Events in pixels of a cube; how many are not is logged.

    Raises
    ------
    InputError
        If all are elsewhere.
    """
    kept = _is_known(field, rotate(rotation(events.frame, field.frame), events.direction))
    if kept.size and not kept.any():
        raise InputError(
            f"{events.path}: none of the {kept.size} events lies in a pixel of {field.path}: are "
            "both of one field of view, and is the frame of the background right?"
        )
    if not kept.all():
        logger.warning(
            "%s: %d of %d events lie where %s has no background; they are left out",
            *(events.path, np.count_nonzero(~kept), kept.size, field.path),
        )
    return events.keep(kept)


def cut_exposure_to_field(exposure: SkyCube, field: HealpixCube, reach: float) -> SkyCube:
    """Exposure of directions whose photons all lie in pixels of a cube.

    Parameters
    ----------
    exposure : SkyCube
        The exposure.
    field : HealpixCube
        The cube.
    reach : float
        Angle within which the photons of a direction lie [deg].

    Raises
    ------
    InputError
        If there are none.
    """
    from scipy.spatial import cKDTree

    outside = cKDTree(_pixels_around(field))

    def is_within(direction: np.ndarray, margin: float) -> np.ndarray:
        turned = rotate(rotation(exposure.frame, field.frame), direction)
        kept = _is_known(field, turned)
        distance = outside.query(turned[kept])[0]  # a chord
        most = np.radians(reach + margin + bucket_radius(field.nside))
        kept[kept] = distance > 2 * np.sin(min(most, np.pi) / 2)
        return kept

    return exposure_of(exposure, is_within, f"the field of view of {field.path}", reach)


def _is_known(field: HealpixCube, direction: np.ndarray) -> np.ndarray:
    ipix = vec_to_ring(field.nside, direction)
    index = np.minimum(np.searchsorted(field.ipix, ipix), len(field.ipix) - 1)
    return field.ipix[index] == ipix


def _pixels_around(field: HealpixCube) -> np.ndarray:
    """Centres of the pixels beside those of a cube, unit vectors."""
    beside = np.unique(neighbours(field.nside, ring_to_nest(field.nside, field.ipix)))
    beside = beside[beside >= 0]
    is_out = ~np.isin(nest_to_ring(field.nside, beside), field.ipix)
    return nest_to_vec(field.nside, beside[is_out])
