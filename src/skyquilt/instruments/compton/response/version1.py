"""Detector response in the layout of cosipy up to mid 2025, dense or sparse."""

from collections.abc import Callable

import h5py
import numpy as np

from skyquilt.errors import InputError
from skyquilt.instruments.compton.axes import Axis, axis_edges, ordering_of, text
from skyquilt.instruments.compton.dataspace import DataSpace
from skyquilt.instruments.compton.response.checks import ORDER, area_factor, check_names
from skyquilt.instruments.compton.response.layout import dense_reader, rows_per_read
from skyquilt.instruments.compton.response.model import Response

_SCALES = ("linear", "log")


def read_version_1(drm: h5py.Group, path: str) -> Response:
    """Old layout; without the attribute SPARSE it is sparse."""
    names = _creation_order(drm["AXES"], path)
    check_names(names, path)
    axes = {name: _drm_axis(drm["AXES"][name], name, path) for name in names}
    source, scattered = axes["NuLambda"], axes["PsiChi"]
    if source.nside is None or scattered.nside is None:
        raise InputError(f"{path}: axes NuLambda and PsiChi must be of the type 'healpix'.")
    ei_edges, em_edges, phi_edges = (axis_edges(axes[name], path) for name in ("Ei", "Em", "Phi"))
    space = DataSpace(em_edges, phi_edges, scattered.nside, scattered.ordering, "local")
    factor = area_factor(text(drm.attrs["UNIT"]), "cm2", path)
    n_bins = {name: axis.n_bins for name, axis in axes.items()}
    if bool(drm.attrs.get("SPARSE", True)):
        read, n_rows = _sparse_reader(drm, n_bins, path), 1
    else:
        read = dense_reader(drm["CONTENTS"], n_bins, path)
        n_rows = rows_per_read(drm["CONTENTS"], names)
    return Response(
        path=path,
        nside=source.nside,
        ordering=source.ordering,
        frame="local",
        ei_edges=ei_edges,
        space=space,
        unit="s-1",
        read=_scaled(read, factor),
        rows_per_read=n_rows,
    )


def _creation_order(group: h5py.Group, path: str) -> list[str]:
    """Names in the order in which they were made, which is that of the contents' axes."""
    if not group.id.get_create_plist().get_link_creation_order() & h5py.h5p.CRT_ORDER_TRACKED:
        raise InputError(
            f"{path}: the group {group.name} does not know in which order its axes "
            f"({', '.join(group)}) were made, which is that of the contents: write it with "
            "track_order=True."
        )
    return sorted(group, key=lambda name: group.id.links.get_info(name.encode()).corder)


def _drm_axis(stored: h5py.Dataset, name: str, path: str) -> Axis:
    """Axis of a detector response.

    The writer stamps NuLambda's nside on every axis, so the attribute NSIDE is not trusted.
    """
    edges, kind = stored[:], text(stored.attrs["TYPE"])
    if kind != "healpix":
        if kind not in _SCALES:
            raise InputError(
                f"{path}: axis {name} is of the type {kind!r}; allowed are healpix, "
                f"{', '.join(_SCALES)}."
            )
        if edges.size < 2 or not np.all(np.diff(edges) > 0):
            raise InputError(f"{path}: edges of axis {name} must ascend; they are {edges}.")
        return Axis(name, edges, text(stored.attrs["UNIT"]))
    npix = edges.size - 1
    nside = round((max(npix, 0) / 12) ** 0.5)
    if nside == 0 or 12 * nside**2 != npix:
        raise InputError(f"{path}: axis {name} has {npix} pixels, not 12 nside^2.")
    if not np.array_equal(edges, np.arange(npix + 1)):
        raise InputError(f"{path}: pixels of axis {name} are not 0 to {npix} in this order.")
    ordering = ordering_of(stored.attrs["SCHEME"], f"{path}: axis {name}")
    return Axis(name, edges, nside=nside, ordering=ordering)


def _scaled(read: Callable, factor: float) -> Callable:
    if factor == 1:
        return read
    return lambda start, stop, channels: read(start, stop, channels) * factor


def _sparse_reader(drm: h5py.Group, n_bins: dict[str, int], path: str) -> Callable:
    """Reader of ragged rows; the axes that a response does not have are summed."""
    names = list(n_bins)
    if names[0] != "NuLambda":
        raise InputError(
            f"{path}: the first axis of a sparse response is {names[0]}, not NuLambda."
        )
    numbers, contents = drm["BIN_NUMBERS"], drm["CONTENTS"]
    for dataset in (numbers, contents):
        if dataset.shape != (n_bins["NuLambda"],):
            raise InputError(
                f"{path}: {dataset.name} has shape {dataset.shape}; the axes ask for "
                f"{(n_bins['NuLambda'],)}."
            )
    kept = [names.index(name) - 1 for name in ORDER[1:]]
    shape = tuple(n_bins[name] for name in ORDER[1:])

    def read(start: int, stop: int, channels: slice) -> np.ndarray:
        block = np.zeros((stop - start, *shape))
        for row, out in zip(range(start, stop), block, strict=True):
            bins = numbers[row].reshape(len(names) - 1, -1)[kept]
            if bins.size and bins.min() < 0:
                raise ValueError(f"bin {bins.min()} of row {row} lies outside the axes")
            np.add.at(out, tuple(bins), contents[row])
        return block[:, :, channels]

    return read
