"""Files of samples: draws of every quantity, as arviz reads them, and a table of their summary.

The groups `posterior` and `sample_stats` have dimensions as HDF5 dimension scales, as netCDF has
them, so that `arviz.from_netcdf` opens the file.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from skyquilt.errors import ProductError
from skyquilt.io.ecsv import write_ecsv
from skyquilt.io.fits_table import Column
from skyquilt.io.hdf5 import get, new_hdf5, open_hdf5, put
from skyquilt.io.provenance import Provenance
from skyquilt.io.schema import Schema
from skyquilt.model.file import TABLE
from skyquilt.model.layer import Layer
from skyquilt.model.samples import LEVELS, Samples

# 1.0  first version
SCHEMA = Schema("skyquilt/model-samples", "1.0", "skyquilt model collect")


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
