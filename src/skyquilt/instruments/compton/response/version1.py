"""Detector response in the layout of cosipy up to mid 2025, dense or sparse."""

import h5py
import numpy as np

from skyquilt.errors import InputError
from skyquilt.instruments.compton.dataspace import DataSpace
from skyquilt.instruments.compton.response.checks import (
    area_factor,
    check_order,
    check_shape,
    rows_per_read,
)
from skyquilt.instruments.compton.response.model import Response


def read_version_1(drm: h5py.Group, path: str) -> Response:
    """Old layout; without the attribute SPARSE it is sparse."""
    names = _creation_order(drm["AXES"])
    is_sparse = bool(drm.attrs.get("SPARSE", True))
    summed = ("SigmaTau", "Dist") if is_sparse else ()
    check_order(names, summed, path)
    edges = {name: _drm_edges(drm["AXES"][name], path) for name in names}
    nside, ordering = _drm_healpix(drm["AXES"]["NuLambda"], path)
    psichi_nside, psichi_ordering = _drm_healpix(drm["AXES"]["PsiChi"], path)
    space = DataSpace(edges["Em"], edges["Phi"], psichi_nside, psichi_ordering, "local")
    factor = area_factor(drm.attrs["UNIT"], "cm2", path)
    shape = (12 * nside**2, edges["Ei"].size - 1, *space.shape)
    if is_sparse:
        sizes = [edges[name].size - 1 for name in names[1:]]
        read, n_rows = _sparse_reader(drm, shape, sizes, factor), 1
        check_shape(drm["CONTENTS"].shape, shape[:1], path)
    else:
        check_shape(drm["CONTENTS"].shape, shape, path)
        read, n_rows = _dense_reader(drm["CONTENTS"], factor), rows_per_read(drm["CONTENTS"])
    return Response(path, nside, ordering, "local", edges["Ei"], space, "s-1", read, n_rows)


def _creation_order(group: h5py.Group) -> list[str]:
    """Names in the order in which they were made, which is that of the contents' axes."""
    if group.id.get_create_plist().get_link_creation_order() & h5py.h5p.CRT_ORDER_TRACKED:
        return sorted(group, key=lambda name: group.id.links.get_info(name.encode()).corder)
    return list(group)


def _drm_edges(axis: h5py.Dataset, path: str) -> np.ndarray:
    """Edges of an axis in keV, deg or pixels."""
    name = axis.name.rsplit("/", 1)[-1]
    if axis.attrs["TYPE"] == "healpix":
        return axis[:]
    wanted = {"Phi": "deg", "Dist": "cm", "Pol": "deg"}.get(name, "keV")
    if axis.attrs["UNIT"] == wanted:
        return axis[:]
    from astropy.units import Unit

    try:
        return axis[:] * Unit(axis.attrs["UNIT"]).to(wanted)
    except ValueError as error:
        raise InputError(
            f"{path}: axis {name} is in {axis.attrs['UNIT']!r}; it must be convertible to {wanted}."
        ) from error


def _drm_healpix(axis: h5py.Dataset, path: str) -> tuple[int, str]:
    """Resolution and ordering of an axis, from its edges.

    The writer stamps NuLambda's nside on every axis, so the attribute NSIDE is not trusted.
    """
    npix = axis.size - 1
    nside = round((npix / 12) ** 0.5)
    if 12 * nside**2 != npix:
        raise InputError(f"{path}: axis {axis.name} has {npix} pixels, not 12 nside^2.")
    return nside, str(axis.attrs["SCHEME"]).upper()


def _sparse_reader(drm: h5py.Group, shape: tuple, sizes: list[int], factor: float):
    """Reader of ragged rows; the axes after PsiChi are summed."""
    n_dense = len(shape) - 1
    numbers, contents = drm["BIN_NUMBERS"], drm["CONTENTS"]

    def read(start: int, stop: int, channels: slice) -> np.ndarray:
        block = np.zeros((stop - start, *shape[1:]))
        for row, out in zip(range(start, stop), block, strict=True):
            bins = numbers[row].reshape(len(sizes), -1)
            np.add.at(out, tuple(bins[:n_dense]), contents[row])
        return block[:, :, channels] * factor

    return read


def _dense_reader(contents: h5py.Dataset, factor: float):
    def read(start: int, stop: int, channels: slice) -> np.ndarray:
        block = contents[start:stop, :, channels]
        return block if factor == 1 else block * factor

    return read
