"""The expectations of imaging instruments in `problem.h5`."""

import h5py
import numpy as np

from skyquilt.io.hdf5 import get, map_rows, put
from skyquilt.problem.buckets import Buckets
from skyquilt.problem.event_wise import EventWise
from skyquilt.problem.pixel_image import PixelImage
from skyquilt.problem.point_spread import PointSpread
from skyquilt.problem.sky_grid import HealpixGrid, SkyGrid

_PER_EVENT = ("direction", "flux_density", "psf_place", "exposure_place")
MAPPED = (*_PER_EVENT, "vertices", "shapes")
"""Datasets that are mapped: of these a chunk reads what its pixels look at."""

_EVENT_WISE = {
    "direction": ("", "unit vectors of the events"),
    "flux_density": ("cm-2 s-1 keV-1", "reference spectrum at the energy of each event"),
    "psf_place": ("", "place of each event's energy among those of the profiles"),
    "exposure_place": ("", "place of each event's energy among those of the exposure"),
    "total_weight": ("cm-2 s-1", "expected counts per exposure at each energy"),
    "theta": ("rad", "angles of the profiles"),
    "profile": ("sr-1", "point spread function at each of its energies"),
}
_POINT_SPREAD = {
    "theta": ("rad", "angles of the profiles"),
    "profile": ("sr-1", "point spread function of each component"),
    "to_band": ("", "probability that a photon of a component is measured in a band"),
}
_IMAGE = {
    "vertices": ("", "corners of the pixels that have counts, unit vectors"),
    "shapes": ("", "centre, solid angle [sr], radius [rad], bulge of these pixels"),
    "bin_stop": ("", "end of the hit bins of each of these pixels"),
    "bin_band": ("", "energy band of each hit bin"),
    "border": ("", "edges around the image, unit vectors"),
    "inside": ("", "a direction in the image"),
}


def put_event_wise(group: h5py.Group, expectation: EventWise) -> None:
    """Write an event-wise expectation."""
    group.attrs["kind"] = "event_wise"
    group.attrs["lost_fraction"] = expectation.lost_fraction
    _put_all(group, expectation, _EVENT_WISE)
    _put_buckets(group, expectation.buckets)
    _put_grid(group.create_group("exposure"), expectation.exposure, "cm2 s", "exposure")
    if expectation.most is not None:
        about = "largest ratio of expected density to background"
        _put_grid(group.create_group("most"), expectation.most, "", about)


def get_event_wise(group: h5py.Group) -> EventWise:
    """Read an event-wise expectation."""
    return EventWise(
        **_get_all(group, _EVENT_WISE),
        buckets=_get_buckets(group),
        exposure=_get_grid(group["exposure"]),
        lost_fraction=float(group.attrs["lost_fraction"]),
        most=_get_grid(group["most"]) if "most" in group else None,
    )


def put_point_spread(group: h5py.Group, expectation: PointSpread) -> None:
    """Write a point spread expectation."""
    group.attrs["kind"] = "point_spread"
    group.attrs["lost_fraction"] = expectation.lost_fraction
    _put_all(group, expectation, _POINT_SPREAD)
    image = group.create_group("image")
    _put_all(image, expectation.image, _IMAGE)
    _put_buckets(image, expectation.image.buckets)
    _put_grid(group.create_group("yields"), expectation.yields, "", "counts for unit flux")


def get_point_spread(group: h5py.Group) -> PointSpread:
    """Read a point spread expectation."""
    image = group["image"]
    return PointSpread(
        **_get_all(group, _POINT_SPREAD),
        image=PixelImage(**_get_all(image, _IMAGE), buckets=_get_buckets(image)),
        yields=_get_grid(group["yields"]),
        lost_fraction=float(group.attrs["lost_fraction"]),
    )


def _put_all(group: h5py.Group, source, datasets: dict[str, tuple[str, str]]) -> None:
    for name, (unit, about) in datasets.items():
        put(group, name, getattr(source, name), unit, about)


def _get_all(group: h5py.Group, datasets: dict[str, tuple[str, str]]) -> dict[str, np.ndarray]:
    return {name: (map_rows if name in MAPPED else get)(group, name) for name in datasets}


def _put_buckets(group: h5py.Group, buckets: Buckets) -> None:
    group.attrs["bucket_nside"] = buckets.nside
    put(group, "bucket_start", buckets.start, "", "first item of each nested pixel")


def _get_buckets(group: h5py.Group) -> Buckets:
    return Buckets(int(group.attrs["bucket_nside"]), get(group, "bucket_start"))


def _put_grid(group: h5py.Group, grid: SkyGrid, unit: str, about: str) -> None:
    group.attrs["kind"] = "healpix"
    group.attrs["nside"] = grid.nside
    put(group, "values", grid.values, unit, f"{about}, one row per RING pixel")
    if grid.ipix is not None:
        put(group, "ipix", grid.ipix, "", "pixels of the rows")


def _get_grid(group: h5py.Group) -> SkyGrid:
    ipix = get(group, "ipix") if "ipix" in group else None
    return HealpixGrid(int(group.attrs["nside"]), get(group, "values"), ipix)
