"""Detector response in the layout of cosipy since mid 2025: counts and area per count."""

import h5py
import numpy as np

from skyquilt.errors import InputError
from skyquilt.instruments.compton.axes import axis_edges, healpix_space
from skyquilt.instruments.compton.response.checks import (
    area_factor,
    check_shape,
    histpy_axes,
    histpy_space,
    rows_per_read,
)
from skyquilt.instruments.compton.response.model import Response


def read_version_2(drm: h5py.Group, path: str) -> Response:
    """Counts and effective area per count; axes as histpy writes them."""
    axes = histpy_axes(drm, path)
    nside, ordering, frame = healpix_space(axes["NuLambda"], path)
    if frame == "galactic":
        raise InputError(f"{path}: a detector response in galactic coordinates is not known.")
    space = histpy_space(axes, path, "local")
    ei_edges = axis_edges(axes["Ei"], path)
    factor = area_factor(drm.attrs["UNIT"], "cm2", path)
    area = np.asarray(drm["EFF_AREA"], dtype=np.float64) * factor
    counts = _filtered(drm["COUNTS"], path)
    check_shape(counts.shape, (12 * nside**2, ei_edges.size - 1, *space.shape), path)
    check_shape(area.shape, (ei_edges.size - 1,), path)

    def read(start: int, stop: int, channels: slice) -> np.ndarray:
        return counts[start:stop, :, channels] * area[:, None, None, None]

    return Response(
        path, nside, ordering, "local", ei_edges, space, "s-1", read, rows_per_read(counts, 8)
    )


def _filtered(dataset: h5py.Dataset, path: str) -> h5py.Dataset:
    """Dataset whose compression filter is available."""
    plist = dataset.id.get_create_plist()
    filters = [plist.get_filter(index)[0] for index in range(plist.get_nfilters())]
    if all(h5py.h5z.filter_avail(number) for number in filters):
        return dataset
    try:
        import hdf5plugin  # noqa: F401  (registers its filters with HDF5)
    except ImportError as error:
        raise InputError(
            f"{path}: {dataset.name} is compressed with a filter of hdf5plugin; run `pip install "
            "hdf5plugin`."
        ) from error
    return dataset
