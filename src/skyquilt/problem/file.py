"""`problem.h5`, the narrow waist between instruments and fit."""

import json
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import h5py

from skyquilt.errors import ProductError
from skyquilt.io.digest import array_digest, settings_digest
from skyquilt.io.hdf5 import get, map_rows, new_hdf5, open_hdf5, put
from skyquilt.io.provenance import Provenance, read_provenance
from skyquilt.io.schema import Schema
from skyquilt.problem.backgrounds import BackgroundComponent, get_components, put_components
from skyquilt.problem.bands import get_bands, put_bands
from skyquilt.problem.datasets import Stored
from skyquilt.problem.problem import CountsSpectrum, Description, FitProblem

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
# 2.1  group density of kind event_wise, in models; groups bands and backgrounds, totals in bands of
#      all expectations, backgrounds in the description; an earlier file is one band, its background
#      one component; groups true_energy of expectations, where spectra may vary
# 2.2  expectations of kind dispersed_events
# 2.3  psf_node, exposure_node, energy_node, index (were psf_place, exposure_place, energy_place,
#      place)
SCHEMA = Schema("skyquilt/problem", "2.3", "skyquilt prepare")

_BANDS, _BACKGROUNDS = "bands", "backgrounds"  # groups

# Module and class of each kind of expectation: a worker imports those that it reads.
_KINDS = {
    "local_table": ("local", "LocalTable"),
    "sky_table": ("sky_table", "SkyTable"),
    "event_wise": ("event_wise", "EventWise"),
    "dispersed_events": ("dispersed", "DispersedEvents"),
    "point_spread": ("point_spread", "PointSpread"),
    "shaped": ("shaped", "Shaped"),
    "joint": ("joint", "Joint"),
    "templates": ("templates", "Templates"),
}


def write_problem(path: str | Path, problem: FitProblem, provenance: Provenance) -> str:
    """Write a problem; the rows of its table may be anything with `shape` that yields rows.

    Returns
    -------
    str
        Identity of the problem: digest of all that influences the fit.

    Raises
    ------
    OutputError
        If it cannot be written.
    TypeError
        If its expectation is of a class that is not stored.
    """
    with new_hdf5(path, SCHEMA, provenance) as file:
        put(file, "counts", problem.counts, "", "observed counts in the hit bins")
        put(file, "background", problem.background, "", "expected background in the hit bins")
        put_expectation(file.create_group("expectation"), problem.expectation)
        put_bands(file.create_group(_BANDS), problem.bands)
        put_components(file.create_group(_BACKGROUNDS), problem.backgrounds)
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
        background = get(file, "background")
        components: tuple[BackgroundComponent, ...] = ()
        if _BACKGROUNDS in file:
            components = get_components(file[_BACKGROUNDS], background)
        return FitProblem(
            counts=get(file, "counts"),
            background=background,
            expectation=get_expectation(file["expectation"]),
            frame=str(file.attrs["frame"]),
            photon_flux=float(file.attrs["photon_flux"]),
            description=Description(**description),
            counts_spectra=_get_spectra(file["counts_spectra"]),
            background_total=_get_total(file),
            identity=str(identity),
            known_bands=get_bands(file[_BANDS]) if _BANDS in file else None,
            known_backgrounds=components,
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
        names = frozenset[str]().union(*(_kind(name).mapped for name in _KINDS))
        for dataset in _mapped(file["expectation"], names):
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


def put_expectation(group: h5py.Group, expectation: object) -> None:
    """Write an expectation to a group.

    Raises
    ------
    TypeError
        If it is of a class that is not stored.
    """
    if not isinstance(expectation, Stored):
        raise TypeError(f"{type(expectation).__name__} has no `put`: it cannot be written")
    group.attrs["kind"] = expectation.kind
    expectation.put(group, put_expectation)


def get_expectation(group: h5py.Group) -> Any:
    """Read an expectation from a group.

    Raises
    ------
    ProductError
        If its kind is not known.
    """
    kind = str(group.attrs["kind"])
    if kind not in _KINDS:
        raise ProductError(
            f"{group.file.filename}: unknown kind of expectation {kind!r}; make it again with "
            f"`{SCHEMA.made_by}`, or read it with the skyquilt that made it."
        )
    return _kind(kind).get(group, get_expectation)


def _kind(name: str) -> type[Stored]:
    module, class_name = _KINDS[name]
    return getattr(import_module(f"skyquilt.problem.{module}"), class_name)


def _mapped(group: h5py.Group, names: frozenset[str]) -> Iterator[h5py.Dataset]:
    """All datasets of an expectation that are mapped, by their names."""
    for name, item in group.items():
        if isinstance(item, h5py.Group):
            yield from _mapped(item, names)
        elif name in names:
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
    for name in (_BANDS, _BACKGROUNDS):
        if name in file:  # not in files of before 2.1
            content[name] = group_identity(file[name])
    return settings_digest(content | group_identity(file["expectation"]))


def group_identity(group: h5py.Group) -> dict[str, Any]:
    """Checksums of datasets and settings of a group and of the groups in it."""
    content: dict[str, Any] = {key: str(value) for key, value in group.attrs.items()}
    for name, item in group.items():
        is_group = isinstance(item, h5py.Group)
        content[name] = group_identity(item) if is_group else item.attrs["sha256"]
    return content
