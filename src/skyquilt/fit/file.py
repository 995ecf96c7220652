"""Chunk files: the fitted pixels of one chunk, and which problem and plan they answer."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from skyquilt.errors import ProductError
from skyquilt.fit.chunk import ChunkResult
from skyquilt.fit.plan import SCHEMA as PLAN
from skyquilt.fit.plan import Plan
from skyquilt.io.answers import check_problem
from skyquilt.io.hdf5 import get, new_hdf5, open_hdf5, put
from skyquilt.io.hdf5_file import open_header
from skyquilt.io.json_file import read_json, write_json
from skyquilt.io.provenance import Provenance, read_provenance
from skyquilt.io.schema import Schema
from skyquilt.likelihood.poisson import FluxFit
from skyquilt.problem.problem import FitProblem

# 1.0  first version
# 1.1  flux_err_lo, flux_err_hi, flux_ul, background_norm, template, where they were asked for
# 2.0  sealed: all but the values has a checksum, too
SCHEMA = Schema("skyquilt/chunk", "2.0", "skyquilt fit-chunk")

_DATASETS = {
    "ts": ("", "test statistic, 2 (ln L1 - ln L0)"),
    "flux": ("", "flux as a multiple of the reference spectrum"),
    "flux_err": ("", "standard error of flux, from the curvature of the likelihood"),
    "flux_err_lo": ("", "from flux down to where TS has fallen by 1, or to zero flux"),
    "flux_err_hi": ("", "from flux up to where TS has fallen by 1"),
    "flux_ul": ("", "upper limit on flux"),
    "npred": ("", "expected source counts at the best flux, over all bins"),
    "background_norm": ("", "factor on the background at the best flux"),
    "n_iter": ("", "steps of the fit"),
    "status": ("", "how the fit ended: 0 good, 1 at bound, others failed"),
    "template": ("", "number of the best spectrum"),
}


@dataclass(frozen=True, eq=False)
class ChunkFile:
    """Content of a chunk file.

    Attributes
    ----------
    problem_identity, plan_identity : str
        What the chunk answers.
    index : int
        Number of the chunk.
    result : ChunkResult
        Pixels and their fit.
    record : dict
        Provenance.
    """

    problem_identity: str
    plan_identity: str
    index: int
    result: ChunkResult
    record: dict[str, Any]


def write_chunk(
    path: str | Path, plan: Plan, index: int, result: ChunkResult, provenance: Provenance
) -> None:
    """Write the fitted pixels of one chunk."""
    with new_hdf5(path, SCHEMA, provenance) as file:
        file.attrs["problem_identity"] = plan.problem_identity
        file.attrs["plan_identity"] = plan.identity
        file.attrs["index"] = index
        file.attrs["nside"] = plan.nside
        file.attrs["ordering"] = "NESTED"
        file.attrs["frame"] = plan.frame
        put(file, "ipix", result.ipix, "", "pixel numbers, nested ordering")
        file.attrs["columns"] = plan.columns
        for name in plan.columns:
            put(file, name, getattr(result.fit, name), *_DATASETS[name])


def read_chunk(path: str | Path) -> ChunkFile:
    """Read a chunk file and compare every dataset with its checksum.

    What was not asked for is NaN.

    Raises
    ------
    ProductError
        If the file is missing, damaged or no chunk.
    """
    with open_hdf5(path, SCHEMA) as file:
        ipix = get(file, "ipix")
        columns = {name: get(file, name) for name in file.attrs["columns"]}
        missing = {name: np.full(ipix.size, np.nan) for name in _DATASETS if name not in columns}
        if "template" in missing:
            missing["template"] = np.zeros(ipix.size, np.uint8)
        return ChunkFile(
            str(file.attrs["problem_identity"]),
            str(file.attrs["plan_identity"]),
            int(file.attrs["index"]),
            ChunkResult(ipix, FluxFit(**columns, **missing)),
            read_provenance(file),
        )


def read_plan_identity(path: str | Path) -> str:
    """Identity of the plan that a chunk answers; nothing else of the file is read.

    Raises
    ------
    ProductError
        If the file is missing, damaged or no chunk.
    """
    try:
        with open_header(path) as file:
            return str(file.attrs["plan_identity"])
    except (OSError, KeyError, RuntimeError) as error:
        raise ProductError(f"{path}: cannot be read ({error}).") from error


def write_plan(path: str | Path, plan: Plan, provenance: Provenance) -> None:
    """Write a plan."""
    write_json(path, PLAN, plan.to_content() | {"provenance": provenance.record()})


def read_plan(path: str | Path) -> Plan:
    """Read a plan; one without chunks is the end of a refinement.

    Raises
    ------
    ProductError
        If the file is missing, damaged or no plan, or its pixels or chunks are not possible.
    """
    return Plan.from_content(read_json(path, PLAN), str(path))


def check_plan(
    path: str | Path,
    plan: Plan,
    problem_path: str | Path,
    problem: FitProblem,
    made_by: str = "skyquilt plan",
) -> None:
    """Refuse a plan that was made for another problem.

    Raises
    ------
    ProductError
        If it was; the message names both files.
    """
    check_problem(path, plan.problem_identity, problem.identity, made_by, problem_path)
