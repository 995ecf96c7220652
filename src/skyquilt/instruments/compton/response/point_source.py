"""Precomputed point source response in galactic coordinates, a histogram of histpy."""

import h5py
import numpy as np

from skyquilt.errors import InputError
from skyquilt.instruments.compton.axes import axis_edges, healpix_space
from skyquilt.instruments.compton.response.checks import (
    area_factor,
    histpy_axes,
    histpy_space,
    rows_per_read,
)
from skyquilt.instruments.compton.response.model import Response


def read_point_source(hist: h5py.Group, path: str) -> Response:
    """Histogram of histpy; an axis stored with two more bins has under- and overflow."""
    axes = histpy_axes(hist, path)
    nside, ordering, frame = healpix_space(axes["NuLambda"], path)
    if frame != "galactic":
        raise InputError(
            f"{path}: NuLambda is in frame {frame!r}; a point source response must be galactic."
        )
    if hist.attrs.get("format", "dense") != "dense":
        raise InputError(f"{path}: contents are {hist.attrs['format']}; dense ones are needed.")
    space, ei_edges = histpy_space(axes, path, "galactic"), axis_edges(axes["Ei"], path)
    contents = hist["contents"]
    shape = (12 * nside**2, ei_edges.size - 1, *space.shape)
    first = [_first_bin(*lengths) for lengths in zip(contents.shape, shape, strict=False)]
    if contents.ndim != len(shape) or None in first:
        raise InputError(
            f"{path}: contents have shape {contents.shape}; the axes ask for {shape}, or 2 more in "
            "an axis with under- and overflow."
        )
    factor = area_factor(hist.attrs.get("unit", ""), "cm2 s", path)

    def read(start: int, stop: int, channels: slice) -> np.ndarray:
        wanted = [slice(begin, begin + size) for begin, size in zip(first, shape, strict=True)]
        wanted[0] = slice(first[0] + start, first[0] + stop)
        wanted[2] = slice(first[2] + channels.start, first[2] + channels.stop)
        block = contents[tuple(wanted)]
        return block if factor == 1 else block * factor

    return Response(
        path, nside, ordering, "galactic", ei_edges, space, "", read, rows_per_read(contents)
    )


def _first_bin(stored: int, n_bins: int) -> int | None:
    """Storage index of the first regular bin; None if the length fits neither rule."""
    return {n_bins: 0, n_bins + 2: 1}.get(stored)
