"""`model/problem.h5`: the measurement of a model, data sets in cells."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import h5py
import numpy as np

from skyquilt.errors import ProductError
from skyquilt.io.digest import settings_digest
from skyquilt.io.hdf5 import get, new_hdf5, open_hdf5, put
from skyquilt.io.provenance import Provenance
from skyquilt.io.schema import Schema
from skyquilt.model.cells import Cells
from skyquilt.model.problems import CellLikelihood
from skyquilt.model.sources import Background, Offset, Source
from skyquilt.problem.cells import CellData
from skyquilt.problem.cells.file import get_cells, put_cells
from skyquilt.problem.file import group_identity

# 1.0  first version
# 1.1  fraction, expectations of kind fractions (were share, shares)
SCHEMA = Schema("skyquilt/model-problem", "1.1", "skyquilt model prepare")

_SAME_TIME = 1e-6  # [s]; UNIX times are exact to 2.4e-7


@dataclass(frozen=True, eq=False)
class ModelProblem:
    """Data sets in cells, and the time that they count from.

    Attributes
    ----------
    data : tuple of CellData
        The data sets; the cells of a model are theirs, one data set after the other.
    frame : {"galactic", "icrs"}
        Frame of positions.
    epoch : float
        Time from which the times of `cells` count [UNIX s].
    radius_deg : float
        Angle around `centres` within which a table's rows are kept [deg]; infinite if all are.
    centres : ndarray of float64, shape (n, 2)
        Longitude and latitude of these directions [deg].
    identity : str
        Digest of everything that influences a fit; "" before the problem was written.
    """

    data: tuple[CellData, ...]
    frame: str
    epoch: float
    radius_deg: float = np.inf
    centres: np.ndarray = field(default_factory=lambda: np.empty((0, 2)))
    identity: str = ""

    @property
    def datasets(self) -> tuple[str, ...]:
        """Names of the data sets; ("",) for one without a name."""
        return tuple(one.name for one in self.data)

    @property
    def components(self) -> dict[str, tuple[str, ...]]:
        """Names of the components of the background of each data set."""
        return {one.name: one.components for one in self.data}

    @property
    def livetime(self) -> np.ndarray:
        """Livetime of each cell [s], shape (n_cell,); NaN where it is not known."""
        return np.concatenate([one.livetime for one in self.data])

    @property
    def counts(self) -> np.ndarray:
        """Counts of each cell, shape (n_cell,)."""
        return np.concatenate([one.cell_counts for one in self.data])

    @property
    def is_exposed(self) -> np.ndarray:
        """Cells that have livetime, or of which it is not known, shape (n_cell,)."""
        return ~(self.livetime == 0)

    @cached_property
    def cells(self) -> Cells:
        """Cells with the axes "dataset" and "time_bin", and their times since `epoch`.

        Cells of the same time are one member of "time_bin", in the order of time; without times
        each cell is one of its own.
        """
        start, stop = (
            np.concatenate([getattr(one, name) for one in self.data]) - self.epoch
            for name in ("start", "stop")
        )
        of_dataset = np.repeat(np.arange(len(self.data)), [one.n_cell for one in self.data])
        axes = {"dataset": of_dataset, "time_bin": _time_bins(start, stop)}
        if not np.all(np.isfinite(start)):
            return Cells(axes)
        return Cells(axes, start, stop)

    def likelihood(
        self,
        sources: Sequence[Source],
        backgrounds: Sequence[Background] = (),
        offsets: Sequence[Offset] = (),
    ) -> CellLikelihood:
        """Likelihood of sources over backgrounds.

        Parameters
        ----------
        sources : sequence of Source
            The sources.
        backgrounds : sequence of Background
            Factors on components of backgrounds; others stay as they are.
        offsets : sequence of Offset
            Pointing offsets.

        Raises
        ------
        ValueError
            If a background or an offset is of a data set that there is not.
        """
        return CellLikelihood(self.data, sources, backgrounds, offsets, self.frame)


def _time_bins(start: np.ndarray, stop: np.ndarray) -> np.ndarray:
    """Number of the time of each cell."""
    known = np.isfinite(start) & np.isfinite(stop)
    numbers = np.zeros(start.size, np.int64)
    rounded = np.round(np.stack([start, stop], axis=1)[known] / _SAME_TIME)
    times, of_known = np.unique(rounded, axis=0, return_inverse=True)
    numbers[known] = of_known.ravel()
    numbers[~known] = len(times) + np.arange(np.count_nonzero(~known))
    return numbers


def write_model_problem(path: str | Path, problem: ModelProblem, provenance: Provenance) -> str:
    """Write the measurement of a model.

    Returns
    -------
    str
        Its identity: digest of all that influences a fit.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    with new_hdf5(path, SCHEMA, provenance) as file:
        for number, data in enumerate(problem.data):
            put_cells(file.create_group(f"datasets/{number}"), data)
        file.attrs["frame"], file.attrs["epoch"] = problem.frame, problem.epoch
        file.attrs["radius_deg"] = problem.radius_deg
        put(file, "centres", problem.centres, "deg", "directions around which rows are kept")
        file.attrs["identity"] = _identity(file)
        return file.attrs["identity"]


def read_model_problem(path: str | Path) -> ModelProblem:
    """Read the measurement of a model; rows of tables are mapped, not read.

    Raises
    ------
    ProductError
        If the file is missing, damaged, or of another kind.
    """
    with open_hdf5(path, SCHEMA) as file:
        identity = str(file.attrs["identity"])
        if identity != _identity(file):
            raise ProductError(
                f"{path}: content and identity differ, the file is damaged; make it again with "
                f"`{SCHEMA.made_by}`."
            )
        groups = [file[f"datasets/{number}"] for number in range(len(file["datasets"]))]
        return ModelProblem(
            data=tuple(map(get_cells, groups)),
            frame=str(file.attrs["frame"]),
            epoch=float(file.attrs["epoch"]),
            radius_deg=float(file.attrs["radius_deg"]),
            centres=get(file, "centres"),
            identity=identity,
        )


def _identity(file: h5py.File) -> str:
    """Digest of the checksums and settings that influence a fit."""
    own = {key: str(file.attrs[key]) for key in ("frame", "epoch", "radius_deg")}
    return settings_digest(own | group_identity(file["datasets"]))
