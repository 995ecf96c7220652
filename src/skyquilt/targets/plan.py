"""`targets/plan.json`: which targets are fitted, in how many jobs, and `targets.ecsv` of them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from pydantic import TypeAdapter

from skyquilt.config.shape import Shape
from skyquilt.errors import ProductError
from skyquilt.io.digest import settings_digest
from skyquilt.io.ecsv import write_ecsv
from skyquilt.io.fits_table import Column
from skyquilt.io.json_file import read_json, write_json
from skyquilt.io.provenance import Provenance
from skyquilt.io.schema import Schema
from skyquilt.io.target_files import SCHEMA
from skyquilt.sky.chunks import chunk_files
from skyquilt.sky.frames import lonlat_to_vec, rotate, rotation, vec_to_lonlat
from skyquilt.targets.listing import TargetFit, TargetList, TargetRow

# 1.0  first version
TABLE = Schema("skyquilt/targets", "1.0", "skyquilt targets list")

_SHAPE: TypeAdapter[Shape] = TypeAdapter(Shape)
_SECONDS_PER_BAND = 0.01
"""Time of a band of a target, with a few neighbours."""
_SECONDS_PER_JOB = 60.0
_DEGREES = ("ra", "dec", "glon", "glat")


class TargetPlan(NamedTuple):
    """What is fitted in which job.

    Attributes
    ----------
    problem_identity : str
        Problem that it is of.
    targets : TargetList
        The targets.
    n_jobs : int
        Jobs.
    settings : dict
        How targets are fitted.
    """

    problem_identity: str
    targets: TargetList
    n_jobs: int
    settings: dict[str, Any]

    def job(self, index: int) -> range:
        """Fits of a job.

        Raises
        ------
        ProductError
            If there is no such job.
        """
        if not 0 <= index < self.n_jobs:
            raise ProductError(f"job {index}: the plan has the jobs 0 to {self.n_jobs - 1}.")
        n = len(self.targets.fits)
        return range(index * n // self.n_jobs, (index + 1) * n // self.n_jobs)

    def files(self, folder: str | Path) -> dict[int, Path]:
        """Files of all jobs by their numbers; there or not."""
        return chunk_files(folder, self.n_jobs, range(self.n_jobs))

    def sed_name(self, number: int) -> str:
        """Name of the file of a target with its profile."""
        one = self.targets.fits[number]
        return f"{one.name}.{one.profile}.fits"

    @property
    def identity(self) -> str:
        """Digest of the plan."""
        return settings_digest(self.content())

    def content(self) -> dict[str, Any]:
        """Plain values for JSON."""
        positions = vec_to_lonlat(np.array([one.direction for one in self.targets.fits]))
        return {
            "problem_identity": self.problem_identity,
            "n_jobs": self.n_jobs,
            "settings": self.settings,
            "seds": [path.name for path in self.files("").values()],
            "sed": [self.sed_name(number) for number in range(len(self.targets.fits))],
            "fits": [
                {
                    "name": one.name,
                    "profile": one.profile,
                    "shape": one.shape.model_dump(mode="json"),
                    "ra": float(ra),
                    "dec": float(dec),
                }
                for one, ra, dec in zip(self.targets.fits, *positions, strict=True)
            ],
            "rows": [
                row._asdict() | {"rosters": list(row.rosters), "numbers": dict(row.numbers)}
                for row in self.targets.rows
            ],
        }


def choose_n_jobs(n_fit: int, n_band: int, targets_per_job: int | str) -> int:
    """Jobs that fit targets: none below a minute, unless their size is given.

    Examples
    --------
    >>> choose_n_jobs(1000, 17, "auto"), choose_n_jobs(1000, 17, 30)
    (2, 34)
    """
    if isinstance(targets_per_job, int):
        return -(-n_fit // targets_per_job)
    return max(int(n_fit * n_band * _SECONDS_PER_BAND / _SECONDS_PER_JOB), 1)


def write_plan(path: str | Path, plan: TargetPlan, provenance: Provenance) -> None:
    """Write a plan."""
    write_json(path, SCHEMA, plan.content() | {"provenance": provenance.record()})


def read_plan(path: str | Path) -> TargetPlan:
    """Read a plan.

    Raises
    ------
    ProductError
        If the file is missing, damaged or no plan of targets.
    """
    content = read_json(path, SCHEMA)
    fits = [
        TargetFit(
            str(one["name"]),
            str(one["profile"]),
            _SHAPE.validate_python(one["shape"]),
            lonlat_to_vec(float(one["ra"]), float(one["dec"])),
        )
        for one in content["fits"]
    ]
    rows = [
        TargetRow(int(one["fit"]), str(one["version"]), tuple(one["rosters"]), one["numbers"])
        for one in content["rows"]
    ]
    targets = TargetList(tuple(fits), tuple(rows))
    identity, n_jobs = str(content["problem_identity"]), int(content["n_jobs"])
    return TargetPlan(identity, targets, n_jobs, dict(content["settings"]))


def write_target_table(
    path: str | Path,
    targets: TargetList,
    exposure: np.ndarray,
    n_neighbours: np.ndarray,
    status: Sequence[str],
    record: dict[str, Any],
) -> None:
    """Write `targets.ecsv`.

    Parameters
    ----------
    path : str or Path
        File to write.
    targets : TargetList
        The targets.
    exposure : ndarray of float64, shape (n_fit,)
        Expected counts per photon flux [cm2 s].
    n_neighbours : ndarray of int64, shape (n_fit,)
        Listed sources in the region of each.
    status : sequence of str
        Whether the data see it.
    record : dict
        Provenance.
    """
    fits = [targets.fits[row.fit] for row in targets.rows]
    number = np.array([row.fit for row in targets.rows])
    direction = np.array([one.direction for one in fits])
    ra, dec = vec_to_lonlat(direction)
    glon, glat = vec_to_lonlat(rotate(rotation("icrs", "galactic"), direction))
    columns = row_columns(targets) | {
        "ra": Column(ra, "deg", "right ascension, ICRS"),
        "dec": Column(dec, "deg", "declination, ICRS"),
        "glon": Column(glon, "deg", "Galactic longitude"),
        "glat": Column(glat, "deg", "Galactic latitude"),
        "exposure": Column(exposure[number], "cm2 s", "expected counts per photon flux"),
        "n_neighbours": Column(n_neighbours[number], "", "listed sources in the region"),
        "status": Column(np.array(status)[number], "", "whether the data see it"),
    }
    keys = sorted({key for row in targets.rows for key in row.numbers})
    for key in keys:
        values = np.array([row.numbers.get(key, np.nan) for row in targets.rows])
        columns[key] = Column(values, "", "of the rosters")
    write_ecsv(path, TABLE, columns, record, _DEGREES)


def row_columns(targets: TargetList) -> dict[str, Column]:
    """Columns that tell the rows of tables apart."""
    fits = [targets.fits[row.fit] for row in targets.rows]
    rosters = [",".join(row.rosters) for row in targets.rows]
    return {
        "name": Column(np.array([one.name for one in fits]), "", "name of the target"),
        "version": Column(
            np.array([row.version for row in targets.rows], dtype=str), "", "version, or its alias"
        ),
        "profile": Column(np.array([one.profile for one in fits]), "", "profile on the sky"),
        "roster": Column(np.array(rosters), "", "rosters that have it, joined by commas"),
    }
