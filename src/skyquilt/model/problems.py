"""Likelihood of sources over backgrounds in fit problems, one problem per cell.

Problems keep nodes of true energy, so that positions, spectra, fluxes and factors of backgrounds
may all vary: mu = sum_s flux_s sum_k phi_k(spectrum_s) e_k(position_s) + norm b.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from skyquilt.model.layer import Values
from skyquilt.model.likelihood import CellDerivatives
from skyquilt.problem import FitProblem
from skyquilt.problem.nodes import NodeBlock
from skyquilt.sky.frames import lonlat_to_vec

_STEP = 1e-30  # of a complex step
_ANGLE = 0.02  # difference of positions for derivatives, of the sharpness of the data
_LEAST_ANGLE = 1e-4  # the same where the sharpness is not known [deg]


class Source(NamedTuple):
    """A source of a model.

    Its quantities are ``{name}.lon`` and ``{name}.lat`` [deg] in the frame of the problems,
    ``{name}.flux``, the factor on its spectrum, and ``{name}.{parameter}``.

    Attributes
    ----------
    name : str
        Name.
    spectrum : callable
        Takes energies [keV] and the parameters by keyword; gives dN/dE [ph cm-2 s-1 keV-1].
        Analytic in its parameters.
    parameters : tuple of str
        Names of the parameters.
    """

    name: str
    spectrum: Callable[..., np.ndarray]
    parameters: tuple[str, ...]

    @property
    def quantities(self) -> tuple[str, ...]:
        """Names of all its quantities: position, flux, parameters."""
        return tuple(f"{self.name}.{part}" for part in ("lon", "lat", "flux", *self.parameters))


class _Counts(NamedTuple):
    """Expected counts in the hit bins, and in all bins."""

    hit: np.ndarray
    total: float


class ProblemData:
    """Counts of fit problems, one per cell, with sources over backgrounds.

    Parameters
    ----------
    problems : sequence of FitProblem
        One per cell, with nodes of true energy, all in one frame.
    sources : sequence of Source
        The sources.
    background : str
        Quantity that is the factor on the background.

    Raises
    ------
    ValueError
        If a problem has no nodes, does not know its background in all bins, or is of another frame.
    """

    def __init__(
        self,
        problems: Sequence[FitProblem],
        sources: Sequence[Source],
        background: str = "background",
    ) -> None:
        _check(problems)
        self._cells = [_Cell(problem) for problem in problems]
        self._sources, self._background = tuple(sources), background
        parts = [name for source in sources for name in source.quantities]
        self.names = (*parts, background)

    def value(self, values: Values) -> float:
        """Sum of d ln mu - mu over all cells."""
        return sum(self._value(cell, self._of_cell(values, n)) for n, cell in self._numbered())

    def derivatives(self, values: Values) -> CellDerivatives:
        """Gradient, and Gauss and Newton's curvature d / mu^2."""
        n_name = len(self.names)
        gradient = np.zeros((len(self._cells), n_name))
        curvature = np.zeros((len(self._cells), n_name, n_name))
        for n, cell in self._numbered():
            here = self._of_cell(values, n)
            mu = self._expected(cell, here)
            with np.errstate(divide="ignore", invalid="ignore"):
                ratio = cell.counts / mu.hit
            slopes = self._slopes(cell, here)
            rows = np.stack([slope.hit for slope in slopes])
            gradient[n] = rows @ ratio - [slope.total for slope in slopes]
            curvature[n] = (rows * (ratio / mu.hit)) @ rows.T
        return CellDerivatives(gradient, curvature)

    def expected(self, values: Values) -> list[np.ndarray]:
        """Expected counts in the hit bins of each cell."""
        return [self._expected(cell, self._of_cell(values, n)).hit for n, cell in self._numbered()]

    def _numbered(self) -> "enumerate[_Cell]":
        return enumerate(self._cells)

    @staticmethod
    def _of_cell(values: Values, n: int) -> dict[str, Any]:
        return {name: v[n] if np.ndim(v) else v for name, v in values.items()}

    def _value(self, cell: "_Cell", here: dict[str, float]) -> float:
        mu = self._expected(cell, here)
        if not np.all(mu.hit > 0):
            return -np.inf
        return float(cell.counts @ np.log(mu.hit) - mu.total)

    def _expected(self, cell: "_Cell", here: dict[str, float]) -> _Counts:
        norm = here[self._background]
        hit, total = norm * cell.background, norm * cell.background_total
        for source in self._sources:
            seen = cell.see(source, here)
            flux = here[f"{source.name}.flux"]
            hit, total = hit + flux * seen.hit, total + flux * seen.total
        return _Counts(hit, total)

    def _slopes(self, cell: "_Cell", here: dict[str, float]) -> list[_Counts]:
        """Derivatives of the expected counts by each of `names`."""
        slopes = []
        for source in self._sources:
            flux = here[f"{source.name}.flux"]
            scaled = [*cell.move(source, here), *cell.change_spectrum(source, here)]
            lon, lat, *of_spectrum = (_Counts(flux * s.hit, flux * s.total) for s in scaled)
            slopes += [lon, lat, cell.see(source, here), *of_spectrum]
        return [*slopes, _Counts(cell.background, cell.background_total)]


