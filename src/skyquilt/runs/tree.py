"""The files of a tree of results: analyses, their chunks, their products."""

import os
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from skyquilt.config.yaml_file import read_yaml
from skyquilt.errors import ConfigError, ProductError
from skyquilt.fit.file import read_plan
from skyquilt.fit.plan import Plan
from skyquilt.io.listing import read_listing
from skyquilt.maps.summary_file import region_paths
from skyquilt.products import FIGURES, FOLDERS, LISTING, PRODUCTS

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
    """

    path: Path
    plan: Plan | None
    chunks: dict[str, Path]
    wanted: tuple[str, ...] = WANTED


def open_tree(results: str | Path) -> list[Folder]:
    """Folders of all analyses, by name.

    Raises
    ------
    ConfigError
        If there is none.
    """
    path = Path(results)
    if (path / "config.yaml").is_file():
        return [_open_folder(path)]
    found = sorted(entry.parent for entry in path.glob("[!._]*/config.yaml"))
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


def _open_folder(path: Path) -> Folder:
    wanted = _wanted(path)
    try:
        plan = read_plan(path / "plan.json")
    except ProductError:
        return Folder(path, None, {}, wanted)
    chunks = plan.chunk_files(path / "chunks").values()
    return Folder(path, plan, {file.stem: file for file in chunks}, wanted)


def _wanted(path: Path) -> tuple[str, ...]:
    """What an analysis has at the end, as its configuration, its steps and its logs tell."""
    parts = (_refinement, _regions, _asked, _of_workflow, _figures)
    return tuple(dict.fromkeys([*WANTED, *chain.from_iterable(part(path) for part in parts)]))


def _refinement(path: Path) -> Iterator[str]:
    """Chunks of a refinement in steps; a plan that is damaged names none."""
    for step in sorted(path.glob("refine/*.json")):
        with suppress(ProductError):
            for file in read_plan(step).chunk_files(step.with_suffix("")).values():
                yield str(file.relative_to(path))


def _regions(path: Path) -> Iterator[str]:
    """Files of the regions that the summary names; one that is damaged names none."""
    yield from (str(file.relative_to(path)) for file in region_paths(path))


def _asked(path: Path) -> Iterator[str]:
    content = read_yaml(path / "config.yaml")
    analyses = content.get("analyses") if isinstance(content, dict) else None
    analysis = analyses.get(path.name) or {} if isinstance(analyses, dict) else None
    if not isinstance(analysis, dict):
        raise ConfigError(
            f"{path / 'config.yaml'}: cannot be read as a configuration; run the workflow again."
        )
    for section, names in _ASKED.items():
        if analysis.get(section) is not None:
            yield from names


def _of_workflow(path: Path) -> tuple[str, ...]:
    """Snakemake, which keeps logs, makes figures and a page, too."""
    return (f"plots/{LISTING}", "report.html") if (path / "logs").is_dir() else ()


def _figures(path: Path) -> Iterator[str]:
    """Lists of the folders of figures that are there, and the files that they name."""
    for folder in (path / name for name in FIGURES):
        if folder.is_dir():
            for file in (folder / LISTING, *read_listing(folder)):
                yield str(file.relative_to(path))
