"""Detector response in the layout of cosipy since mid 2025: counts and area per count."""

import h5py
import numpy as np

from skyquilt.errors import InputError
from skyquilt.instruments.compton.axes import axis_edges, healpix_space, text
from skyquilt.instruments.compton.response.checks import area_factor, histpy_axes, histpy_space
from skyquilt.instruments.compton.response.layout import dense_reader, rows_per_read
from skyquilt.instruments.compton.response.model import Response


def read_version_2(drm: h5py.Group, path: str) -> Response:
    """Counts and effective area per count; axes as histpy writes them."""
    axes = histpy_axes(drm, path)
    nside, ordering, frame = healpix_space(axes["NuLambda"], path)
    if frame == "galactic":
        raise InputError(f"{path}: a detector response in galactic coordinates is not known.")
    if bool(drm.attrs.get("SPARSE", False)):
        raise InputError(f"{path}: a sparse response of version 2 is not known.")
    space = histpy_space(axes, path, "local")
    ei_edges = axis_edges(axes["Ei"], path)
    factor = area_factor(text(drm.attrs["UNIT"]), "cm2", path)
    area = _area(drm["EFF_AREA"], ei_edges.size - 1, path) * factor
    counts = _filtered(drm["COUNTS"], path)
    stored = dense_reader(counts, {name: axis.n_bins for name, axis in axes.items()}, path)

    def read(start: int, stop: int, channels: slice) -> np.ndarray:
        return stored(start, stop, channels) * area[:, None, None, None]

    return Response(
        *(path, nside, ordering, "local", ei_edges, space, "s-1", read),
        rows_per_read=rows_per_read(counts, list(axes), 8),
    )


def _area(dataset: h5py.Dataset, n_energies: int, path: str) -> np.ndarray:
    """Effective area per count, one for each true energy."""
    area = np.asarray(dataset, dtype=np.float64)
    if area.shape != (n_energies,):
        raise InputError(
            f"{path}: EFF_AREA has shape {area.shape}; the axis Ei asks for {(n_energies,)}."
        )
    if not (np.isfinite(area).all() and np.all(area >= 0)):
        raise InputError(f"{path}: EFF_AREA is {area}; it must be finite and at least 0.")
    return area


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
            f"{path}: {dataset.name} is compressed with a filter of hdf5plugin (cosipy's default "
            "is Bitshuffle), which is not installed: run `pip install hdf5plugin`."
        ) from error
    unknown = [number for number in filters if not h5py.h5z.filter_avail(number)]
    if unknown:
        raise InputError(
            f"{path}: {dataset.name} is compressed with HDF5 filter {unknown[0]}, which is not "
            "known here: write it again with gzip or Bitshuffle."
        )
    return dataset
