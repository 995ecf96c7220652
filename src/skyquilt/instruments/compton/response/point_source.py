"""Precomputed point source response in galactic coordinates, a histogram of histpy."""

import h5py
import numpy as np

from skyquilt.errors import InputError
from skyquilt.instruments.compton.axes import axis_edges, healpix_space, text
from skyquilt.instruments.compton.response.checks import area_factor, histpy_axes, histpy_space
from skyquilt.instruments.compton.response.layout import dense_reader, rows_per_read
from skyquilt.instruments.compton.response.model import Response, Span


def read_point_source(hist: h5py.Group, path: str) -> Response:
    """Histogram of histpy; an axis stored with two more bins has under- and overflow."""
    axes = histpy_axes(hist, path)
    nside, ordering, frame = healpix_space(axes["NuLambda"], path)
    if frame != "galactic":
        raise InputError(
            f"{path}: NuLambda is in frame {frame!r}; a point source response must be galactic."
        )
    kind = text(hist.attrs.get("format", "dense"))
    if kind != "dense":
        raise InputError(f"{path}: contents are {kind}; dense ones are needed.")
    space, ei_edges = histpy_space(axes, path, "galactic"), axis_edges(axes["Ei"], path)
    contents = hist["contents"]
    n_bins = {name: axis.n_bins for name, axis in axes.items()}
    stored = dense_reader(contents, n_bins, path, overflow=True)
    factor = area_factor(text(hist.attrs.get("unit", "")), "cm2 s", path)

    def read(start: int, stop: int, channels: slice) -> np.ndarray:
        block = stored(start, stop, channels)
        return block if factor == 1 else block * factor

    return Response(
        *(path, nside, ordering, "galactic", ei_edges, space, "", read),
        rows_per_read=rows_per_read(contents, list(axes)),
        span=_span(hist, path),
    )


def _span(hist: h5py.Group, path: str) -> Span:
    """Time of the exposure, where the file says it by the attribute `interval`."""
    if "interval" not in hist.attrs:
        return None
    stamps = np.asarray(hist.attrs["interval"], dtype=np.float64)
    if stamps.shape != (2,) or not stamps[0] < stamps[1]:
        raise InputError(f"{path}: attribute `interval` is {stamps}; two ascending times [UNIX s].")
    return float(stamps[0]), float(stamps[1])
