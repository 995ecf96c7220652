"""`targets/baseline.h5` and `targets/seds/*.h5`: neighbours, and fits of targets."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from skyquilt.errors import ProductError
from skyquilt.io.hdf5 import get, new_hdf5, open_hdf5, put
from skyquilt.io.provenance import Provenance, read_provenance
from skyquilt.io.schema import Schema
from skyquilt.targets.fit import NUMBERS, TargetResult
from skyquilt.targets.neighbours import Neighbours

# 1.0  first version
BASELINE = Schema("skyquilt/targets-baseline", "1.0", "skyquilt targets baseline")

# 1.0  first version
SEDS = Schema("skyquilt/targets-seds", "1.0", "skyquilt targets fit")

_SCAN = ("norm_scan", "delta_loglike_scan", "slope_scan")
_ABOUT_SCAN = ("fluxes of the scan", "ln L less its maximum at these", "its derivative there")


def write_baseline(
    path: str | Path, neighbours: Neighbours, problem_identity: str, provenance: Provenance
) -> None:
    """Write the fluxes of listed sources."""
    with new_hdf5(path, BASELINE, provenance) as file:
        file.attrs["problem_identity"] = problem_identity
        file.attrs["names"] = list(map(str, neighbours.name))
        put(file, "direction", neighbours.direction, "", "unit vectors in the frame of the problem")
        about = "best fluxes of all together in each band, as multiples of the reference spectrum"
        put(file, "flux", neighbours.flux, "", about)


def read_baseline(path: str | Path) -> tuple[Neighbours, str]:
    """Read fluxes of listed sources, and the identity of their problem.

    Raises
    ------
    ProductError
        If the file is missing, damaged or no baseline.
    """
    with open_hdf5(path, BASELINE) as file:
        names = np.array(list(map(str, file.attrs["names"])), dtype=str)
        neighbours = Neighbours(names, get(file, "direction"), get(file, "flux"))
        return neighbours, str(file.attrs["problem_identity"])


class FittedTargets(NamedTuple):
    """Fits of some targets, of one job or of all.

    Attributes
    ----------
    numbers : dict of str to ndarray of float64, shape (n_fit, n_band)
        `NUMBERS` of each band.
    scan : ndarray of float64, shape (n_fit, 3, n_band, n_point)
        Fluxes, ln L less its maximum, and its slope; NaN beyond the points of a band.
    own : tuple of str
        Names of the listed sources that are the target, joined by commas.
    record : dict
        Provenance.
    """

    numbers: dict[str, np.ndarray]
    scan: np.ndarray
    own: tuple[str, ...]
    record: dict[str, Any]


def write_seds(
    path: str | Path, plan_identity: str, results: list[TargetResult], provenance: Provenance
) -> None:
    """Write the fits of a job."""
    with new_hdf5(path, SEDS, provenance) as file:
        file.attrs["plan_identity"] = plan_identity
        file.attrs["own"] = [",".join(one.own) for one in results]
        for name, about in NUMBERS.items():
            put(file, name, np.array([one.numbers[name] for one in results]), "", about)
        scan = np.array([one.scan for one in results])
        for number, name in enumerate(_SCAN):
            put(file, name, scan[:, number], "", _ABOUT_SCAN[number])


def read_seds(path: str | Path, plan_identity: str) -> FittedTargets:
    """Read the fits of a job.

    Raises
    ------
    ProductError
        If the file is missing, damaged, of another kind, or answers another plan.
    """
    with open_hdf5(path, SEDS) as file:
        if str(file.attrs["plan_identity"]) != plan_identity:
            raise ProductError(f"{path}: it is of another plan of targets; {SEDS.again}.")
        numbers = {name: get(file, name) for name in NUMBERS}
        scan = np.stack([get(file, name) for name in _SCAN], axis=1)
        own = tuple(map(str, file.attrs["own"]))
        return FittedTargets(numbers, scan, own, read_provenance(file))


def join_seds(parts: list[FittedTargets]) -> FittedTargets:
    """Fits of several jobs, one after the other."""
    numbers = {name: np.concatenate([one.numbers[name] for one in parts]) for name in NUMBERS}
    own = tuple(name for one in parts for name in one.own)
    return FittedTargets(numbers, np.concatenate([one.scan for one in parts]), own, parts[0].record)
