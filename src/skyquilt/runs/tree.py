"""The files of a tree of results: analyses, their chunks, their products."""

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from skyquilt.config import Config, load_config
from skyquilt.config.analysis import Analysis
from skyquilt.config.calibrate import CalibrateOptions
from skyquilt.config.model import ModelOptions
from skyquilt.errors import ConfigError, ProductError
from skyquilt.fit.file import read_plan
from skyquilt.fit.plan import Plan
from skyquilt.io.listing import read_listing
from skyquilt.io.target_files import planned_files
from skyquilt.maps.summary_file import region_paths
from skyquilt.products import (
    CONTENTS,
    FOLDERS,
    LISTING,
    OF_FITS,
    PRODUCTS,
    always_made,
    fit_files,
    part_file,
    sample_files,
)
from skyquilt.runs.answers import products_of
from skyquilt.sky.chunks import skies_name

_CHECKED = (".h5", ".fits", ".json")
"""Endings of files that are checked wherever they lie in the folder."""

_SEALED = (
    *("sources.ecsv", "report.html", "model/*.ecsv", "targets/*.ecsv"),
    *(f"{folder}/*.{ending}" for folder in FOLDERS for ending in ("png", "pdf", "reg")),
)
"""Other files that are checked; what people add elsewhere, a figure say, is theirs."""


_PATTERNS = (
    *(f"{item.path}/{part}" for item in CONTENTS.values() for part in item.parts),
    *(item.path for item in CONTENTS.values() if not item.folder or "*" in item.path),
    "maps.gadf.fits",
)
"""Where products lie; what lies elsewhere may be of anyone."""

_OF_WORKFLOW = {item.asked_by for item in PRODUCTS.values() if item.asked_by} - {
    item.asked_by for item in PRODUCTS.values() if item.in_run
}
"""Sections that ask for nothing that `skyquilt run` makes."""

CONFIG = "config.yaml"
"""Resolved configuration of an analysis, beside its products."""

CLOSED = "no permission to look into it; ask its owner"
"""What is wrong with a folder of another user."""


class Folder(NamedTuple):
    """Folder of an analysis.

    Attributes
    ----------
    path : Path
        The folder; its name is that of the analysis.
    plan : Plan or None
        Its plan, None if there is no whole one.
    chunks : dict of str to Path
        Files of all chunks of the plan, by name as "003-of-012", there or not.
    wanted : tuple of Path
        All files that it has at the end, in the order of making, there or not.
    config : Config or None
        Configuration beside the products, None if it is not there or not usable.
    fault : str
        Why it is not usable, "" if it is or is not there.
    """

    path: Path
    plan: Plan | None
    chunks: dict[str, Path]
    wanted: tuple[Path, ...] = ()
    config: Config | None = None
    fault: str = ""


def open_tree(results: str | Path) -> list[Folder]:
    """Folders of all analyses, by name: those with a configuration, or with products.

    Raises
    ------
    ConfigError
        If there is none.
    """
    path = Path(results)
    if _is_analysis(path):
        return [_open_folder(path)]
    found = sorted(filter(_is_analysis, path.glob("[!._]*")))
    if not found and (closed := closed_folders(path)):
        raise ConfigError(f"{closed[0]}: {CLOSED}.")
    if not found:
        raise ConfigError(
            f"{path}: no results; give the folder that the configuration names as `results`, or "
            "that of one analysis in it."
        )
    return [_open_folder(folder) for folder in found]


def closed_folders(results: str | Path) -> list[Path]:
    """Folders in a tree of results that this user cannot look into."""
    folders = (entry for entry in Path(results).glob("[!._]*") if entry.is_dir())
    return sorted(entry for entry in folders if not os.access(entry, os.R_OK | os.X_OK))


def products(folder: Folder) -> Iterator[Path]:
    """All files of an analysis that skyquilt can check, chunks included."""
    for path in sorted(folder.path.rglob("*")):
        inner = path.relative_to(folder.path)
        is_hidden = any(part.startswith(".") for part in inner.parts)
        is_known = path.suffix in _CHECKED or any(map(inner.match, _SEALED))
        if is_known and not is_hidden:
            yield path


def is_path_of_product(folder: Folder, path: Path) -> bool:
    """Whether a file lies where skyquilt writes; of figures and regions, if a list names it."""
    whole = made_with(folder, path)
    if whole != path:
        listed = [file for file in folder.wanted if whole in file.parents]
        return not listed or path in listed
    return any(map(path.relative_to(folder.path).match, _PATTERNS))


def made_with(folder: Folder, path: Path) -> Path:
    """What is made again with a file: its folder, if that is made as a whole, or the file alone."""
    wholes = (folder.path / name for name in FOLDERS)
    return next((whole for whole in wholes if whole in path.parents), path)


def _is_analysis(path: Path) -> bool:
    names = (CONFIG, *(product.files[0] for product in PRODUCTS.values()))
    with suppress(PermissionError):
        there = (path / name for name in names)
        # an analysis may have the name of a folder of products, as "model"
        return any(one.exists() and not (one / CONFIG).exists() for one in there)
    return False


