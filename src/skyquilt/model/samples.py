"""Samples of a model: ensembles joined, what they say of every quantity, and a file for arviz.

The file's groups `posterior` and `sample_stats` have dimensions as HDF5 dimension scales, as
netCDF has them, so that `arviz.from_netcdf` opens it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np

from skyquilt.errors import ProductError
from skyquilt.inference.convergence import effective_size, split_r_hat
from skyquilt.io.ecsv import write_ecsv
from skyquilt.io.fits_table import Column
from skyquilt.io.hdf5 import get, new_hdf5, open_hdf5, put
from skyquilt.io.provenance import Provenance
from skyquilt.io.schema import Schema
from skyquilt.model.ensembles import Ensemble, check_ensemble, read_ensemble
from skyquilt.model.file import TABLE
from skyquilt.model.layer import Layer

# 1.0  first version
SCHEMA = Schema("skyquilt/model-samples", "1.0", "skyquilt model collect")

MAX_R_HAT = 1.05
"""Largest split R-hat of samples that have converged."""
LEVELS = (0.025, 0.16, 0.5, 0.84, 0.975)
"""Levels of the quantiles."""


class Summary(NamedTuple):
    """What samples say of each free number; arrays of shape (p,).

    Attributes
    ----------
    mean, deviation : ndarray of float64
        Mean and standard deviation.
    quantiles : ndarray of float64, shape (5, p)
        Quantiles of `LEVELS`.
    r_hat : ndarray of float64
        Split R-hat.
    n_effective : ndarray of float64
        Effective sizes.
    """

    mean: np.ndarray
    deviation: np.ndarray
    quantiles: np.ndarray
    r_hat: np.ndarray
    n_effective: np.ndarray


@dataclass(frozen=True, eq=False)
class Samples:
    """Draws of all ensembles, without their burn-in.

    Attributes
    ----------
    names, units : tuple of str
        Free numbers, and their units.
    x : ndarray of float64, shape (n_ensemble, n_draw, n_walker, p)
        Draws.
    log_posterior : ndarray of float64, shape (n_ensemble, n_draw, n_walker)
        Log-posterior of each.
    """

    names: tuple[str, ...]
    units: tuple[str, ...]
    x: np.ndarray
    log_posterior: np.ndarray

    @property
    def flat(self) -> np.ndarray:
        """All draws, shape (n, p)."""
        return self.x.reshape(-1, self.x.shape[-1])

    def in_all(self, layer: Layer) -> np.ndarray:
        """All free numbers of a model in the place of those sampled; NaN for the others.

        Returns
        -------
        ndarray of float64, shape (n_ensemble, n_draw, n_walker, p)
            The others have no data.
        """
        if self.names == tuple(layer.names):
            return self.x
        full = np.full((*self.x.shape[:-1], layer.n_free), np.nan)
        full[..., [layer.names.index(name) for name in self.names]] = self.x
        return full

    def summarise(self) -> Summary:
        """Means, quantiles and convergence of each free number."""
        return Summary(
            self.flat.mean(axis=0),
            self.flat.std(axis=0),
            np.quantile(self.flat, LEVELS, axis=0),
            split_r_hat(self.x),
            effective_size(self.x),
        )


def join_ensembles(
    paths: Iterable[str | Path],
    identity: str,
    names: Sequence[str],
    n_burn: int,
    max_r_hat: float | None = MAX_R_HAT,
) -> Samples:
    """Join the ensembles of a fit.

    Parameters
    ----------
    paths : iterable of str or Path
        Their files.
    identity : str
        Identity of the fit.
    names : sequence of str
        Its free numbers.
    n_burn : int
        First steps that are left out.
    max_r_hat : float, optional
        Largest split R-hat; None to take what has not converged.

    Raises
    ------
    ProductError
        If a file is damaged, of another fit or cut short, one is missing, or the ensembles have
        not converged; the message says what to do.
    """
    found: dict[int, Ensemble] = {}
    for path in paths:
        ensemble = read_ensemble(path)
        check_ensemble(path, ensemble, identity, tuple(names))
        found[ensemble.task.number] = ensemble
    if not found:
        raise ProductError("no ensemble is given: make them with `skyquilt model sample`.")
    task = next(iter(found.values())).task
    if missing := sorted(set(range(1, task.of + 1)) - set(found)):
        raise ProductError(
            f"ensemble {missing[0]} of {task.of} is missing: make it with `skyquilt model sample "
            f"--ensemble {missing[0]}`."
        )
    for ensemble in found.values():
        if ensemble.task._replace(number=task.number) != task:
            raise ProductError(
                f"ensembles {task.number} and {ensemble.task.number} have other settings: make "
                "them again with `skyquilt model sample`."
            )
    kept = [found[number] for number in sorted(found)]
    samples = Samples(
        task.names,
        task.units,
        np.stack([one.x[n_burn:] for one in kept]),
        np.stack([one.log_posterior[n_burn:] for one in kept]),
    )
    if max_r_hat is not None:
        _check_convergence(samples, max_r_hat)
    return samples


def _check_convergence(samples: Samples, limit: float) -> None:
    r_hat = split_r_hat(samples.x)
    if not samples.x.shape[1]:
        raise ProductError("all steps are burn-in: give `sample` more steps than `burn`.")
    is_bad = ~(r_hat <= limit)
    if np.any(is_bad):
        worst = int(np.argmax(np.where(np.isnan(r_hat), np.inf, r_hat)))
        raise ProductError(
            f"samples have not converged: split R-hat of {samples.names[worst]} is "
            f"{r_hat[worst]:.3f}, above {limit:g} ({np.count_nonzero(is_bad)} of {r_hat.size} "
            "numbers are): give `sample` more steps or burn, or a larger `max_r_hat` to take them "
            "as they are."
        )


def write_samples(
    path: str | Path, samples: Samples, layer: Layer, identity: str, provenance: Provenance
) -> None:
    """Write samples of all quantities.

    Parameters
    ----------
    path : str or Path
        File.
    samples : Samples
        Draws of the free numbers.
    layer : Layer
        Turns them into quantities.
    identity : str
        Identity of the fit.
    provenance : Provenance
        Where they come from.
    """
    x = np.swapaxes(samples.in_all(layer), 1, 2)
    n_chain, (n_draw, p) = x.shape[0] * x.shape[1], x.shape[2:]
    x = x.reshape(n_chain, n_draw, p)
    with new_hdf5(path, SCHEMA, provenance) as file:
        file.attrs["fit_identity"] = identity
        file.attrs["names"], file.attrs["units"] = list(samples.names), list(samples.units)
        file.attrs["n_ensemble"] = len(samples.x)
        posterior = _Group(file, "posterior", {"chain": n_chain, "draw": n_draw})
        for name, (axis, values) in _quantities(layer, x).items():
            posterior.put(name, values, layer.unit_of(name), "draws", axis)
        stats = _Group(file, "sample_stats", {"chain": n_chain, "draw": n_draw})
        lp = np.swapaxes(samples.log_posterior, 1, 2).reshape(n_chain, n_draw)
        stats.put("lp", lp, "", "log-likelihood plus logarithm of the priors")
        put(file, "numbers", samples.x, "", "draws: ensemble, draw, walker, free number")


def write_summary(
    path: Path, samples: Samples, about: Mapping[str, Any], record: Mapping[str, Any]
) -> None:
    """Write what samples say of each free number as a table.

    Parameters
    ----------
    path : Path
        File that ends in .ecsv.
    samples : Samples
        The samples.
    about : dict
        What else the head tells.
    record : dict
        Provenance.
    """
    found = samples.summarise()
    columns = {
        "name": Column(np.array(samples.names), "", "name of the number"),
        "unit": Column(np.array(samples.units), "", "its unit"),
        "mean": Column(found.mean, "", "mean"),
        "deviation": Column(found.deviation, "", "standard deviation"),
    }
    for level, values in zip(LEVELS, found.quantiles, strict=True):
        columns[f"q{100 * level:g}"] = Column(values, "", f"quantile of {100 * level:g} %")
    columns["r_hat"] = Column(found.r_hat, "", "split R-hat, 1 where ensembles agree")
    columns["n_effective"] = Column(found.n_effective, "", "independent samples that say as much")
    write_ecsv(path, TABLE, columns, record, about=about)


def read_samples(path: str | Path, identity: str) -> Samples:
    """Read the draws of the free numbers of a fit.

    Raises
    ------
    ProductError
        If the file is missing, damaged, or has samples of another fit.
    """
    with open_hdf5(path, SCHEMA) as file:
        if file.attrs["fit_identity"] != identity:
            raise ProductError(
                f"{path}: samples of another fit; make them again with `{SCHEMA.made_by}`."
            )
        names, units = (tuple(map(str, file.attrs[name])) for name in ("names", "units"))
        x, lp = get(file, "numbers"), get(file["sample_stats"], "lp")
        n_ensemble, n_draw, n_walker, _ = x.shape
        log_posterior = np.swapaxes(lp.reshape(n_ensemble, n_walker, n_draw), 1, 2)
        return Samples(names, units, x, log_posterior)


def _quantities(layer: Layer, x: np.ndarray) -> Mapping[str, tuple[str, np.ndarray]]:
    """Axis and draws of every quantity; those that no free number moves are left out."""
    with np.errstate(all="ignore"):
        values = layer.values(x.reshape(-1, x.shape[-1]))
    slopes = layer.slopes(layer.values(layer.start))
    found = {}
    for name, value in values.items():
        if not slopes[name].is_moving:
            continue
        if name in layer.free and layer.free[name].per:
            axis = layer.free[name].per or ""
            found[name] = axis, x[..., layer.numbers(name)]
        elif value.shape[-1] > 1:
            axes = [a for a in layer.cells.axes if layer.cells.n_member(a) == layer.cells.n_cell]
            found[name] = (axes or ["cell"])[0], value.reshape(*x.shape[:2], -1)
        else:
            found[name] = "", value.reshape(x.shape[:2])
    return found


class _Group:
    """Group of a file whose dimensions are scales."""

    def __init__(self, file: h5py.File, name: str, sizes: Mapping[str, int]) -> None:
        self._group = file.create_group(name, track_order=True)
        self._scales: dict[str, h5py.Dataset] = {}
        for dimension, size in sizes.items():
            self._scale(dimension, size)

    def put(
        self, name: str, values: np.ndarray, unit: str, description: str, axis: str = ""
    ) -> None:
        """Write draws of shape (chain, draw) or (chain, draw, member)."""
        dataset = put(self._group, name, values, unit, description)
        dimensions = ["chain", "draw", *([axis] if axis else [])]
        for number, (dimension, size) in enumerate(zip(dimensions, values.shape, strict=True)):
            dataset.dims[number].attach_scale(self._scale(dimension, size))

    def _scale(self, dimension: str, size: int) -> h5py.Dataset:
        if dimension not in self._scales:
            scale = put(self._group, dimension, np.arange(size), "", f"numbers of each {dimension}")
            scale.make_scale(dimension)
            self._scales[dimension] = scale
        return self._scales[dimension]
