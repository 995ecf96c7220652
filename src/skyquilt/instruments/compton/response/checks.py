"""What the readers of all kinds of response have in common."""

import h5py
import numpy as np

from skyquilt.config.units import convert_unit
from skyquilt.errors import InputError
from skyquilt.instruments.compton.axes import Axis, axis_edges, healpix_space, read_axes
from skyquilt.instruments.compton.dataspace import DataSpace

# A block of rows in memory stays below this; a DC2 row of all channels has 11 MB.
_BLOCK_BYTES = 128 << 20
_ORDER = ["NuLambda", "Ei", "Em", "Phi", "PsiChi"]


def histpy_axes(group: h5py.Group, path: str) -> dict[str, Axis]:
    """Axes as histpy writes them, in the order that a response must have."""
    try:
        axes = read_axes(group["axes" if "axes" in group else "AXES"])
    except (ValueError, TypeError, IndexError, AttributeError) as error:
        raise InputError(f"{path}: axes cannot be read: {error}.") from error
    check_order(list(axes), (), path)
    return axes


def histpy_space(axes: dict[str, Axis], path: str, frame: str) -> DataSpace:
    """Measured axes; PsiChi must be in the frame of NuLambda."""
    nside, ordering, psichi_frame = healpix_space(axes["PsiChi"], path)
    if psichi_frame not in (None, frame):
        raise InputError(
            f"{path}: NuLambda is {frame}, but PsiChi is {psichi_frame}; both must be in one frame."
        )
    em_edges, phi_edges = (axis_edges(axes[name], path) for name in ("Em", "Phi"))
    return DataSpace(em_edges, phi_edges, nside, ordering, frame)


def check_order(names: list[str], summed: tuple[str, ...], path: str) -> None:
    """Check the order of the axes; those in `summed` may follow."""
    if "Pol" in names:
        raise InputError(f"{path}: a response with polarisation (axis Pol) is not supported.")
    if names[:5] != _ORDER or not set(names[5:]) <= set(summed):
        raise InputError(
            f"{path}: axes are {', '.join(map(str, names))}; they must be {', '.join(_ORDER)}, in "
            "this order."
        )


def check_shape(shape: tuple, wanted: tuple, path: str) -> None:
    """Check that contents fit the axes."""
    if shape != wanted:
        raise InputError(f"{path}: contents have shape {shape}; the axes ask for {wanted}.")


def area_factor(unit: str, wanted: str, path: str) -> float:
    """Factor from the file's unit to skyquilt's."""
    if unit == wanted:
        return 1.0
    try:
        return convert_unit(unit, wanted)
    except ValueError as error:
        raise InputError(f"{path}: unit is {unit!r}, not convertible to {wanted}.") from error


def rows_per_read(dataset: h5py.Dataset, itemsize: int | None = None) -> int:
    """Rows of one stored chunk, as long as they fit in memory."""
    row_bytes = int(np.prod(dataset.shape[1:])) * (itemsize or dataset.dtype.itemsize)
    in_chunk = dataset.chunks[0] if dataset.chunks else 1
    return max(1, min(in_chunk, _BLOCK_BYTES // row_bytes))
