"""The files of a tree of results: analyses, their chunks, their products."""

import os
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from skyquilt.config import Config, load_config
from skyquilt.config.analysis import Analysis
from skyquilt.errors import ConfigError, ProductError
from skyquilt.fit.file import read_plan
from skyquilt.fit.plan import Plan
from skyquilt.io.listing import read_listing
from skyquilt.maps.summary_file import region_paths
from skyquilt.products import FIGURES, FOLDERS, LISTING, PRODUCTS
from skyquilt.sky.chunks import part_name

_ALWAYS = ("problem", "plan", "maps", "refined", "localisation")


def _files(product: str) -> tuple[str, ...]:
    """Files of a product; a folder of figures is told by its list, that of regions by others."""
    told = {folder: f"{folder}/{LISTING}" for folder in FIGURES} | {"regions": ""}
    return tuple(filter(None, (told.get(file, file) for file in PRODUCTS[product].files)))


WANTED = tuple(chain.from_iterable(map(_files, _ALWAYS)))
"""What every finished analysis has, besides its chunks."""

_ASKED = {
    section: tuple(
        chain.from_iterable(
            _files(item.name)
            for item in PRODUCTS.values()
            if item.asked_by == section and item.name != "skies"
        )
    )
    for section in ("sources", "calibrate")
}
"""What an analysis has, too, if its configuration has this section."""


_CHECKED = (".h5", ".fits", ".json")
"""Endings of files that are checked wherever they lie in the folder."""

_SEALED = (
    *("sources.ecsv", "report.html"),
    *(f"{folder}/*.{ending}" for folder in FOLDERS for ending in ("png", "pdf", "reg")),
)
"""Other files that are checked; what people add elsewhere, a figure say, is theirs."""


_PLACES = (
    *(file for product in PRODUCTS.values() for file in product.files),
    *("chunks/*.h5", "refine/*.json", "refine/*/*.h5", "skies/*.h5", "maps.gadf.fits"),
)
"""Where products lie; what lies elsewhere may be of anyone."""

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
    wanted : tuple of str
        What it has at the end besides these, in the order of making.
    config : Config or None
        Configuration beside the products, None if it is not there or not usable.
    fault : str
        Why it is not usable, "" if it is or is not there.
    """

    path: Path
    plan: Plan | None
    chunks: dict[str, Path]
    wanted: tuple[str, ...] = WANTED
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


def is_place_of_product(folder: Folder, path: Path) -> bool:
    """Whether a file lies where skyquilt writes; of figures and regions, if a list names it."""
    inner = path.relative_to(folder.path)
    if inner.parts[0] in FOLDERS and len(inner.parts) > 1:
        listed = [name for name in folder.wanted if name.startswith(f"{inner.parts[0]}/")]
        return not listed or str(inner) in listed
    return any(map(inner.match, _PLACES))


def _is_analysis(path: Path) -> bool:
    names = (CONFIG, *(product.files[0] for product in PRODUCTS.values()))
    with suppress(PermissionError):
        return any((path / name).exists() for name in names)
    return False


def _open_folder(path: Path) -> Folder:
    config, fault = _read_config(path / CONFIG)
    analysis = None if config is None else config.analyses.get(path.name)
    wanted = _wanted(path, analysis)
    try:
        plan = read_plan(path / "plan.json")
    except ProductError:
        return Folder(path, None, {}, wanted, config, fault)
    chunks = plan.chunk_files(path / "chunks").values()
    return Folder(path, plan, {file.stem: file for file in chunks}, wanted, config, fault)


def _read_config(path: Path) -> tuple[Config | None, str]:
    """A configuration beside products, and why it cannot be used."""
    try:
        return (load_config(path), "") if path.exists() else (None, "")
    except ConfigError as error:
        return None, str(error)


def _wanted(path: Path, analysis: Analysis | None) -> tuple[str, ...]:
    """What an analysis has at the end, as its configuration, its steps and its logs tell."""
    told = chain.from_iterable(part(path) for part in (_refinement, _regions, _figures))
    asked = () if analysis is None else _asked(path, analysis)
    return tuple(dict.fromkeys([*WANTED, *told, *asked, *_of_workflow(path)]))


def _refinement(path: Path) -> Iterator[str]:
    """Plans of a refinement in steps, and their chunks; a plan that is damaged names none.

    After a plan with chunks comes another one, and before one all that went ahead.
    """
    steps = [int(entry.stem) for entry in path.glob("refine/*") if entry.stem.isdecimal()]
    last = max(steps, default=-1)
    for number in range(last + 1):
        step = path / f"refine/{number}.json"
        yield str(step.relative_to(path))
        with suppress(ProductError):
            files = read_plan(step).chunk_files(step.with_suffix("")).values()
            yield from (str(file.relative_to(path)) for file in files)
            if files and number == last:
                yield f"refine/{last + 1}.json"


def _regions(path: Path) -> Iterator[str]:
    """Files of the regions that the summary names; one that is damaged names none."""
    yield from (str(file.relative_to(path)) for file in region_paths(path))


def _asked(path: Path, analysis: Analysis) -> Iterator[str]:
    """Products that only some analyses have; the workflow keeps what it makes on the way, too."""
    if analysis.contracted():
        yield from _files("table")
    for section, names in _ASKED.items():
        if getattr(analysis, section) is not None:
            yield from names
    if not (path / "logs").is_dir():
        return
    if analysis.refine.enabled and analysis.refine.chunks is True:
        yield "refine/0.json"
    if analysis.calibrate is not None:
        for kind in ("null", "injected"):
            n_jobs = analysis.calibrate.n_jobs(kind)
            yield from (f"skies/{kind}-{part_name(k, n_jobs)}.h5" for k in range(n_jobs))


def _of_workflow(path: Path) -> tuple[str, ...]:
    """Snakemake, which keeps logs, makes figures and a page, too."""
    return (f"plots/{LISTING}", "report.html") if (path / "logs").is_dir() else ()


def _figures(path: Path) -> Iterator[str]:
    """Lists of the folders of figures that are there, and the files that they name."""
    for folder in (path / name for name in FIGURES):
        if folder.is_dir():
            for file in (folder / LISTING, *read_listing(folder)):
                yield str(file.relative_to(path))
