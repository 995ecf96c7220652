"""What the readers of all kinds of response have in common."""

import h5py

from skyquilt.config.units import convert_unit
from skyquilt.errors import InputError
from skyquilt.instruments.compton.axes import Axis, axis_edges, healpix_space, read_axes
from skyquilt.instruments.compton.dataspace import DataSpace

ORDER = ("NuLambda", "Ei", "Em", "Phi", "PsiChi")
"""Axes of a response, in the order of blocks of rows."""
_SUMMED = ("SigmaTau", "Dist")
"""Axes that may be there besides, and are summed."""


def histpy_axes(group: h5py.Group, path: str) -> dict[str, Axis]:
    """Axes as histpy writes them, in the order of the contents."""
    try:
        axes = read_axes(group["axes" if "axes" in group else "AXES"])
    except (ValueError, TypeError, IndexError, AttributeError) as error:
        raise InputError(f"{path}: axes cannot be read: {error}.") from error
    check_names(list(axes), path)
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


def check_names(names: list[str], path: str) -> None:
    """Check that a response has the axes it needs, in any order, and none that is not known."""
    if "Pol" in names:
        raise InputError(f"{path}: a response with polarisation (axis Pol) is not supported.")
    missing = [name for name in ORDER if name not in names]
    unknown = [name for name in names if name not in ORDER + _SUMMED]
    if missing or unknown:
        raise InputError(
            f"{path}: axes are {', '.join(map(str, names))}; they must be {', '.join(ORDER)} (and "
            f"may be {' and '.join(_SUMMED)}), in any order; missing: "
            f"{', '.join(missing) or 'none'}, not known: {', '.join(unknown) or 'none'}."
        )


def area_factor(unit: str, wanted: str, path: str) -> float:
    """Factor from the file's unit to skyquilt's."""
    if unit == wanted:
        return 1.0
    try:
        return convert_unit(unit, wanted)
    except ValueError as error:
        raise InputError(f"{path}: unit is {unit!r}, not convertible to {wanted}.") from error
