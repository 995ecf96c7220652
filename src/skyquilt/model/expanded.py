"""Sources near their best positions: expected counts as polynomials, for many points at a time.

Samplers ask for thousands of points within a few errors of the best fit. There, the expected
counts of a source in each hit are a polynomial of its position: directions on a grid of some errors
give it once, and a point costs a product of matrices. What does not move, and what is beyond the
grid, is exact. To second order,
the error of ln L would be 0.1 to 2 where the position is known to a sixth of the point spread; of
degree 6 in both angles it is 0.01 to 0.1 (`tests/model/test_expanded.py`).
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from skyquilt.model.layer import Values
from skyquilt.model.likelihood import CellDerivatives, Posterior
from skyquilt.model.problems import CellLikelihood
from skyquilt.model.sources import Background, Offset, Source
from skyquilt.model.views import look
from skyquilt.problem.cells import CellData, Views

MAX_ERROR = 0.1
"""Largest error of ln L with which polynomials are taken."""

_NODES = np.array([-3.6, -2.2, -1.0, 0.0, 1.0, 2.2, 3.6])  # of the grid, in errors
_TO_WEIGHTS = np.linalg.inv(np.vander(_NODES))  # from powers to weights of the nodes (Lagrange)
_GRID = np.array([(x, y) for x in _NODES for y in _NODES])
_LEAST_DEG = 1e-6  # between the directions of a position without an error


class Expanded:
    """Counts of data sets in cells, with sources near where they were expanded.

    Parameters
    ----------
    likelihood : CellLikelihood
        The exact one.
    values : dict of str to ndarray
        Quantities at the best fit.
    moving : collection of str
        Quantities that vary.
    errors : dict of str to ndarray
        Standard errors of the quantities, as far as they are known.

    Raises
    ------
    ValueError
        If a shape or a pointing offset varies: these have no expansion.
    """

    def __init__(
        self,
        likelihood: CellLikelihood,
        values: Values,
        moving: frozenset[str],
        errors: Mapping[str, np.ndarray],
    ) -> None:
        self._exact, self.names = likelihood, likelihood.names
        datasets, sources, backgrounds, offsets, frame = likelihood.made_of
        _check_moving(sources, offsets, moving)
        ends = np.cumsum([0, *(data.n_cell for data in datasets)])
        self._parts = [
            _Part(data, slice(first, last), sources, backgrounds, offsets, frame)
            for data, first, last in zip(datasets, ends[:-1], ends[1:], strict=True)
        ]
        for part in self._parts:
            part.expand(values, moving, errors)

    def value(self, values: Values) -> float:
        """Sum of d ln mu - mu over all cells; -inf where less than nothing is expected."""
        return float(self.batch({name: _as_batch(value) for name, value in values.items()})[0])

    def batch(self, values: Values) -> np.ndarray:
        """The same at several points, shape (m,), of values of shape (m, 1) or (m, n_cell)."""
        values = {name: np.atleast_2d(value) for name, value in values.items()}
        with np.errstate(all="ignore"):
            total = np.sum([part.batch(values) for part in self._parts], axis=0)
            is_near = np.all([part.is_near(values, total.size) for part in self._parts], axis=0)
            if not np.all(is_near):
                far = {n: v[~is_near] if len(v) > 1 else v for n, v in values.items()}
                total[~is_near] = self._exact.batch(far)
        return np.where(np.isnan(total), -np.inf, total)

    def derivatives(self, values: Values) -> CellDerivatives:
        """Those of the exact likelihood."""
        return self._exact.derivatives(values)


def largest_error(exact: Posterior, expanded: Posterior, x: np.ndarray) -> float:
    """Largest difference of the log-posteriors at some points, shape (m, p)."""
    lanes = np.zeros(len(x), dtype=np.int64)
    wanted, found = exact.value(x, lanes), expanded.value(x, lanes)
    is_known = np.isfinite(wanted)
    return float(np.max(np.abs(found - wanted)[is_known], initial=0.0))


class _Rows(NamedTuple):
    """A source in the hits of a data set: products of these with what varies.

    Attributes
    ----------
    hit : ndarray of float64, shape (n_grid * n_node, n_hit)
        For each position of the grid, and each node of true energy; one
        node where its spectrum does not vary.
    total : ndarray of float64, shape (n_grid * n_node, n_cell)
        The same of all bins of each cell.
    centre : tuple of ndarray, or None
        Where it was expanded, and the differences: lon, lat, their widths [deg]; of cells or not.
    has_nodes : bool
        Whether its spectrum varies.
    """

    hit: np.ndarray
    total: np.ndarray
    centre: tuple[np.ndarray, ...] | None
    has_nodes: bool


class _Part:
    """One data set."""

    def __init__(
        self,
        data: CellData,
        cells: slice,
        sources: tuple[Source, ...],
        backgrounds: tuple[Background, ...],
        offsets: tuple[Offset, ...],
        frame: str,
    ) -> None:
        self._data, self._cells, self._sources = data, cells, sources
        self._frames = frame, data.frame
        self._offset = next((one for one in offsets if one.dataset == data.name), None)
        self._factors = {
            one.component: one.quantity for one in backgrounds if one.dataset == data.name
        }
        axis = data.expectation.true_energy
        self._energy, self._to_nodes = axis.energy, axis.matrix
        self._rows: dict[str, _Rows] = {}

    def expand(
        self, values: Values, moving: frozenset[str], errors: Mapping[str, np.ndarray]
    ) -> None:
        here = {name: v[self._cells] if np.ndim(v) else v for name, v in values.items()}
        for source in self._sources:
            self._rows[source.name] = self._expand(source, here, moving, errors)

    def _expand(
        self,
        source: Source,
        here: dict[str, Any],
        moving: frozenset[str],
        errors: Mapping[str, np.ndarray],
    ) -> _Rows:
        lon, lat = f"{source.name}.lon", f"{source.name}.lat"
        widths = tuple(self._width(name, here, errors) for name in (lon, lat))
        does_move = bool(moving & {lon, lat})
        grid = _GRID if does_move else np.zeros((1, 2))
        views = []
        for step in grid:
            beside = {lon: here[lon] + step[0] * widths[0], lat: here[lat] + step[1] * widths[1]}
            there = {**here, **beside}
            views.append(
                look(source, there, (), self._frames, self._data.angle_deg, self._offset)[0]
            )
        n_cell = max(one.directions.shape[1] for one in views)
        directions = [
            np.broadcast_to(one.directions, (1, n_cell, *one.directions.shape[2:])) for one in views
        ]
        together = Views(np.concatenate(directions), np.concatenate([one.weight for one in views]))
        sights = self._data.expectation.see(together, self._data.hits)
        has_nodes = any(f"{source.name}.{part}" in moving for part in source.parameters)
        photons = (
            np.eye(self._to_nodes.shape[0])
            if has_nodes
            else [self._photons(source.flux_density(self._energy, here))]
        )
        seen = [sights.contract(np.ascontiguousarray(one)) for one in photons]
        hit, total = (np.stack([one[k] for one in seen], axis=1) for k in (0, 1))
        centre = (here[lon], here[lat], *widths) if does_move else None
        return _Rows(
            hit.reshape(-1, hit.shape[-1]), total.reshape(-1, total.shape[-1]), centre, has_nodes
        )

    def _width(self, name: str, here: dict[str, Any], errors: Mapping[str, np.ndarray]) -> Any:
        """Unit of the grid of a position: its error."""
        error = np.asarray(errors.get(name, np.nan), dtype=np.float64)
        error = error[self._cells] if error.ndim else error
        wide = np.where(np.isfinite(error) & (error > 0), error, self._data.angle_deg)
        return np.maximum(wide, _LEAST_DEG) + 0 * here[name]

    def batch(self, values: Values) -> np.ndarray:
        """Log-likelihoods, shape (m,)."""
        data = self._data
        here = {name: self._own(value) for name, value in values.items()}
        n = max(len(value) for value in here.values())
        hit, total = np.zeros((n, data.n_hit)), np.zeros((n, data.n_cell))
        for component, of_hit, of_cell in zip(
            data.components, data.hit_backgrounds, data.cell_backgrounds, strict=True
        ):
            name = self._factors.get(component)
            factor = np.ones((1, 1)) if name is None else here[name]
            hit += self._in_hits(factor) * of_hit
            total += factor * of_cell
        for source in self._sources:
            of_hit, of_cell = self._see(source, here)
            flux = here[f"{source.name}.flux"]
            hit += self._in_hits(flux) * of_hit
            total += flux * of_cell
        is_possible = np.all(hit > 0, axis=1)
        np.log(hit, out=hit)
        return np.where(is_possible, hit @ data.counts - total.sum(axis=1), -np.inf)

    def is_near(self, values: Values, n: int) -> np.ndarray:
        """Which of n points have all positions within their grids, shape (n,)."""
        here = {name: self._own(value) for name, value in values.items()}
        found = np.ones(n, dtype=bool)
        for source in self._sources:
            rows = self._rows[source.name]
            if rows.centre is not None:
                away = np.maximum(
                    *(np.abs(angle) for angle in _in_errors(source, rows.centre, here))
                )
                found &= np.all(away <= _NODES[-1], axis=1)
        return found

    def _own(self, value: np.ndarray) -> np.ndarray:
        value = np.asarray(value)
        value = value if value.ndim == 2 else np.reshape(value, (1, -1))
        return value[:, self._cells] if value.shape[1] > 1 else value

    def _in_hits(self, factor: np.ndarray) -> np.ndarray:
        return factor[:, self._data.cell] if factor.shape[1] > 1 else factor

    def _see(self, source: Source, here: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Counts of a source of factor 1 in hits and cells."""
        rows = self._rows[source.name]
        weight = self._terms(source, rows, here)  # (m, 1 or n_cell, n_term)
        if rows.has_nodes:
            photons = self._photons(self._density(source, here))  # (m, 1 or n_cell, n_node)
            weight = weight[..., :, np.newaxis] * photons[..., np.newaxis, :]
            weight = weight.reshape(*weight.shape[:2], -1)
        if weight.shape[1] == 1:
            return weight[:, 0] @ rows.hit, weight[:, 0] @ rows.total
        n_cell, indptr = self._data.n_cell, self._data.hits.indptr
        hit = np.empty((len(weight), self._data.n_hit))
        for cell in range(n_cell):
            own = slice(indptr[cell], indptr[cell + 1])
            hit[:, own] = weight[:, cell] @ rows.hit[:, own]
        return hit, np.einsum("mck,kc->mc", weight, rows.total)

    def _terms(self, source: Source, rows: _Rows, here: dict[str, np.ndarray]) -> np.ndarray:
        """Weights of the grid, shape (m, 1 or n_cell, n); 1 for a source that does not move."""
        if rows.centre is None:
            return np.ones((1, 1, 1))
        x, y = np.broadcast_arrays(*_in_errors(source, rows.centre, here))
        weight = _weights(x)[..., :, np.newaxis] * _weights(y)[..., np.newaxis, :]
        return weight.reshape(*x.shape, -1)

    def _density(self, source: Source, here: dict[str, np.ndarray]) -> np.ndarray:
        """Photon flux density, shape (m, 1 or n_cell, n_energy)."""
        own = {part: here[f"{source.name}.{part}"][..., np.newaxis] for part in source.parameters}
        return np.asarray(source.spectrum(self._energy, **own))

    def _photons(self, density: np.ndarray) -> np.ndarray:
        """Photons of each node for densities of any shape (..., n_energy)."""
        flat = density.reshape(-1, density.shape[-1])
        return (self._to_nodes @ flat.T).T.reshape(*density.shape[:-1], -1)


def _in_errors(
    source: Source, centre: tuple[np.ndarray, ...], here: dict[str, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Distance of a source from where it was expanded, in errors of its position."""
    lon, lat, wide, high = centre
    return (here[f"{source.name}.lon"] - lon) / wide, (here[f"{source.name}.lat"] - lat) / high


def _weights(x: np.ndarray) -> np.ndarray:
    """Weights of the nodes for positions among them, shape (..., n_node)."""
    powers = np.ones((*x.shape, _NODES.size))
    for power in range(1, _NODES.size):
        powers[..., -1 - power] = powers[..., -power] * x
    return powers @ _TO_WEIGHTS


def _as_batch(value: np.ndarray) -> np.ndarray:
    return np.reshape(value, (1, -1))


def _check_moving(
    sources: tuple[Source, ...], offsets: tuple[Offset, ...], moving: frozenset[str]
) -> None:
    names = [f"{source.name}.{part}" for source in sources for part in source.shape_parameters]
    names += [name for one in offsets for name in (one.east, one.north)]
    for name in names:
        if name in moving:
            raise ValueError(f"{name} varies: only positions are expanded")
