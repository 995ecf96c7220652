"""What an expectation keeps in `problem.h5`: a table of datasets for each kind."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol, Self, runtime_checkable

import numpy as np

from skyquilt.io.hdf5 import get, map_rows, put, put_rows

if TYPE_CHECKING:
    import h5py


class StoredDataset(NamedTuple):
    """One dataset, the attribute of that name.

    Attributes
    ----------
    unit : str
        Unit, "" if there is none.
    about : str
        Description.
    is_mapped : bool
        Mapped, not read: of these a chunk reads what its pixels look at.
    """

    unit: str
    about: str
    is_mapped: bool = False


@runtime_checkable
class Stored(Protocol):
    """An expectation that can be written to a group, and read from it."""

    kind: ClassVar[str]
    """Attribute `kind` of the group."""
    mapped: ClassVar[frozenset[str]]
    """Names of datasets that are mapped."""

    def put(self, group: "h5py.Group", put_part: "PutPart") -> None:
        """Write all but the kind; `put_part` writes another expectation to a group."""

    @classmethod
    def get(cls, group: "h5py.Group", get_part: "GetPart") -> Self:
        """Read what `put` wrote; `get_part` reads another expectation from a group."""


PutPart = Callable[["h5py.Group", Any], None]
GetPart = Callable[["h5py.Group"], Any]
Datasets = Mapping[str, StoredDataset]


def mapped_names(*tables: Datasets) -> frozenset[str]:
    """Names of the datasets of tables that are mapped."""
    return frozenset(name for table in tables for name, one in table.items() if one.is_mapped)


def put_all(group: "h5py.Group", source: Any, datasets: Datasets) -> None:
    """Write the attributes of an object that are not None."""
    for name, one in datasets.items():
        values = getattr(source, name)
        if values is not None:
            put(group, name, values, one.unit, one.about)


_FORMER = {
    "psf_node": "psf_place",
    "exposure_node": "exposure_place",
    "energy_node": "energy_place",
    "index": "place",
    "fraction": "share",
}  # what datasets are called in problems of versions up to 2.2, of models in 1.0


def get_all(group: "h5py.Group", datasets: Datasets) -> dict[str, Any]:
    """Read or map the datasets that are there."""
    found = {}
    for name, one in datasets.items():
        stored = name if name in group else _FORMER.get(name, name)
        if stored in group:
            found[name] = (map_rows if one.is_mapped else get)(group, stored)
    return found


def put_optional(group: "h5py.Group", name: str, part: Any, *args: Any) -> None:
    """Write a part that there may be to a group of its own."""
    if part is not None:
        part.put(group.create_group(name), *args)


def get_optional(group: "h5py.Group", name: str, kind: Any) -> Any:
    """Read what `put_optional` wrote; None where there is nothing."""
    return kind.get(group[name]) if name in group else None


_ABOUT_ROWS = "expected counts for unit flux in the hit bins, one row per response direction"


def put_table(group: "h5py.Group", table: Any, unit: str) -> None:
    """Write rows, totals and resolution of a table; its rows may be anything that yields rows."""
    put_rows(group, "rows", table.rows, table.rows.shape, np.float32, unit, _ABOUT_ROWS)
    put(group, "totals", table.totals, unit, "expected counts summed over all bins")
    if table.row_bands is not None:
        put(group, "row_bands", table.row_bands, unit, "expected counts summed over each band")
    group.attrs["nside"] = table.nside


def get_table(group: "h5py.Group") -> dict[str, Any]:
    """Read what `put_table` wrote; the rows are mapped."""
    return {
        "rows": map_rows(group, "rows"),
        "totals": get(group, "totals"),
        "nside": int(group.attrs["nside"]),
        "row_bands": get(group, "row_bands") if "row_bands" in group else None,
    }