class _Cell:
    """One problem, and the nodes of the positions that were asked for last."""

    def __init__(self, problem: FitProblem) -> None:
        self.counts, self.background = problem.counts, problem.background
        assert problem.background_total is not None
        self.background_total = problem.background_total
        self._expectation = problem.expectation
        about = problem.description
        sharpness = max(about.sharpness_deg, about.response_pixel_deg)
        self._angle = max(_ANGLE * sharpness, _LEAST_ANGLE)
        self._kept: dict[str, tuple[tuple[float, float], NodeBlock]] = {}

    def see(self, source: Source, here: dict[str, float]) -> _Counts:
        """Counts of a source of factor 1."""
        density, _ = _spectrum(source, here)
        return self._contract(self._nodes(source, here), density)[0]

    def change_spectrum(self, source: Source, here: dict[str, float]) -> list[_Counts]:
        """Derivatives by the parameters of the spectrum."""
        _, slopes = _spectrum(source, here)
        nodes = self._nodes(source, here)
        return [self._contract(nodes, slope)[0] for slope in slopes]

    def move(self, source: Source, here: dict[str, float]) -> tuple[_Counts, _Counts]:
        """Derivatives by longitude and latitude [1/deg], as differences."""
        lon, lat = here[f"{source.name}.lon"], here[f"{source.name}.lat"]
        angle = self._angle
        wide = angle / max(np.cos(np.radians(lat)), 1e-6)
        around = lonlat_to_vec(
            np.array([lon + wide, lon - wide, lon, lon]),
            np.array([lat, lat, lat + angle, lat - angle]),
        )
        density, _ = _spectrum(source, here)
        east, west, north, south = self._contract(self._expectation.nodes(around), density)
        return _difference(east, west, 2 * wide), _difference(north, south, 2 * angle)

    def _nodes(self, source: Source, here: dict[str, float]) -> NodeBlock:
        position = float(here[f"{source.name}.lon"]), float(here[f"{source.name}.lat"])
        kept = self._kept.get(source.name)
        if kept is None or kept[0] != position:
            direction = lonlat_to_vec(*(np.array([angle]) for angle in position))
            kept = self._kept[source.name] = position, self._expectation.nodes(direction)
        return kept[1]

    def _contract(
        self, nodes: NodeBlock, density: Callable[[np.ndarray], np.ndarray]
    ) -> list[_Counts]:
        """Counts in each direction for a photon flux density."""
        axis = self._expectation.true_energy
        assert axis is not None
        block = nodes.contract(axis.flux(density)).dense()
        is_good = block.status == 0
        return [
            _Counts(np.where(good, hit, 0.0), float(total) if good else 0.0)
            for hit, total, good in zip(block.unit_counts, block.total, is_good, strict=True)
        ]


def _spectrum(
    source: Source, here: dict[str, float]
) -> tuple[Callable[[np.ndarray], np.ndarray], list[Callable[[np.ndarray], np.ndarray]]]:
    """Photon flux density of a source, and its derivatives by the parameters."""
    parameters = {part: here[f"{source.name}.{part}"] for part in source.parameters}

    def slope(part: str) -> Callable[[np.ndarray], np.ndarray]:
        moved = parameters | {part: parameters[part] + 1j * _STEP}
        return lambda energy: np.imag(source.spectrum(energy, **moved)) / _STEP

    return lambda energy: source.spectrum(energy, **parameters), [
        slope(part) for part in source.parameters
    ]


def _difference(ahead: _Counts, behind: _Counts, width: float) -> _Counts:
    return _Counts((ahead.hit - behind.hit) / width, (ahead.total - behind.total) / width)


def _check(problems: Sequence[FitProblem]) -> None:
    for number, problem in enumerate(problems):
        if problem.expectation.true_energy is None:
            raise ValueError(
                f"problem {number}: no nodes of true energy; prepare it with true_energy=True"
            )
        if problem.background_total is None:
            raise ValueError(f"problem {number}: its background in all bins is not known")
        if problem.frame != problems[0].frame:
            raise ValueError(
                f"problem {number}: frame {problem.frame}, problem 0 has {problems[0].frame}"
            )
