"""`model/NAME.h5`, what a fit found; and its tables as text, NAME.ecsv and NAME-bins.ecsv."""

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from skyquilt.errors import ProductError
from skyquilt.io.digest import array_digest, settings_digest
from skyquilt.io.ecsv import write_ecsv
from skyquilt.io.fits_table import Column
from skyquilt.io.hdf5 import get, new_hdf5, open_hdf5, put
from skyquilt.io.provenance import Provenance
from skyquilt.io.schema import Schema
from skyquilt.model.recipe import Recipe
from skyquilt.model.result import Found, Row

# 1.1  identity of the fit
# 1.0  first version
SCHEMA = Schema("skyquilt/model", "1.1", "skyquilt model fit")
# 1.0  first version
TABLE = Schema("skyquilt/model-table", "1.0", "skyquilt model fit")

_COLUMNS = {
    "name": "name of the number",
    "unit": "its unit",
    "kind": "fixed, free, link, expr or light_curve",
    "definition": "what it is linked to, its expression or its light curve",
    "start": "where the fit began",
    "value": "best value",
    "error": "standard error",
    "error_low": "distance below at which 2 ln L has fallen by 1",
    "error_high": "distance above at which 2 ln L has fallen by 1",
    "lower": "lowest value allowed",
    "upper": "highest value allowed",
    "prior": "prior",
    "status": "how the fit of a free number ended",
}
_TEXTS = ("name", "unit", "kind", "definition", "prior", "status")

_BINS = {
    "dataset": ("", "data set"),
    "time_bin": ("", "number of the time bin"),
    "start": ("s", "start, UNIX time"),
    "stop": ("s", "end, UNIX time"),
    "livetime": ("s", "livetime"),
    "counts": ("", "counts"),
    "npred": ("", "expected counts"),
}
_OF_SOURCES = {
    "npred_": ("", "expected counts of"),
    "flux_err_": ("", "standard error of the flux factor of"),
    "flux_ul_": ("", "upper limit of the flux factor of"),
    "flux_": ("", "factor on the spectrum of"),
    "ts_": ("", "test statistic in this bin, all else as fitted, of"),
}
_ARRAYS = {
    "x": "best free numbers",
    "gradient": "slope of ln L times priors by the free numbers",
    "covariance": "covariance of the free numbers",
    "is_free": "numbers that were fitted",
    "is_bound": "numbers at an end of their range",
}
_ATTRIBUTES = ("log_likelihood", "log_posterior", "n_iter", "status")


def write_fit(
    path: str | Path, found: Found, recipe: Recipe, problem_identity: str, provenance: Provenance
) -> None:
    """Write what a fit found.

    Parameters
    ----------
    path : str or Path
        File to write, NAME.h5; NAME.ecsv and NAME-bins.ecsv are written beside it.
    found : Found
        The result.
    recipe : Recipe
        How what was climbed is built.
    problem_identity : str
        Identity of the measurement.
    provenance : Provenance
        Where it comes from.

    Raises
    ------
    OutputError
        If a file cannot be written.
    """
    path = Path(path)
    columns = _columns(found.rows)
    with new_hdf5(path, SCHEMA, provenance) as file:
        table = file.create_group("parameters")
        for key, values in columns.items():
            put(table, key, _stored(values), "", _COLUMNS[key])
        free = file.create_group("free")
        put(free, "name", _stored(np.array(found.names)), "", "names of the free numbers")
        for key, about in _ARRAYS.items():
            put(free, key, getattr(found, key), "", about)
        bins = file.create_group("bins")
        for key, values in found.bins.items():
            put(bins, key, _stored(values), *_about_bin(key))
        for key in _ATTRIBUTES:
            file.attrs[key] = getattr(found, key)
        file.attrs["weak"] = json.dumps(found.weak)
        file.attrs["recipe"] = recipe.to_json()
        file.attrs["problem_identity"] = problem_identity
        file.attrs["identity"] = fit_identity(found, recipe, problem_identity)
    record = provenance.record() | {"problem_identity": problem_identity}
    labels = {key: getattr(found, key) for key in _ATTRIBUTES} | {"weak": found.weak}
    tables = {
        path.with_suffix(".ecsv"): {
            key: Column(values, "", _COLUMNS[key]) for key, values in columns.items()
        },
        path.with_name(f"{path.stem}-bins.ecsv"): {
            key: Column(values, *_about_bin(key)) for key, values in found.bins.items()
        },
    }
    for name, content in tables.items():
        write_ecsv(name, TABLE, content, record, about=labels)


def fit_identity(found: Found, recipe: Recipe, problem_identity: str) -> str:
    """Digest of all that samples and profiles of a fit follow from."""
    arrays = {key: array_digest(getattr(found, key)) for key in ("x", "covariance", "is_free")}
    return settings_digest(arrays | {"recipe": recipe.to_json(), "problem": problem_identity})


def read_fit(path: str | Path) -> tuple[Found, str]:
    """Read what a fit found, and the identity of its measurement.

    Raises
    ------
    ProductError
        If the file is missing, damaged or of another kind.
    """
    with open_hdf5(path, SCHEMA) as file:
        table = {key: _read(file["parameters"], key) for key in _COLUMNS}
        rows = [Row(*values) for values in zip(*(c.tolist() for c in table.values()), strict=True)]
        attributes: dict[str, Any] = {key: file.attrs[key] for key in _ATTRIBUTES}
        fields: dict[str, Any] = {key: get(file["free"], key) for key in _ARRAYS}
        found = Found(
            rows=rows,
            names=_read(file["free"], "name").tolist(),
            **fields | attributes | {"n_iter": int(attributes["n_iter"])},
            weak=json.loads(file.attrs["weak"]),
            bins={key: _read(file["bins"], key) for key in file["bins"]},
        )
        return found, str(file.attrs["problem_identity"])


def read_recipe(path: str | Path) -> Recipe:
    """Read how what was climbed is built.

    Raises
    ------
    ProductError
        If the file is missing, damaged or of another kind.
    """
    with open_hdf5(path, SCHEMA) as file:
        return Recipe.from_json(file.attrs["recipe"])


def read_fit_of(path: str | Path, problem_identity: str, problem: str | Path) -> Found:
    """The same, if it is of a measurement.

    Raises
    ------
    ProductError
        If the file cannot be read, or is of another measurement.
    """
    found, identity = read_fit(path)
    if identity != problem_identity:
        raise ProductError(
            f"{path}: it is of another measurement than {problem}; make it again with "
            f"`{SCHEMA.made_by}`."
        )
    return found


def _columns(rows: list[Row]) -> dict[str, np.ndarray]:
    columns = zip(*rows, strict=True) if rows else ([] for _ in _COLUMNS)
    return {
        key: np.array(values, dtype=str if key in _TEXTS else np.float64)
        for key, values in zip(_COLUMNS, columns, strict=True)
    }


def _stored(values: np.ndarray) -> np.ndarray:
    """Text as bytes, which HDF5 holds at a fixed length; others as they are."""
    return np.char.encode(values, "utf-8") if values.dtype.kind == "U" else values


def _read(group: h5py.Group, key: str) -> np.ndarray:
    values = get(group, key)
    return np.char.decode(values, "utf-8") if values.dtype.kind == "S" else values


def _about_bin(key: str) -> tuple[str, str]:
    """Unit and description of a column of the bins."""
    if key in _BINS:
        return _BINS[key]
    start = next(start for start in _OF_SOURCES if key.startswith(start))
    unit, about = _OF_SOURCES[start]
    return unit, f"{about} {key.removeprefix(start)}"
