"""Expectations of extended sources, from those of points."""

from dataclasses import replace

import numpy as np

from skyquilt.config.shape import BrightnessMap, Disk, Gaussian, Ring, Shape
from skyquilt.errors import InputError
from skyquilt.problem.event_wise import EventWise
from skyquilt.problem.expectation import Expectation
from skyquilt.problem.folding import fold_disks, fold_gaussian
from skyquilt.problem.joint import Joint
from skyquilt.problem.point_spread import PointSpread
from skyquilt.problem.problem import FitProblem
from skyquilt.problem.shaped import Shaped
from skyquilt.problem.sky_grid import HealpixGrid
from skyquilt.sky.frames import position_to_vec, rotation, vec_to_lonlat
from skyquilt.sky.nodes import Nodes
from skyquilt.sky.shapes import is_point, is_radial, to_disks, to_nodes

_MOST = 0.9
"""Fraction of the brightness that must find room in the data."""


def extend(problem: FitProblem, shape: Shape) -> FitProblem:
    """Problem of a source of some shape, from that of a point.

    Radial shapes are folded with the point spread function of an imaging instrument, so that such a
    map costs as much as that of points. Elsewhere the source is a sum of points.

    Parameters
    ----------
    problem : FitProblem
        The problem; its expectation is that of points.
    shape : Shape
        Section `shape` of the analysis.

    Returns
    -------
    FitProblem
        Directions are those of the centre of the source, its flux is that of the whole source.

    Raises
    ------
    InputError
        If the shape is wider than the data, or needs too many points, or its map is no brightness
        of integral 1.
    """
    if is_point(shape):
        return problem
    source = _Source(shape)
    _check_width(problem, source)
    problem = replace(problem, description=problem.description._replace(shape=source.about))
    return replace(problem, expectation=_extended(problem.expectation, problem.frame, source))


def check_shape(shape: Shape) -> None:
    """Read what a shape is read from.

    Raises
    ------
    InputError
        If its map is no brightness of integral 1.
    """
    _Source(shape).nodes()


class _Source:
    """A shape, and the directions that stand for it."""

    def __init__(self, shape: Shape):
        self.shape = shape
        self.about = describe_shape(shape)
        if isinstance(shape, BrightnessMap):
            self._read_map(shape)

    def nodes(self, core: float = np.inf) -> Nodes:
        """Directions, for a width of what they are folded with [rad]."""
        try:
            if isinstance(self.shape, BrightnessMap):
                return self._brightness.nodes(self._center, core)
            return to_nodes(self.shape, core)
        except ValueError as error:
            raise InputError(
                f"shape, {self.about}: {error}: give a narrower one, a centre within it, or a map "
                "in larger pixels."
            ) from error

    def _read_map(self, shape: BrightnessMap) -> None:
        from skyquilt.instruments.imaging.brightness_file import read_brightness

        self._brightness = read_brightness(shape)
        try:
            position = shape.center
            self._center = (
                self._brightness.center()
                if position is None
                else position_to_vec(position.lon, position.lat, position.frame, "icrs")
            )
        except ValueError as error:
            raise InputError(f"{shape.path}: {error}: give `center` under shape.") from error
        lon, lat = vec_to_lonlat(self._center)
        self.about = f"{self.about} around ({lon:.4f}, {lat:.4f}) icrs"


def describe_shape(shape: Shape) -> str:
    """Shape and its numbers in one line.

    Examples
    --------
    >>> from skyquilt.config.shape import Disk
    >>> describe_shape(Disk(model="disk", radius=0.5))
    'disk: radius 0.5'
    """
    if isinstance(shape, BrightnessMap):
        return f"map: {shape.path}"
    numbers = [f"{key} {value:g}" for key, value in shape if key != "model"]
    return f"{shape.model}: {', '.join(numbers)}" if numbers else shape.model


def _check_width(problem: FitProblem, source: _Source) -> None:
    """Refuse a shape that has no room in the data, wherever its centre is."""
    width, room = source.nodes().radius(_MOST), problem.expectation.extent
    if room is not None and width > room:
        raise InputError(
            f"shape, {source.about}: {_MOST:.0%} of its brightness reach {np.degrees(width):.3g} "
            f"deg from its centre, but the data no farther than {np.degrees(room):.3g} deg from "
            "their middle: give a narrower shape, or data of a larger part of the sky."
        )


def _extended(expectation: Expectation, frame: str, source: _Source) -> Expectation:
    """Folding needs a point spread function that is one profile; those two kinds have it."""
    if isinstance(expectation, Joint):
        each = (
            part._replace(expectation=_extended(part.expectation, part.frame, source))
            for part in expectation.parts
        )
        return replace(expectation, parts=tuple(each))
    if not (isinstance(expectation, PointSpread | EventWise) and is_radial(source.shape)):
        nodes = source.nodes(expectation.core)
        return Shaped(expectation, nodes, rotation("icrs", frame)[:, 2])
    theta, profile = _fold(expectation.theta, expectation.profile, source.shape)
    if isinstance(expectation, PointSpread):
        return replace(expectation, theta=theta, profile=profile)
    most = expectation.most
    if isinstance(most, HealpixGrid):
        ratio = profile.max(axis=1) / expectation.profile.max(axis=1)
        most = _scale(most, float(np.max(ratio)))
    return replace(expectation, theta=theta, profile=profile, most=most)


def _scale(grid: HealpixGrid, factor: float) -> HealpixGrid:
    return replace(grid, values=factor * grid.values)


def _fold(theta: np.ndarray, profile: np.ndarray, shape: Shape) -> tuple[np.ndarray, np.ndarray]:
    if isinstance(shape, Gaussian):
        return fold_gaussian(theta, profile, float(np.radians(shape.sigma)))
    if isinstance(shape, Disk | Ring):
        return fold_disks(theta, profile, *to_disks(shape))
    raise ValueError(f"{describe_shape(shape)}: allowed are radial shapes.")
