"""All targets of an analysis: what is fitted, and the rows that rosters have of it."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from skyquilt.config.shape import BrightnessMap, Shape
from skyquilt.config.target import Target
from skyquilt.config.targets import TargetOptions, check_profile
from skyquilt.errors import InputError
from skyquilt.sky.frames import position_to_vec, separation, vec_to_lonlat

_SAME_POSITION = 0.01  # [deg]


class TargetFit(NamedTuple):
    """A target with a profile: what is fitted once, for all rosters.

    Attributes
    ----------
    name, profile : str
        Name of the target and of its profile.
    shape : Shape
        Shape on the sky.
    direction : ndarray of float64, shape (3,)
        Unit vector in ICRS.
    """

    name: str
    profile: str
    shape: Shape
    direction: np.ndarray


class TargetRow(NamedTuple):
    """A target with a profile as rosters have it.

    Attributes
    ----------
    fit : int
        Number of its fit.
    version : str
        Version, by its alias if it has one; "" for none.
    rosters : tuple of str
        Rosters that have it.
    numbers : dict of str to float
        Numbers of it, as weights.
    """

    fit: int
    version: str
    rosters: tuple[str, ...]
    numbers: Mapping[str, float]


class TargetList(NamedTuple):
    """All targets, sorted by name, profile and version.

    Attributes
    ----------
    fits : tuple of TargetFit
        What is fitted.
    rows : tuple of TargetRow
        Rows of the tables.
    """

    fits: tuple[TargetFit, ...]
    rows: tuple[TargetRow, ...]


def list_targets(options: TargetOptions, rosters: Mapping[str, Mapping[str, Target]]) -> TargetList:
    """Targets of some rosters; their order, and that of targets in them, does not matter.

    Parameters
    ----------
    options : TargetOptions
        Section `targets`: its profiles and aliases.
    rosters : dict of str to dict of str to Target
        Targets of each roster.

    Raises
    ------
    InputError
        If one name is at two positions, a profile has no shape or two of them, a version has other
        numbers on another roster, or an alias stands for no version.
    """
    positions: dict[str, np.ndarray] = {}
    shapes: dict[str, Shape] = dict(options.profiles)
    rows: dict[tuple[str, str, str], tuple[list[str], Mapping[str, float]]] = {}
    versions = set()
    for roster in sorted(rosters):
        for name, target in rosters[roster].items():
            where = f"rosters.{roster}.{name}"
            _check_position(where, name, target, positions)
            versions.add(target.version)
            version = options.aliases.get(target.version or "", target.version or "")
            for profile in _profiles(where, target, options, shapes):
                key = name, profile, version
                on, numbers = rows.setdefault(key, ([], target.numbers))
                if numbers != target.numbers:
                    raise InputError(
                        f"targets.{where}: other numbers than on roster {on[0]}, {target.numbers} "
                        f"and {numbers}: give them one `version` each."
                    )
                if roster in on:
                    raise InputError(
                        f"targets.{where}: roster {roster} has {name} twice, by aliases of its "
                        "version: give another alias."
                    )
                on.append(roster)
    if unknown := sorted(options.aliases.keys() - versions):
        raise InputError(
            f"targets.aliases: {unknown[0]} is no version of any roster; there are "
            f"{', '.join(sorted(filter(None, versions))) or 'none'}."
        )
    keys = {key: number for number, key in enumerate(sorted({key[:2] for key in rows}))}
    fits = tuple(TargetFit(*key, shapes[key[1]], positions[key[0]]) for key in keys)
    listed = [
        TargetRow(keys[key[:2]], key[2], tuple(on), numbers)
        for key, (on, numbers) in sorted(rows.items())
    ]
    return TargetList(fits, tuple(listed))


def _check_position(
    where: str, name: str, target: Target, positions: dict[str, np.ndarray]
) -> None:
    position = target.position
    here = position_to_vec(position.lon, position.lat, position.frame, "icrs")
    before = positions.setdefault(name, here)
    distance = float(separation(here, before))
    if distance > _SAME_POSITION:
        lon, lat = (float(one) for one in vec_to_lonlat(before))
        raise InputError(
            f"targets.{where}: {distance:.3g} deg from {name} of another roster, at ({lon:.4f}, "
            f"{lat:.4f}) icrs: a name is that of one position; give another one."
        )


def _profiles(
    where: str, target: Target, options: TargetOptions, shapes: dict[str, Shape]
) -> tuple[str, ...]:
    """Names of the profiles of a target; a shape of its own gets a name."""
    if target.profile is None:
        return tuple(options.profiles)
    if isinstance(target.profile, str):
        try:
            check_profile(where, target, options.profiles)
        except ValueError as error:
            raise InputError(f"targets.{error}.") from error
        return (target.profile,)
    name = name_shape(target.profile)
    if shapes.setdefault(name, target.profile) != target.profile:
        raise InputError(
            f"targets.{where}.profile: another shape has the name {name}: give both a name of "
            "their own under `profiles`."
        )
    return (name,)


def name_shape(shape: Shape) -> str:
    """Name of a shape that has none.

    Examples
    --------
    >>> from skyquilt.config.shape import Disk
    >>> name_shape(Disk(model="disk", radius=0.378))
    'disk-0.378'
    """
    if isinstance(shape, BrightnessMap):
        return f"map-{shape.path.rpartition('/')[2].partition('.')[0]}"
    numbers = [f"{value:g}" for key, value in shape if key != "model"]
    return "-".join([shape.model, *numbers])
