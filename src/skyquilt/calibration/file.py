"""Files of simulated skies, and of all of them together."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np

from skyquilt.calibration.skies import InjectedSkies, NullSkies
from skyquilt.errors import ProductError
from skyquilt.io.hdf5 import get, new_hdf5, open_hdf5, put
from skyquilt.io.json_file import read_json, write_json
from skyquilt.io.provenance import Provenance, read_provenance
from skyquilt.io.schema import Schema

# 1.0  first version
# 2.0  sealed: all but the values has a checksum, too
SCHEMA = Schema("skyquilt/skies", "2.0", "skyquilt simulate-skies")
# 1.0  first version
# 2.0  sealed: all but the values has a checksum, too
CALIBRATION_SCHEMA = Schema("skyquilt/calibration", "2.0", "skyquilt calibrate")

# 1.0  first version
SUMMARY_SCHEMA = Schema("skyquilt/calibration-summary", "1.0", "skyquilt calibrate")

Kind = Literal["null", "injected"]

KINDS: dict[Kind, type[NullSkies] | type[InjectedSkies]] = {
    "null": NullSkies,
    "injected": InjectedSkies,
}
_DATASETS = {
    "ts_max": ("", "largest test statistic of the map"),
    "ipix": ("", "nested pixel of the largest TS"),
    "n_counts": ("", "counts of the sky"),
    "flux": ("", "injected flux, a multiple of the reference spectrum"),
    "direction": ("", "direction of the injected source, unit vector in the problem's frame"),
    "best_direction": ("", "direction of the largest TS, unit vector in the problem's frame"),
    "ts_truth": ("", "test statistic at the true direction"),
    "flux_truth": ("", "best flux at the true direction, negative ones allowed"),
    "flux_err_truth": ("", "standard error of flux_truth"),
    "best_flux": ("", "best flux at the direction of the largest TS"),
    "offset": ("deg", "angle between the true direction and that of the largest TS"),
}


def write_skies(
    path: str | Path,
    skies: NullSkies | InjectedSkies,
    kind: Kind,
    numbers: range,
    identity: str,
    provenance: Provenance,
) -> None:
    """Write the skies of one job.

    Parameters
    ----------
    numbers : range
        Numbers of the skies.
    identity : str
        Digest of the model and of all settings that the skies depend on.
    """
    with new_hdf5(path, SCHEMA, provenance) as file:
        file.attrs["kind"] = kind
        file.attrs["identity"] = identity
        file.attrs["start"], file.attrs["stop"] = numbers.start, numbers.stop
        _put(file, skies)


def sort_skies(paths: Iterable[str | Path]) -> dict[Kind, list[str | Path]]:
    """Files of simulated skies by what they hold, whatever their names are.

    Raises
    ------
    ProductError
        If one is missing, damaged or no file of skies.
    """
    found: dict[Kind, list[str | Path]] = {kind: [] for kind in KINDS}
    for path in paths:
        with open_hdf5(path, SCHEMA) as file:
            found[file.attrs["kind"]].append(path)
    return found


def merge_skies(
    paths: Iterable[str | Path], kind: Kind, n_skies: int, identity: str
) -> tuple[NullSkies | InjectedSkies, list[dict[str, Any]]]:
    """Skies of all jobs in the order of their numbers, and the stages of their provenance.

    Raises
    ------
    ProductError
        If a file is missing, damaged, of another model or settings, or skies are missing or
        given twice.
    """
    paths, parts, stages, covered = list(paths), {}, [], 0
    for path in paths:
        with open_hdf5(path, SCHEMA) as file:
            if file.attrs["kind"] != kind or file.attrs["identity"] != identity:
                raise ProductError(
                    f"{path}: answers another model or other settings of `calibrate`; remove it "
                    f"and run `{SCHEMA.made_by}` for it again."
                )
            start, stop = int(file.attrs["start"]), int(file.attrs["stop"])
            parts[start, stop] = _get(file, kind)
            stages.append(read_provenance(file)["stages"][-1])
    for start, stop in sorted(parts):
        if start != covered:
            break
        covered = stop
    if covered != n_skies or sum(stop - start for start, stop in parts) != n_skies:
        raise ProductError(
            f"{kind} skies: {covered} of {n_skies} without a gap, in "
            f"{', '.join(map(str, paths)) or 'no file'}; run `{SCHEMA.made_by}` for the missing "
            "ones."
        )
    ordered = [parts[key] for key in sorted(parts)]
    return KINDS[kind](*map(np.concatenate, zip(*ordered, strict=True))), stages


def write_calibration(
    path: str | Path, skies: Mapping[Kind, NullSkies | InjectedSkies], provenance: Provenance
) -> None:
    """Write all skies of an analysis."""
    with new_hdf5(path, CALIBRATION_SCHEMA, provenance) as file:
        for kind, values in skies.items():
            _put(file.create_group(kind), values)


def read_calibration(path: str | Path) -> dict[Kind, NullSkies | InjectedSkies]:
    """Read all skies of an analysis.

    Raises
    ------
    ProductError
        If the file is missing, damaged or of another kind.
    """
    with open_hdf5(path, CALIBRATION_SCHEMA) as file:
        return {kind: _get(file[kind], kind) for kind in KINDS}


def write_summary(path: str | Path, summary: dict[str, Any]) -> None:
    """Write the numbers of simulated skies."""
    write_json(path, SUMMARY_SCHEMA, summary)


def read_summary(path: str | Path) -> dict[str, Any]:
    """Read the numbers of simulated skies.

    Raises
    ------
    ProductError
        If the file is missing, damaged or of another kind.
    """
    return read_json(path, SUMMARY_SCHEMA)


def _put(group, skies: NullSkies | InjectedSkies) -> None:
    for name, values in skies._asdict().items():
        put(group, name, values, *_DATASETS[name])


def _get(group, kind: Kind) -> NullSkies | InjectedSkies:
    values = {name: get(group, name) for name in KINDS[kind]._fields}
    return KINDS[kind](**values)
