"""`problem.h5`, the narrow waist between instruments and fit."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from skyquilt.errors import ProductError
from skyquilt.io.digest import array_digest, settings_digest
from skyquilt.io.hdf5 import Schema, get, map_rows, new_hdf5, open_hdf5, put, put_rows
from skyquilt.io.provenance import Provenance, read_provenance
from skyquilt.problem.event_wise import EventWise
from skyquilt.problem.expectation import Expectation
from skyquilt.problem.imaging_file import (
    MAPPED,
    get_event_wise,
    get_point_spread,
    put_event_wise,
    put_point_spread,
)
from skyquilt.problem.joint import Joint, Part
from skyquilt.problem.local import LocalTable
from skyquilt.problem.point_spread import PointSpread
from skyquilt.problem.problem import CountsSpectrum, Description, FitProblem
from skyquilt.problem.shaped import Shaped
from skyquilt.problem.sky_table import SkyTable
from skyquilt.problem.templates import Templates
from skyquilt.sky.nodes import Nodes

# 1.0  first version
# 1.1  several data sets: expectation of kind joint, group counts_spectra (was counts_spectrum)
# 1.2  expectations of kinds event_wise and point_spread
# 1.3  background_total
# 1.4  time_span in the description
# 1.5  expectations of kind templates
# 1.6  response_pixel_deg in the description
# 1.7  expectations of kind shaped, shape in the description
# 2.0  sealed: all but the values has a checksum, too; grid `most` of kind event_wise,
#      flux_range_keV and sharpness_deg in the description
SCHEMA = Schema("skyquilt/problem", "2.0", "skyquilt prepare")

_LOCAL_DATASETS = {
    "rotation": ("", "rotation from the sky frame to the spacecraft, per attitude sample"),
    "weight": ("s", "time weight of each attitude sample"),
    "zenith": ("", "direction from the Earth's centre to the spacecraft, in the sky frame"),
    "horizon_cos": ("", "cosine of the angle between zenith and Earth's horizon"),
}

_NODES = {
    "east": "offsets of the points that make up the source, to the east",
    "north": "the same to the north",
    "weight": "weights of these points",
}


def write_problem(path: str | Path, problem: FitProblem, provenance: Provenance) -> str:
    """Write a problem; the rows of its table may be anything with `shape` that yields rows.

    Returns
    -------
    str
        Identity of the problem: digest of all that influences the fit.
    """
    with new_hdf5(path, SCHEMA, provenance) as file:
        put(file, "counts", problem.counts, "", "observed counts in the hit bins")
        put(file, "background", problem.background, "", "expected background in the hit bins")
        _put_expectation(file.create_group("expectation"), problem.expectation)
        file.attrs["frame"] = problem.frame
        file.attrs["photon_flux"] = problem.photon_flux
        if problem.background_total is not None:
            file.attrs["background_total"] = problem.background_total
        file.attrs["description"] = json.dumps(problem.description._asdict())
        _put_spectra(file.create_group("counts_spectra"), problem.counts_spectra)
        file.attrs["identity"] = _identity(file)
        return file.attrs["identity"]


def read_problem(path: str | Path) -> FitProblem:
    """Read a problem; the rows of its table are mapped, not read.

    Raises
    ------
    ProductError
        If the file is missing, damaged, or no problem.
    """
    with open_hdf5(path, SCHEMA) as file:
        identity = file.attrs["identity"]
        if identity != _identity(file):
            raise ProductError(
                f"{path}: content and identity differ, the file is damaged; make it again with "
                f"`{SCHEMA.made_by}`."
            )
        description = json.loads(file.attrs["description"])
        description["energy_range_keV"] = tuple(description["energy_range_keV"])
        for name in ("time_span", "flux_range_keV"):
            span = description.get(name)
            description[name] = None if span is None else tuple(span)
        return FitProblem(
            counts=get(file, "counts"),
            background=get(file, "background"),
            expectation=_get_expectation(file["expectation"]),
            frame=str(file.attrs["frame"]),
            photon_flux=float(file.attrs["photon_flux"]),
            description=Description(**description),
            counts_spectra=_get_spectra(file["counts_spectra"]),
            background_total=_get_total(file),
            identity=str(identity),
        )


def _get_total(file: h5py.File) -> float | None:
    name = "background_total"
    return float(file.attrs[name]) if name in file.attrs else None


def check_rows(path: str | Path) -> None:
    """Compare what is mapped of a problem with its checksums, which reading does not.

    Raises
    ------
    ProductError
        If they differ.
    """
    with open_hdf5(path, SCHEMA) as file:
        for dataset in _mapped(file["expectation"]):
            values = map_rows(dataset.parent, dataset.name.rpartition("/")[2])
            if array_digest(values) != dataset.attrs["sha256"]:
                raise ProductError(
                    f"{path}: the checksum of {dataset.name[1:]} differs, the file is damaged; "
                    "make it again with `skyquilt prepare`."
                )


def read_record(path: str | Path) -> dict[str, Any]:
    """Provenance of a problem."""
    with open_hdf5(path, SCHEMA) as file:
        return read_provenance(file)


def _put_expectation(group: h5py.Group, expectation: Expectation | Templates) -> None:
    if isinstance(expectation, Templates):
        group.attrs["kind"] = "templates"
        group.attrs["names"] = list(expectation.names)
        group.attrs["photon_fluxes"] = expectation.photon_fluxes
        for index, one in enumerate(expectation.expectations):
            _put_expectation(group.create_group(f"template_{index}"), one)
    else:
        _put_one(group, expectation)


def _put_one(group: h5py.Group, expectation: Expectation) -> None:
    match expectation:
        case Joint():
            _put_joint(group, expectation)
        case EventWise():
            put_event_wise(group, expectation)
        case PointSpread():
            put_point_spread(group, expectation)
        case Shaped():
            _put_shaped(group, expectation)
        case _:
            _put_table(group, expectation)


def _put_joint(group: h5py.Group, expectation: Joint) -> None:
    group.attrs["kind"] = "joint"
    group.attrs["frame"] = expectation.frame  # also that of the part, if it is one
    for index, part in enumerate(expectation.parts):
        own = group.create_group(f"part_{index}")
        own.attrs["frame"] = part.frame
        _put_one(own, part.expectation)


def _put_table(group: h5py.Group, expectation: LocalTable | SkyTable) -> None:
    shape = expectation.rows.shape
    about = "expected counts for unit flux in the hit bins, one row per response direction"
    unit = "s-1" if isinstance(expectation, LocalTable) else ""
    put_rows(group, "rows", expectation.rows, shape, np.float32, unit, about)
    put(group, "totals", expectation.totals, unit, "expected counts summed over all bins")
    group.attrs["nside"] = expectation.nside
    if isinstance(expectation, LocalTable):
        group.attrs["kind"] = "local_table"
        for name, (unit, about) in _LOCAL_DATASETS.items():
            if getattr(expectation, name) is not None:
                put(group, name, getattr(expectation, name), unit, about)
    else:
        group.attrs["kind"] = "sky_table"
        group.attrs["ordering"] = expectation.ordering
        group.attrs["interpolation"] = expectation.interpolation


def _get_expectation(group: h5py.Group) -> Expectation | Templates:
    if group.attrs["kind"] == "templates":
        each = (_get_expectation(group[f"template_{index}"]) for index in range(len(group)))
        names = tuple(map(str, group.attrs["names"]))
        return Templates(names, tuple(each), group.attrs["photon_fluxes"])
    return _get_one(group)


def _get_one(group: h5py.Group) -> Expectation:
    match group.attrs["kind"]:
        case "joint":
            parts = [group[f"part_{index}"] for index in range(len(group))]
            return Joint(
                tuple(Part(_get_one(part), str(part.attrs["frame"])) for part in parts),
                str(group.attrs["frame"]),
            )
        case "event_wise":
            return get_event_wise(group)
        case "point_spread":
            return get_point_spread(group)
        case "local_table" | "sky_table":
            return _get_table(group)
        case "shaped":
            return _get_shaped(group)
        case kind:
            raise ProductError(
                f"{group.file.filename}: unknown kind of expectation {kind!r}; make it again with "
                f"`{SCHEMA.made_by}`, or read it with the skyquilt that made it."
            )


def _get_table(group: h5py.Group) -> LocalTable | SkyTable:
    common = {
        "rows": map_rows(group, "rows"),
        "totals": get(group, "totals"),
        "nside": int(group.attrs["nside"]),
    }
    kind = group.attrs["kind"]
    if kind == "local_table":
        names = [name for name in _LOCAL_DATASETS if name in group]
        return LocalTable(**common, **{name: get(group, name) for name in names})
    keys = ("ordering", "interpolation")
    return SkyTable(**common, **{key: str(group.attrs[key]) for key in keys})


def _put_shaped(group: h5py.Group, expectation: Shaped) -> None:
    group.attrs["kind"] = "shaped"
    for name, values in expectation.nodes._asdict().items():
        put(group, name, values, "", _NODES[name])
    put(group, "pole", expectation.pole, "", "north pole that offsets are counted from")
    _put_one(group.create_group("point"), expectation.expectation)


def _get_shaped(group: h5py.Group) -> Shaped:
    nodes = Nodes(*(get(group, name) for name in _NODES))
    return Shaped(_get_one(group["point"]), nodes, get(group, "pole"))


def _mapped(group: h5py.Group) -> Iterator[h5py.Dataset]:
    """All datasets of an expectation that are mapped."""
    for name, item in group.items():
        if isinstance(item, h5py.Group):
            yield from _mapped(item)
        elif name == "rows" or name in MAPPED:
            yield item


def _put_spectra(group: h5py.Group, spectra: Mapping[str, CountsSpectrum]) -> None:
    group.attrs["datasets"] = list(spectra)
    for index, spectrum in enumerate(spectra.values()):
        _put_spectrum(group.create_group(str(index)), spectrum)


def _get_spectra(group: h5py.Group) -> dict[str, CountsSpectrum]:
    names = map(str, group.attrs["datasets"])
    return {name: _get_spectrum(group[str(index)]) for index, name in enumerate(names)}


def _put_spectrum(group: h5py.Group, spectrum: CountsSpectrum) -> None:
    put(group, "edges", spectrum.edges, "keV", "edges of the measured-energy channels")
    put(group, "is_selected", spectrum.is_selected, "", "channels in the likelihood")
    for index, (label, counts) in enumerate(spectrum.counts.items()):
        put(group, f"counts_{index}", counts, "", label)
    group.attrs["n_terms"] = len(spectrum.counts)


def _get_spectrum(group: h5py.Group) -> CountsSpectrum:
    names = [f"counts_{index}" for index in range(group.attrs["n_terms"])]
    counts = {group[name].attrs["description"]: get(group, name) for name in names}
    return CountsSpectrum(get(group, "edges"), get(group, "is_selected"), counts)


def _identity(file: h5py.File) -> str:
    """Digest of the checksums and settings that influence the fit."""
    content = {name: file[name].attrs["sha256"] for name in ("counts", "background")}
    keys = ("frame", "photon_flux", "background_total")
    content |= {key: str(file.attrs[key]) for key in keys if key in file.attrs}
    return settings_digest(content | _identities(file["expectation"]))


def _identities(group: h5py.Group) -> dict[str, Any]:
    """Checksums of datasets and settings of a group and of the groups in it."""
    content = {key: str(value) for key, value in group.attrs.items()}
    for name, item in group.items():
        is_group = isinstance(item, h5py.Group)
        content[name] = _identities(item) if is_group else item.attrs["sha256"]
    return content
