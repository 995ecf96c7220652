"""Expected background as a density over sky and energy."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeVar

import numpy as np

from skyquilt.config.background import background_key
from skyquilt.config.imaging import BackgroundCube
from skyquilt.errors import InputError
from skyquilt.instruments.backgrounds import Scaled, add, label, read_each
from skyquilt.instruments.imaging.cube import SkyCube, check_same_cube
from skyquilt.instruments.imaging.events import ImagingEvents
from skyquilt.instruments.imaging.healpix_cube import HealpixCube
from skyquilt.problem.band_density import BandDensity
from skyquilt.problem.sky_grid import HealpixGrid
from skyquilt.sky.frames import rotate, rotation

C = TypeVar("C", bound=SkyCube)


@dataclass(frozen=True, eq=False)
class Background:
    """Expected counts in pixels and bands, spread within both.

    How, see `skyquilt.problem.band_density`.

    Attributes
    ----------
    cube : HealpixCube
        Expected counts per pixel and band.
    scale : float
        Factor on them.
    fraction : ndarray of float64, shape (n_pixel,), optional
        Fraction of each pixel that is observed; all of it when left out.
    whole : Background, optional
        Sum of all components, where this is one of several.
    """

    cube: HealpixCube
    scale: float = 1.0
    fraction: np.ndarray | None = None
    whole: "Background | None" = None

    def band_totals(self) -> np.ndarray:
        """Expected counts of each band, over the sky that is observed."""
        fraction = 1.0 if self.fraction is None else self.fraction[:, np.newaxis]
        return self.scale * np.sum(fraction * self.cube.values, axis=0)

    def total(self, span: tuple[float, float]) -> float:
        """Expected counts between two energies [keV]."""
        return float(np.sum(self.band_totals() * self.spread.fractions(span)))

    def density(self, events: ImagingEvents) -> np.ndarray:
        """Expected counts per solid angle and energy [sr-1 keV-1] at each event.

        Raises
        ------
        InputError
            If there is none at the position of an event, and this is all of the background.
        """
        density = self.spread.at_each(self._turn(events.frame, events.direction), events.energy)
        n_bad = int(np.count_nonzero(~(density > 0)))
        if n_bad and self.whole is None:
            raise InputError(
                f"{self.cube.path}: {n_bad} of {density.size} events lie where the expected "
                "background is 0, and have no finite likelihood: give the background a value "
                "wherever there are events, or another `energy.range`."
            )
        return density

    def at(self, frame: str, direction: np.ndarray, energy: np.ndarray) -> np.ndarray:
        """The same at any positions and energies, 0 where there is none.

        Parameters
        ----------
        frame : {"galactic", "icrs"}
            Frame of the directions.
        direction : ndarray of float64, shape (n, 3)
            Unit vectors.
        energy : ndarray of float64, shape (m,)
            Energies [keV].

        Returns
        -------
        ndarray of float64, shape (n, m)
            Densities [sr-1 keV-1].
        """
        return self.spread.at(self._turn(frame, direction), energy)

    @cached_property
    def spread(self) -> BandDensity:
        """The counts spread within pixels and bands, in the frame of the cube."""
        ipix = None if self.cube.is_full else self.cube.ipix
        grid = HealpixGrid(self.cube.nside, self.cube.values, ipix)
        whole = None if self.whole is None else self.whole.spread
        return BandDensity(grid, self.cube.energies, self.scale, whole)

    def _turn(self, frame: str, direction: np.ndarray) -> np.ndarray:
        return rotate(rotation(frame, self.cube.frame), direction)


def read_backgrounds(
    sections: Mapping[str, BackgroundCube],
    read: Callable[[BackgroundCube, str], C],
    like: C | None = None,
) -> dict[str, C]:
    """Cubes of all components, which must have the same pixels and bands.

    Parameters
    ----------
    sections : dict of str to BackgroundCube
        Sections of the analysis, by the name of the component.
    read : callable
        Reads the cube of a section and its key.
    like : SkyCube, optional
        Counts that must have these pixels and bands, too.

    Raises
    ------
    InputError
        If a file is damaged, or cubes differ; with the name of the component.
    ConfigError
        If a frame or a unit is not known.
    """
    cubes: dict[str, C] = {}

    def read_one(name: str, section: BackgroundCube) -> C:
        cubes[name] = cube = read(section, background_key(name))
        first = next(iter(cubes.values())) if like is None else like
        if first is not cube:
            check_same_cube(first, cube)
        return cube

    return read_each(sections, read_one)


def add_cubes(cubes: Mapping[str, C], scales: Mapping[str, float]) -> C:
    """Sum of the components, each times its factor; the only one without it, as it was read."""
    first = next(iter(cubes.values()))
    if len(cubes) == 1:
        return first
    scaled = {name: cube.values * scales[name] for name, cube in cubes.items()}
    paths = ", ".join(label(name, cube.path) for name, cube in cubes.items())
    return replace(first, path=paths, values=add(scaled))


def describe_factors(
    sections: Mapping[str, Scaled], fractions: Mapping[str, float] | None = None
) -> dict[str, tuple[float, str]]:
    """Factor on each component and where it comes from, for people.

    Parameters
    ----------
    sections : dict of str to Scaled
        Sections of the components; their `scale` is a factor.
    fractions : dict of str to float, optional
        Part of the good time that is taken of each.
    """
    factors = {}
    for name, section in sections.items():
        source = "background file" if section.scale == 1 else "configuration"
        if fractions:
            source = f"{source}, and good time in `data.interval`"
        factors[name] = section.scale * (fractions or {}).get(name, 1.0), source
    return factors
