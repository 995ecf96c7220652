"""Every product of an analysis: its files, which verb makes it, and what it answers.

This is the one list of them. The rules, `run`, `status`, `verify`, `report` and the help take from
here what there is, in which order it is made, and which settings and files each product depends on.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import Any, Literal, NamedTuple

Sections = Mapping[str, bool | frozenset[str]]
"""Sections of an analysis: whole (True), or some of their keys."""

LISTING = "figures.json"
"""List in a folder of figures; it stands for the folder."""

INDEX = "index.html"
"""Page of all analyses, beside their folders."""


class Content(NamedTuple):
    """A file of a product, or a folder of files.

    Attributes
    ----------
    path : str
        Where it is, in the folder of the analysis; a pattern, where each fit of a model has its
        own.
    kinds : tuple of str
        What the file may be, as "skyquilt/maps", or the files in the folder.
    about : str
        What the page says of it, "" if the page does not link it.
    folder : {"", "parts", "figures", "whole"}
        A file; or a folder of parts that jobs of their own make; or one that is made as a whole:
        of figures with a list of them, or of other files.
    parts : tuple of str
        Patterns of the names in a folder of parts.
    """

    path: str
    kinds: tuple[str, ...]
    about: str = ""
    folder: Literal["", "parts", "figures", "whole"] = ""
    parts: tuple[str, ...] = ()

    def find(self, folder: Path) -> list[Path]:
        """What is there of it in the folder of an analysis."""
        if "*" in self.path:
            return sorted(folder.glob(self.path))
        return [folder / self.path] if (folder / self.path).exists() else []


class Product(NamedTuple):
    """Files that are made together.

    Attributes
    ----------
    name : str
        Name of the product.
    contents : tuple of Content
        Its files and folders; the first tells what the product answers.
    verb : str
        Verb of `skyquilt` that makes it.
    about : str
        What the verb makes of what, for the help.
    sections : dict
        Settings that it depends on, besides those of what it is made from.
    needs : tuple of str
        Products that it is made from.
    data : {"", "measurement", "responses", "catalogue", "rosters"}
        Input files that it is made from.
    asked_by : str
        Section without which an analysis does not have it, "" if every one has it.
    of_map : bool
        Whether it is of a map, which an analysis with a model only does not have.
    in_run : bool
        Whether `skyquilt run` makes it, too; the workflow makes all.
    """

    name: str
    contents: tuple[Content, ...]
    verb: str
    about: str
    sections: Sections
    needs: tuple[str, ...] = ()
    data: Literal["", "measurement", "responses", "catalogue", "rosters"] = ""
    asked_by: str = ""
    of_map: bool = False
    in_run: bool = True

    @property
    def files(self) -> tuple[str, ...]:
        """Paths of all contents."""
        return tuple(content.path for content in self.contents)


def _file(path: str, kind: str, about: str = "") -> Content:
    return Content(path, (f"skyquilt/{kind}",), about)


def _folder(path: str, kinds: str, folder: Literal["figures", "whole"]) -> Content:
    return Content(path, tuple(f"skyquilt/{kind}" for kind in kinds.split()), folder=folder)


def _parts(path: str, kinds: str, *names: str) -> Content:
    return _folder(path, kinds, "whole")._replace(folder="parts", parts=names)


def _of_fits(path: str, kind: str, about: str = "") -> Content:
    return _file(path, kind, about)._replace(folder="parts")


def _whole(*names: str) -> dict[str, bool]:
    return dict.fromkeys(names, True)


TIME_BINS = "time_bins"
"""Of data and data sets: settings of models only."""

_TABLE = _whole("energy", "datasets", "spectrum", "spectra")
_PROBLEM = _TABLE | _whole("instrument", "data", "shape", "flux_range")
# in chunks or not, cells are the same
_CELLS = frozenset({"enabled", "drop", "max_order"})
_REFINED = {"refine": _CELLS, "localise": frozenset({"levels", "systematic_error"})}
_SOURCES = _whole("sources", "fit") | {"localise": frozenset({"systematic_error"})}
_SKIES = _whole("map", "fit", "calibrate")
_LEVEL = frozenset({"confidence_level"})

PRODUCTS = {
    product.name: product
    for product in (
        Product(
            "table",
            (_file("table.json", "table-note"),),
            "contract",
            "response x spectrum, kept in the cache",
            _TABLE,
            data="responses",
            of_map=True,
        ),
        Product(
            "problem",
            (
                _file(
                    *("problem.h5", "problem"),
                    "counts, background and expected counts that were fitted",
                ),
            ),
            "prepare",
            "counts, background, orientation, table",
            # bins without counts bound fluxes below zero
            _PROBLEM | {"fit": frozenset({"allow_negative"})},
            data="measurement",
            of_map=True,
        ),
        Product(
            "plan",
            (_file("plan.json", "plan"),),
            "plan",
            "which pixels, in how many chunks",
            _whole("map", "fit"),
            ("problem",),
            of_map=True,
        ),
        Product(
            "chunks",
            (_parts("chunks", "chunk", "*.h5"),),
            "fit-chunk",
            "one chunk of pixels (MPI-aware)",
            {},
            ("plan",),
            of_map=True,
        ),
        Product(
            "maps",
            (
                _file(
                    *("maps.fits", "maps"),
                    "maps of TS, flux and their errors; opens in healpy, TOPCAT, Aladin",
                ),
            ),
            "merge",
            "chunks side by side",
            {},
            ("chunks",),
            of_map=True,
        ),
        Product(
            "steps",
            (_parts("refine", "plan chunk", "*.json", "*/*.h5"),),
            "plan-refinement",
            "next pixels of a refinement in chunks",
            _REFINED,
            ("maps",),
            of_map=True,
            in_run=False,
        ),
        Product(
            "refined",
            (
                _file(
                    "refined.fits", "refined", "TS on a multi-order grid that resolves the region"
                ),
            ),
            "refine",
            "the map made finer where the source may be",
            _REFINED,
            ("maps",),
            of_map=True,
        ),
        Product(
            "localisation",
            (
                _file("summary.json", "summary", "all numbers of this page"),
                _file(
                    *("skymap.multiorder.fits", "skymap"),
                    "multi-order localisation map for ligo.skymap, mocpy, alert systems",
                ),
                _file("skymap.fits", "flat-skymap", "the same as a flat HEALPix map"),
                _folder("regions", "region", "whole"),
            ),
            "localise",
            "best position, posterior, regions",
            _whole("localise"),
            ("refined",),
            of_map=True,
        ),
        Product(
            "sources",
            (
                _file(
                    *("sources.fits", "sources"),
                    "source list as FITS, with the catalogue's objects",
                ),
                _file("sources.ecsv", "sources", "source list as text"),
            ),
            "sources",
            "sources above a threshold",
            _SOURCES,
            ("maps",),
            data="catalogue",
            asked_by="sources",
        ),
        Product(
            "plots",
            (_folder("plots", "figures figure", "figures"),),
            "plot",
            "figures as PNG and PDF",
            _whole("plots"),
            ("localisation", "sources"),
            of_map=True,
            in_run=False,
        ),
        Product(
            "model",
            (_file("model.h5", "problem"),),
            "prepare",
            "the same with --all-bins, to simulate skies",
            _PROBLEM,
            data="measurement",
            asked_by="calibrate",
            in_run=False,
        ),
        Product(
            "skies",
            (_parts("skies", "skies", "*.h5"),),
            "simulate-skies",
            "skies without a source, or with one each",
            _SKIES,
            ("model",),
            asked_by="calibrate",
            in_run=False,
        ),
        Product(
            "calibration",
            (
                _file(
                    *("calibration.json", "calibration-summary"),
                    "numbers of the simulated skies",
                ),
                _file("calibration.h5", "calibration"),
                _folder("calibration-plots", "figures figure", "figures"),
            ),
            "calibrate",
            "global p-value, bias, efficiency, coverage",
            _whole("localise"),
            ("skies",),
            asked_by="calibrate",
            in_run=False,
        ),
        Product(
            "model_problem",
            (_file("model/problem.h5", "model-problem"),),
            "model prepare",
            "counts, backgrounds and responses of all time bins and data sets of a model",
            _whole("energy", "datasets", "spectrum", "spectra", "instrument", "data", TIME_BINS)
            | {"model": frozenset({"radius", "epoch", "sources"})},
            data="measurement",
            asked_by="model",
        ),
        Product(
            "model_fits",
            (_parts("model", "model model-table", "*.h5", "*.ecsv"),),
            "model fit",
            "a fit of the model, with tables of its parameters and its bins",
            _whole("model") | {"fit": frozenset({"confidence_level"})},
            ("model_problem",),
            asked_by="model",
        ),
        Product(
            "model_profiles",
            (_of_fits("model/*/profile-*.h5", "model-profile"),),
            "model profile",
            "profiles of the likelihood along numbers of a fit",
            _whole("model"),
            ("model_fits",),
            asked_by="model",
            in_run=False,
        ),
        Product(
            "model_ensembles",
            (_of_fits("model/*/ensemble-*.h5", "model-ensemble"),),
            "model sample",
            "one ensemble of samples of a fit",
            _whole("model"),
            ("model_fits",),
            asked_by="model",
            in_run=False,
        ),
        Product(
            "model_samples",
            (
                _of_fits("model/*-samples.h5", "model-samples"),
                _of_fits("model/*-samples.ecsv", "model-table"),
            ),
            "model collect",
            "the ensembles of a fit, joined",
            _whole("model"),
            ("model_ensembles",),
            asked_by="model",
            in_run=False,
        ),
        Product(
            "model_comparison",
            (_file("model/comparison.json", "model-comparison", "fits of the model, compared"),),
            "model collect",
            "the fits of a model side by side, and compared",
            _whole("model"),
            ("model_fits",),
            asked_by="model",
        ),
        Product(
            "model_plots",
            (_folder("model/plots", "figures figure", "figures"),),
            "model plot",
            "figures of the fits of a model",
            _whole("model"),
            ("model_profiles", "model_samples"),
            asked_by="model",
            in_run=False,
        ),
        Product(
            "target_problem",
            (_file("targets/problem.h5", "problem"),),
            "targets prepare",
            "counts, background and expected counts of targets, in all bins",
            _PROBLEM | {"targets": frozenset({"bands"})},
            data="measurement",
            asked_by="targets",
        ),
        Product(
            "target_baseline",
            (_file("targets/baseline.h5", "targets-baseline"),),
            "targets baseline",
            "fluxes of listed sources together, in each band",
            {"targets": frozenset({"neighbours"})},
            ("sources", "target_problem"),
            data="rosters",
            asked_by="targets",
        ),
        Product(
            "target_list",
            (
                _file("targets/plan.json", "targets-plan"),
                _file("targets/targets.ecsv", "targets", "targets of all rosters"),
            ),
            "targets list",
            "targets of all rosters, and the jobs that fit them",
            _whole("targets") | {"fit": _LEVEL},
            ("target_baseline",),
            data="rosters",
            asked_by="targets",
        ),
        Product(
            "target_seds",
            (_parts("targets/seds", "targets-seds", "*.h5"),),
            "targets fit",
            "targets of a job in all bands",
            {},
            ("target_list",),
            asked_by="targets",
        ),
        Product(
            "seds",
            (
                _file(
                    *("targets/seds.fits", "seds"),
                    "profiles of the flux of each target in each band; opens in fermipy",
                ),
                _file("targets/seds.ecsv", "seds", "spectra of the targets as text"),
                _file("targets/spectra.ecsv", "target-spectra", "models of the spectra of targets"),
                _folder("targets/sed", "sed", "whole"),
            ),
            "targets merge",
            "spectra of all targets as tables",
            {},
            ("target_seds",),
            asked_by="targets",
        ),
        Product(
            "page",
            (_file("report.html", "page"),),
            "report",
            "a page with all of it; and an index of the pages",
            _whole("map", "fit", "refine", "localise", "sources", "calibrate", "plots", "model"),
            ("plots", "calibration", "model_comparison", "model_plots"),
            in_run=False,
        ),
    )
}
"""All products by name, in the order of making."""

CONTENTS = {content.path: content for item in PRODUCTS.values() for content in item.contents}
"""All files and folders of products by their paths, in the order of making."""

FOLDERS = tuple(path for path, item in CONTENTS.items() if item.folder in ("figures", "whole"))
"""Folders that are made as a whole."""

VERBS = tuple(dict.fromkeys(product.verb for product in PRODUCTS.values()))
"""Verbs that make products, in the order of making."""


OF_FITS = {
    "model_fits": "",
    "model_profiles": "profile",
    "model_ensembles": "sample",
    "model_samples": "sample",
}
"""Products that each fit of a model has its own of, and the key of the fit that asks for them."""


def fit_files(folder: Path, name: str) -> tuple[Path, ...]:
    """Files of a fit of a model: what it found, and tables of its parameters and its bins.

    Examples
    --------
    >>> [path.name for path in fit_files(Path("model"), "pulse")]
    ['pulse.h5', 'pulse.ecsv', 'pulse-bins.ecsv']
    """
    return tuple(folder / f"{name}{end}" for end in (".h5", ".ecsv", "-bins.ecsv"))


def sample_files(folder: Path, name: str) -> tuple[Path, ...]:
    """Files of the samples of a fit: all draws, and a table of what they say.

    Examples
    --------
    >>> [path.name for path in sample_files(Path("model"), "pulse")]
    ['pulse-samples.h5', 'pulse-samples.ecsv']
    """
    return tuple(folder / f"{name}-samples{end}" for end in (".h5", ".ecsv"))


def fit_of(path: Path, folder: Path) -> str:
    """Name of the fit that a file in the folder of a model is of.

    Examples
    --------
    >>> files = ("pulse.h5", "pulse-bins.ecsv", "pulse-samples.h5", "pulse/ensemble-1-of-4.h5")
    >>> {fit_of(Path("model") / file, Path("model")) for file in files}
    {'pulse'}
    """
    name = path.relative_to(folder).parts[0]
    return PurePosixPath(name).stem.removesuffix("-bins").removesuffix("-samples")


def fits_in(folder: Path) -> list[str]:
    """Names of the fits that are in the folder of a model."""
    names = {fit_of(path, folder) for path in folder.glob("*.h5")}
    return sorted(names - {"problem"})


def part_file(folder: Path, name: str, kind: str, number: int, of: int) -> Path:
    """File of a part of the work on a fit, an ensemble or points of profiles.

    Examples
    --------
    >>> part_file(Path("model"), "pulse", "ensemble", 1, 4).as_posix()
    'model/pulse/ensemble-1-of-4.h5'
    """
    return folder / name / f"{kind}-{number}-of-{of}.h5"


def files_of_fit(folder: Path, product: str, name: str) -> list[Path]:
    """Files that are there of a product of a fit.

    Parameters
    ----------
    folder : Path
        Folder of the model.
    product : str
        One of `OF_FITS`.
    name : str
        Name of the fit.
    """
    match product:
        case "model_fits":
            files: Iterable[Path] = fit_files(folder, name)
        case "model_samples":
            files = sample_files(folder, name)
        case _:
            (content,) = PRODUCTS[product].contents
            files = sorted((folder / name).glob(PurePosixPath(content.path).name))
    return [path for path in files if path.exists()]


def asked_products(is_asked: Callable[[str], bool]) -> list[Product]:
    """Products of an analysis, in the order of making.

    Parameters
    ----------
    is_asked : callable
        Whether the analysis has a section of this name.
    """
    return [item for item in PRODUCTS.values() if not item.asked_by or is_asked(item.asked_by)]


def always_made() -> list[Product]:
    """Products that every analysis has, whatever its configuration is."""
    return [item for item in asked_products(lambda _: False) if item.data != "responses"]


def kinds_at(path: str) -> tuple[str, ...]:
    """What a file of an analysis may be; () for a file that is of no product.

    Examples
    --------
    >>> kinds_at("maps.fits"), kinds_at("chunks/000-of-012.h5"), kinds_at("notes.json")
    (('skyquilt/maps',), ('skyquilt/chunk',), ())
    """
    for pattern, content in CONTENTS.items():
        if "*" in pattern and PurePosixPath(path).match(pattern):
            return content.kinds
    paths = (path, *map(str, PurePosixPath(path).parents))
    return next((CONTENTS[each].kinds for each in paths if each in CONTENTS), ())


def ancestry(name: str) -> Iterator[Product]:
    """A product and all that it is made from, directly or not, in the order of making."""
    wanted = {name}
    for product in reversed(PRODUCTS.values()):
        if product.name in wanted:
            wanted.update(product.needs)
    return (product for product in PRODUCTS.values() if product.name in wanted)


def asked_ancestry(name: str, without: frozenset[str]) -> Iterator[Product]:
    """The same of an analysis without some sections, and so without what these ask for."""
    away = without - {PRODUCTS[name].asked_by}
    return (product for product in ancestry(name) if product.asked_by not in away)


@cache
def all_sections(*names: str, without: frozenset[str] = frozenset()) -> dict[str, bool | frozenset]:
    """Settings that products depend on, with those of all that they are made from.

    Parameters
    ----------
    *names : str
        The products.
    without : frozenset of str
        Sections that an analysis does not have: it has no products that these ask for.
    """
    sections: dict[str, bool | frozenset[str]] = {}
    for product in chain.from_iterable(asked_ancestry(name, without) for name in names):
        for key, part in product.sections.items():
            before = sections.get(key, frozenset())
            if isinstance(part, bool) or isinstance(before, bool):
                sections[key] = True
            else:
                sections[key] = before | part
    return sections


def select(settings: Mapping[str, Any], sections: Sections) -> dict[str, Any]:
    """Parts of the settings of an analysis.

    Time bins stand within data and data sets, but maps take all of the time: they are a part of the
    settings of products that name them.

    Examples
    --------
    >>> select({"fit": {"a": 1}, "map": {"b": 2, "c": 3}}, {"map": frozenset({"c"})})
    {'map': {'c': 3}}
    >>> select({"data": {"counts": "a.h5", "time_bins": {"counts": 50}}}, {"data": True})
    {'data': {'counts': 'a.h5'}}
    """
    if TIME_BINS not in sections:
        settings = _without_time_bins(settings)
    return {
        key: settings[key]
        if isinstance(part, bool) or settings[key] is None
        else {name: value for name, value in settings[key].items() if name in part}
        for key, part in sections.items()
        if key in settings
    }


def _without_time_bins(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of an analysis, or of a data set, without the time bins of its data."""
    kept = {key: part for key, part in settings.items() if key != TIME_BINS}
    if isinstance(data := kept.get("data"), Mapping):
        kept["data"] = {key: part for key, part in data.items() if key != TIME_BINS}
    if isinstance(datasets := kept.get("datasets"), Mapping):
        kept["datasets"] = {name: _without_time_bins(one) for name, one in datasets.items()}
    return kept
