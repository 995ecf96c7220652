"""Profiles of a fit along some of its free numbers, point by point, in files of parts.

A point does not depend on the others, so that parts of any size give the same bits.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from skyquilt.errors import ProductError, nearest_to
from skyquilt.inference.climb import Status
from skyquilt.inference.profile import profile
from skyquilt.io.hdf5 import get, new_hdf5, open_hdf5, put
from skyquilt.io.provenance import Provenance
from skyquilt.io.schema import Schema
from skyquilt.model.fit import fit
from skyquilt.model.layer import Layer
from skyquilt.model.made import MadeFit
from skyquilt.parallel.split import split_range

# 1.0  first version
SCHEMA = Schema("skyquilt/model-profile", "1.0", "skyquilt model profile")

N_POINTS = 21
"""Points of a profile."""
_N_ERRORS = 3.0  # to both sides


class ProfilePart(NamedTuple):
    """Some of the points of the profiles of a fit.

    Attributes
    ----------
    fit_identity : str
        Identity of the fit.
    names : tuple of str
        Numbers that are profiled, all of them.
    part, of : int
        Which part it is, from 1, and how many there are.
    number : ndarray of int64, shape (n,)
        Of each point, which of `names` is held.
    value : ndarray of float64, shape (n,)
        Its value.
    fall : ndarray of float64, shape (n,)
        2 (ln L of the best - ln L), all other numbers fitted; NaN where they did not converge.
    """

    fit_identity: str
    names: tuple[str, ...]
    part: int
    of: int
    number: np.ndarray
    value: np.ndarray
    fall: np.ndarray


class NumberProfile(NamedTuple):
    """Profile along one number.

    Attributes
    ----------
    name : str
        The number.
    value, fall : ndarray of float64, shape (n,)
        As of `ProfilePart`, ascending.
    """

    name: str
    value: np.ndarray
    fall: np.ndarray


def profile_values(best: float, error: float, lower: float, upper: float) -> np.ndarray:
    """Values of a number within three errors of the best, and its range.

    Parameters
    ----------
    best, error : float
        Best value and its standard error; where that is not known, the value stands for it.
    lower, upper : float
        Range.

    Examples
    --------
    >>> profile_values(1.0, 1.0, 0.0, 9.0)[[0, 1, -1]].round(1).tolist()
    [0.0, 0.1, 4.0]
    """
    wide = _N_ERRORS * (error if np.isfinite(error) else max(abs(best), 1.0))
    points = np.linspace(best - wide, best + wide, N_POINTS)
    return np.unique(np.clip(points, lower, upper))


def profiled_numbers(layer: Layer, names: Iterable[str]) -> list[str]:
    """Free numbers that are profiled: those named, and of a quantity per member all of them.

    Raises
    ------
    ValueError
        If one is no free number.
    """
    found: list[str] = []
    for name in names:
        if name in layer.free:
            found += [layer.names[number] for number in layer.numbers(name)]
        elif name in layer.names:
            found.append(name)
        else:
            raise ValueError(f"profile: no free number {name!r}; {nearest_to(name, layer.names)}")
    return found


def profile_part(made: MadeFit, names: Sequence[str], part: int, of: int) -> ProfilePart:
    """Fit all other numbers at some of the points of the profiles of a fit.

    Parameters
    ----------
    made : MadeFit
        The fit.
    names : sequence of str
        Free numbers that are profiled, or quantities with one per member.
    part, of : int
        Which part of the points, from 1, and how many parts there are.

    Raises
    ------
    ValueError
        If one is no free number.
    """
    layer, is_free = made.layer, made.found.is_free
    names = profiled_numbers(layer, names)
    best = fit(made.posterior, made.x, is_free=is_free)
    indices = [layer.names.index(name) for name in names]
    values = [
        profile_values(best.x[k], best.errors[k], layer.lower[k], layer.upper[k]) for k in indices
    ]
    number = np.repeat(np.arange(len(names)), [each.size for each in values])
    value = np.concatenate([np.empty(0), *values])
    own = split_range(value.size, of, part - 1)
    fall = np.full(value.size, np.nan)
    for point in range(value.size)[own]:
        held, here = indices[number[point]], value[point : point + 1]
        found = profile(made.posterior, best.climb, held, here, made.ranges, is_free)
        if found.status[0] is not Status.NOT_CONVERGED:
            fall[point] = 2 * (best.log_posterior - found.value[0])
    return ProfilePart(made.identity, tuple(names), part, of, number[own], value[own], fall[own])


def write_profile(path: str | Path, points: ProfilePart, provenance: Provenance) -> None:
    """Write a part of the points.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    with new_hdf5(path, SCHEMA, provenance) as file:
        file.attrs["fit_identity"], file.attrs["names"] = points.fit_identity, list(points.names)
        file.attrs["part"], file.attrs["of"] = points.part, points.of
        put(file, "number", points.number, "", "which of the names is held")
        put(file, "value", points.value, "", "its value, in the unit that the fit has")
        put(file, "fall", points.fall, "", "2 (ln L of the best - ln L), all others fitted")


def read_profile(path: str | Path) -> ProfilePart:
    """Read a part of the points.

    Raises
    ------
    ProductError
        If the file is missing, damaged or of another kind.
    """
    with open_hdf5(path, SCHEMA) as file:
        arrays = (get(file, key) for key in ("number", "value", "fall"))
        labels = int(file.attrs["part"]), int(file.attrs["of"])
        names = tuple(map(str, file.attrs["names"]))
        return ProfilePart(str(file.attrs["fit_identity"]), names, *labels, *arrays)


def join_profiles(paths: Iterable[str | Path], identity: str) -> list[NumberProfile]:
    """Profiles of all numbers of a fit, from all their parts.

    Raises
    ------
    ProductError
        If a file is damaged or of another fit, or a part is missing.
    """
    parts: dict[int, ProfilePart] = {}
    for path in paths:
        one = read_profile(path)
        again = f"make it again with `{SCHEMA.made_by} --part {one.part}/{one.of}`"
        if one.fit_identity != identity:
            raise ProductError(f"{path}: of another problem or fit; {again}.")
        parts[one.part] = one
    if not parts:
        return []
    first = next(iter(parts.values()))
    if missing := sorted(set(range(1, first.of + 1)) - set(parts)):
        raise ProductError(
            f"part {missing[0]} of {first.of} of the profiles is missing: make it with "
            f"`{SCHEMA.made_by} --part {missing[0]}/{first.of}`."
        )
    number, value, fall = (
        np.concatenate([getattr(parts[part], key) for part in sorted(parts)])
        for key in ("number", "value", "fall")
    )
    return [
        NumberProfile(name, value[number == k], fall[number == k])
        for k, name in enumerate(first.names)
    ]
