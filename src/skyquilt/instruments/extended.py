"""Expectations of extended sources, from those of points."""

from dataclasses import replace

import numpy as np

from skyquilt.config.shape import Gaussian, Shape
from skyquilt.problem.event_wise import EventWise
from skyquilt.problem.expectation import Expectation
from skyquilt.problem.folding import fold_disks, fold_gaussian
from skyquilt.problem.joint import Joint
from skyquilt.problem.point_spread import PointSpread
from skyquilt.problem.problem import FitProblem
from skyquilt.problem.shaped import Shaped
from skyquilt.problem.sky_grid import HealpixGrid
from skyquilt.sky.frames import rotation
from skyquilt.sky.shapes import is_point, is_radial, to_disks, to_nodes


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
    """
    if is_point(shape):
        return problem
    problem = replace(
        problem, description=problem.description._replace(shape=describe_shape(shape))
    )
    return replace(problem, expectation=_extended(problem.expectation, problem.frame, shape))


def describe_shape(shape: Shape) -> str:
    """Shape and its numbers in one line.

    Examples
    --------
    >>> from skyquilt.config.shape import Disk
    >>> describe_shape(Disk(model="disk", radius=0.5))
    'disk: radius 0.5'
    """
    numbers = [f"{key} {value:g}" for key, value in shape if key != "model"]
    return f"{shape.model}: {', '.join(numbers)}" if numbers else shape.model


def _extended(expectation: Expectation, frame: str, shape: Shape) -> Expectation:
    if isinstance(expectation, Joint):
        parts = expectation.parts
        each = (part._replace(expectation=_extended(*part, shape)) for part in parts)
        return replace(expectation, parts=tuple(each))
    if not (is_radial(shape) and isinstance(expectation, PointSpread | EventWise)):
        return Shaped(expectation, to_nodes(shape), rotation("icrs", frame)[:, 2])
    theta, profile = _fold(expectation.theta, expectation.profile, shape)
    folded = replace(expectation, theta=theta, profile=profile)
    if isinstance(expectation, EventWise) and expectation.most is not None:
        peaks = (one.profile.max(axis=1) for one in (folded, expectation))
        factor = float(np.max(np.divide(*peaks)))
        folded = replace(folded, most=_scale(expectation.most, factor))
    return folded


def _scale(grid: HealpixGrid, factor: float) -> HealpixGrid:
    return replace(grid, values=factor * grid.values)


def _fold(theta: np.ndarray, profile: np.ndarray, shape: Shape) -> tuple[np.ndarray, np.ndarray]:
    if isinstance(shape, Gaussian):
        return fold_gaussian(theta, profile, float(np.radians(shape.sigma)))
    return fold_disks(theta, profile, *to_disks(shape))