def _open_folder(path: Path) -> Folder:
    config, fault = _read_config(path / CONFIG)
    analysis = None if config is None else config.analyses.get(path.name)
    try:
        plan = read_plan(path / "plan.json")
    except ProductError:
        return Folder(path, None, {}, _wanted(path, analysis, ()), config, fault)
    chunks = plan.chunk_files(path / "chunks").values()
    wanted = _wanted(path, analysis, chunks)
    return Folder(path, plan, {file.stem: file for file in chunks}, wanted, config, fault)


def _read_config(path: Path) -> tuple[Config | None, str]:
    """A configuration beside products, and why it cannot be used."""
    try:
        return (load_config(path), "") if path.exists() else (None, "")
    except ConfigError as error:
        return None, str(error)


def _wanted(path: Path, analysis: Analysis | None, chunks: Iterable[Path]) -> tuple[Path, ...]:
    """What an analysis has at the end, as its configuration, its plans and its logs tell.

    Snakemake, which keeps logs, makes more than `run`.
    """
    is_of_workflow = (path / "logs").is_dir()
    found: list[Path] = []
    for product in always_made() if analysis is None else products_of(analysis).values():
        is_made = product.in_run or is_of_workflow or product.asked_by in _OF_WORKFLOW
        for content in product.contents:
            target = path / content.path
            if content.folder == "figures":
                found += _figures(target, is_wanted=is_made)
            elif not content.folder:
                found += [target] * is_made
            elif content.path == "regions":
                found += region_paths(path)
            elif content.path == "chunks":
                found += chunks
            elif content.path == "refine":
                found += _refinement(target, analysis if is_of_workflow else None)
            elif product.name in OF_FITS:
                found += _of_fits(path / "model", product.name, analysis) if is_made else []
            elif content.path in ("targets/seds", "targets/sed"):
                found += _of_targets(target)
            elif content.path == "skies" and is_of_workflow:
                found += skies_paths(target, None if analysis is None else analysis.calibrate)
    return tuple(dict.fromkeys(found))


def _of_fits(folder: Path, product: str, analysis: Analysis | None) -> list[Path]:
    if analysis is None or analysis.model is None:
        return []
    model = analysis.model
    return [path for fit in model.fits for path in wanted_of_fit(folder, product, model, fit)]


def wanted_of_fit(folder: Path, product: str, model: ModelOptions, fit: str) -> list[Path]:
    """Files that a fit has at the end of a product, there or not.

    Parameters
    ----------
    folder : Path
        Folder of the model.
    product : str
        One of `skyquilt.products.OF_FITS`.
    model : ModelOptions
        The section `model`.
    fit : str
        Name of the fit.
    """
    asked = model.fits[fit]
    match product:
        case "model_fits":
            return list(fit_files(folder, fit))
        case "model_profiles":
            n = len(asked.profile)
            return [part_file(folder, fit, "profile", k, n) for k in range(1, n + 1)]
        case "model_ensembles":
            n = 0 if asked.sample is None else asked.sample.ensembles
            return [part_file(folder, fit, "ensemble", k, n) for k in range(1, n + 1)]
        case _:
            return [] if asked.sample is None else list(sample_files(folder, fit))


def _of_targets(folder: Path) -> list[Path]:
    """Files in a folder of targets that their plan names; none without it."""
    with suppress(ProductError):
        return planned_files(folder.parent, folder.name)
    return []


def _refinement(folder: Path, analysis: Analysis | None) -> Iterator[Path]:
    """Plans of a refinement in steps, and their chunks; a plan that is damaged names none.

    After a plan with chunks comes another one, and before one all that went ahead.
    """
    if analysis is not None and analysis.refine.enabled and analysis.refine.chunks is True:
        yield folder / "0.json"
    steps = [int(entry.stem) for entry in folder.glob("*") if entry.stem.isdecimal()]
    last = max(steps, default=-1)
    for number in range(last + 1):
        step = folder / f"{number}.json"
        yield step
        with suppress(ProductError):
            files = read_plan(step).chunk_files(step.with_suffix("")).values()
            yield from files
            if files and number == last:
                yield folder / f"{last + 1}.json"


def skies_paths(folder: Path, options: CalibrateOptions | None) -> list[Path]:
    """Files of simulated skies, there or not; none where an analysis does not ask for them."""
    if options is None:
        return []
    return [
        folder / skies_name(kind, index, n_jobs)
        for kind in ("null", "injected")
        for n_jobs in (options.n_jobs(kind),)
        for index in range(n_jobs)
    ]


def _figures(folder: Path, *, is_wanted: bool) -> Iterator[Path]:
    """List of a folder of figures that is there or wanted, and the files that it names."""
    if is_wanted or folder.is_dir():
        yield folder / LISTING
        yield from read_listing(folder)
