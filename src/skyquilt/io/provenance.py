"""Where a product comes from: versions, configuration, inputs, command, times."""

import json
import os
import resource
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np

from skyquilt import __version__
from skyquilt.host import host_name
from skyquilt.io.digest import canonical_json, file_digest, settings_digest


class StepClock(NamedTuple):
    """When a step began.

    Attributes
    ----------
    wall : float
        Time [UNIX s].
    cpu : float
        CPU time of this process until then [s].
    """

    wall: float
    cpu: float


def start_clock() -> StepClock:
    """Clock of a step that begins now; the start of the process is not part of it."""
    return StepClock(time.time(), time.process_time())


@dataclass(frozen=True)
class Provenance:
    """What is recorded in every product.

    Attributes
    ----------
    stage : str
        Verb that made the product.
    settings : dict
        The part of the configuration the step used.
    inputs : tuple of str
        Files read.
    memo : Path, optional
        Folder that remembers digests of large inputs.
    hosts : tuple of str
        Machine of each MPI rank of the step.
    earlier : tuple of dict
        Times of the stages before, from the records of the inputs.
    clock : StepClock
        When the step began; by default when this was made.
    answers : dict
        Analysis, settings and input files that the product follows from, see
        `skyquilt.io.answers`; empty where it is of no analysis.
    """

    stage: str
    settings: dict[str, Any] = field(default_factory=dict)
    inputs: tuple[str, ...] = ()
    memo: Path | None = None
    hosts: tuple[str, ...] = field(default_factory=lambda: (host_name(),))
    earlier: tuple[dict[str, Any], ...] = ()
    clock: StepClock = field(default_factory=start_clock)
    answers: dict[str, Any] = field(default_factory=dict)

    def record(self) -> dict[str, Any]:
        """Everything as plain values, with the times up to now."""
        return {
            "stage": self.stage,
            "skyquilt": __version__,
            "versions": _versions(),
            "settings": self.settings,
            "settings_sha256": settings_digest(self.settings),
            "inputs": self._inputs,
            "command": " ".join(sys.argv),
            "hosts": list(self.hosts),
            "job_id": os.environ.get("SLURM_JOB_ID", ""),
            "n_ranks": len(self.hosts),
            "started_utc": _utc(self.clock.wall),
            "ended_utc": _utc(time.time()),
            "stages": [*self.earlier, self._stage()],
            "answers": self.answers,
        }

    @cached_property
    def _inputs(self) -> list[dict[str, Any]]:
        return input_records(self.inputs, self.memo)

    def _stage(self) -> dict[str, Any]:
        """Times of the step, and the largest memory of its process."""
        return {
            "stage": self.stage,
            "n_jobs": 1,
            "n_ranks": len(self.hosts),
            "wall_s": round(time.time() - self.clock.wall, 3),
            "cpu_s": round(time.process_time() - self.clock.cpu, 3),
            "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        }


def input_records(paths: Iterable[str], memo: Path | None = None) -> list[dict[str, Any]]:
    """Path, size in bytes and SHA-256 of each file."""
    return [
        {"path": path, "size": Path(path).stat().st_size, "sha256": file_digest(path, memo)}
        for path in dict.fromkeys(paths)
    ]


def write_provenance(file: h5py.File, provenance: Provenance) -> None:
    """Put the record into the group `provenance` of an open HDF5 file, nested values as JSON."""
    attributes = file.create_group("provenance").attrs
    for key, value in provenance.record().items():
        attributes[key] = canonical_json(value) if isinstance(value, dict | list) else value


def read_provenance(file: h5py.File) -> dict[str, Any]:
    """Record of an open HDF5 file."""
    record = dict(file["provenance"].attrs)
    for key in ("versions", "settings", "inputs", "hosts", "stages", "answers"):
        record[key] = json.loads(record.get(key, "{}"))
    record["n_ranks"] = int(record["n_ranks"])
    return record


def _versions() -> dict[str, str]:
    """Versions of what a fit depends on; importlib.metadata would take longer than some fits."""
    python = ".".join(map(str, sys.version_info[:3]))
    return {"python": python, "numpy": np.__version__, "h5py": h5py.__version__}


def _utc(stamp: float) -> str:
    return datetime.fromtimestamp(stamp, UTC).isoformat(timespec="milliseconds")
