"""Data sets in cells, in groups of a file."""

import json
from importlib import import_module
from typing import Any

import h5py
import numpy as np

from skyquilt.errors import ProductError
from skyquilt.problem.cells.data import CellData
from skyquilt.problem.cells.sights import StoredExpectation
from skyquilt.problem.datasets import StoredDataset, get_all, put_all
from skyquilt.problem.file import get_expectation, put_expectation

_DATASETS = {
    "start": StoredDataset("s", "start of each cell, UNIX time; NaN where not known"),
    "stop": StoredDataset("s", "end of each cell, UNIX time; NaN where not known"),
    "livetime": StoredDataset("s", "livetime of each cell; NaN where not known"),
    "fraction": StoredDataset("", "fraction of the background that each cell has"),
    "cell": StoredDataset("", "cell of each hit"),
    "column": StoredDataset("", "bin of the data set of each hit"),
    "counts": StoredDataset("", "counts of each hit"),
    "background": StoredDataset("", "expected background of the whole time: component, bin"),
    "background_total": StoredDataset("", "expected background of each component in all bins"),
}

# A worker imports what it reads.
_KINDS = {
    "table": ("table", "CellTable"),
    "fractions": ("fractions", "CellFractions"),
    "shares": ("fractions", "CellFractions"),  # its name in files of version 1.0
}


def put_cells(group: h5py.Group, data: CellData) -> None:
    """Write a data set.

    Raises
    ------
    ValueError
        If an expected background is negative or not finite, or no file keeps such expectations.
    """
    expectation = data.expectation
    if not isinstance(expectation, StoredExpectation):
        raise ValueError(f"data set {data.name!r}: no file keeps {type(expectation).__name__}.")
    if not np.all(np.isfinite(data.background) & (data.background >= 0)):
        raise ValueError(f"data set {data.name!r}: background must be finite and at least 0.")
    put_all(group, data, _DATASETS)
    group.attrs["name"], group.attrs["frame"] = data.name, data.frame
    group.attrs["components"] = list(data.components)
    group.attrs["angle_deg"] = data.angle_deg
    group.attrs["description"] = json.dumps(dict(data.description))
    own = group.create_group("expectation")
    own.attrs["kind"] = expectation.kind
    expectation.put(own, put_expectation)


def get_cells(group: h5py.Group) -> CellData:
    """Read a data set.

    Raises
    ------
    ProductError
        If the kind of its expectation is not known.
    """
    own = group["expectation"]
    kind = str(own.attrs["kind"])
    if kind not in _KINDS:
        raise ProductError(
            f"{group.file.filename}: unknown kind of expectation {kind!r}; make it again with "
            "`skyquilt model prepare`, or read it with the skyquilt that made it."
        )
    module, class_name = _KINDS[kind]
    found: Any = getattr(import_module(f"skyquilt.problem.cells.{module}"), class_name)
    return CellData(
        name=str(group.attrs["name"]),
        frame=str(group.attrs["frame"]),
        components=tuple(map(str, group.attrs["components"])),
        angle_deg=float(group.attrs["angle_deg"]),
        description=json.loads(group.attrs["description"]),
        expectation=found.get(own, get_expectation),
        **get_all(group, _DATASETS),
    )
