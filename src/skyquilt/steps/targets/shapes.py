"""Expectations of targets of some shape."""

from collections.abc import Iterator

from skyquilt.config.shape import Shape
from skyquilt.errors import ConfigError
from skyquilt.instruments.extended import describe_shape, extend
from skyquilt.problem.expectation import Expectation
from skyquilt.problem.problem import FitProblem
from skyquilt.targets.listing import TargetFit


class Shapes:
    """Expectations of shapes, each made once.

    Parameters
    ----------
    problem : FitProblem
        The problem of points.
    """

    def __init__(self, problem: FitProblem):
        self._problem = problem
        self._made: list[tuple[Shape, Expectation]] = []

    def __getitem__(self, shape: Shape) -> Expectation:
        for known, made in self._made:
            if known == shape:
                return made
        made = extend(self._problem, shape).expectation
        self._made.append((shape, made))
        return made


def check_widths(fits: tuple[TargetFit, ...], region_deg: float) -> None:
    """Refuse profiles that are wider than the region around their target.

    Raises
    ------
    ConfigError
        If one is; the message names it.
    """
    for one in fits:
        for size in _sizes(one.shape):
            if size > region_deg:
                raise ConfigError(
                    f"targets: profile {one.profile} of {one.name} ({describe_shape(one.shape)}) "
                    f"is wider than the region of {region_deg:.3g} deg: give a larger `region` or "
                    "a narrower profile."
                )


def _sizes(shape: Shape) -> Iterator[float]:
    """Radii and widths of a shape [deg]."""
    for key, value in shape:
        if key in ("radius", "outer", "sigma"):
            yield value
