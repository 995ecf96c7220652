"""Raw runs of showers: their files, the product of each, and which of these are stale."""

from collections.abc import Iterator
from glob import glob, has_magic
from pathlib import Path
from typing import Any

from skyquilt.config import Config
from skyquilt.config.showers import ShowerRuns
from skyquilt.errors import ConfigError, InputError, ProductError
from skyquilt.io.answers import read_answers
from skyquilt.runs.answers import Digests, difference
from skyquilt.runs.freshness import Stale
from skyquilt.runs.inputs import input_question

FOLDER = "_showers"
"""Folder in the results; no analysis has such a name, for none begins with `_`."""

VERSION = 1
"""Version of the numbers of showers: raised when the same run gives others."""

_SUFFIXES = (".zst", ".gz", ".simtel")


def runs_folder(config: Config, name: str) -> Path:
    """Folder of the products of a set of runs."""
    return Path(config.results) / FOLDER / name / "runs"


def products_of_runs(runs: ShowerRuns, folder: Path) -> dict[Path, Path]:
    """Files of runs, in the order of their names, and the product of each.

    Raises
    ------
    InputError
        If a file is not there, or a pattern finds none.
    ConfigError
        If two files have products of one name.
    """
    found: dict[Path, None] = {}
    for text in runs.files:
        paths = sorted(glob(text)) if has_magic(text) else [text]
        if not paths or not all(Path(path).is_file() for path in paths):
            what = "no file has such a name" if has_magic(text) else "no such file"
            raise InputError(f"{text}: {what}; `files` of showers.runs names raw runs.")
        found |= dict.fromkeys(map(Path, paths))
    products: dict[Path, Path] = {}
    for path in found:
        product = folder / f"{_stem(path)}.h5"
        if (other := products.setdefault(product, path)) != path:
            raise ConfigError(
                f"{path} and {other} would both be reconstructed into {product.name}: rename one."
            )
    return {path: product for product, path in products.items()}


def showers_question(runs: ShowerRuns, path: Path, digest: Digests) -> dict[str, Any]:
    """What the showers of a run have to answer: the run, and how it is reconstructed."""
    settings = runs.model_dump(mode="json", exclude={"files"})
    question = input_question({"showers": settings}, {str(path): digest(str(path))})
    return question | {"results_version": VERSION}


def why_due(product: Path, question: dict[str, Any]) -> str:
    """Why a product is to be made; "" if it is there and answers the question."""
    if not product.is_file():
        return "missing"
    try:
        return difference(read_answers(product, ".h5"), question)
    except ProductError as error:
        return str(error)


def find_stale_showers(config: Config, digests: Digests) -> Iterator[Stale]:
    """Products of runs that are there and not those that the configuration asks for."""
    for name, runs in config.showers.runs.items() if config.showers else ():
        for path, product in products_of_runs(runs, runs_folder(config, name)).items():
            if product.is_file() and (
                reason := why_due(product, showers_question(runs, path, digests))
            ):
                yield Stale("", f"showers of {name}", (product,), reason)


def _stem(path: Path) -> str:
    """Name of a file without the endings of raw runs."""
    name = path.name
    for suffix in _SUFFIXES:
        name = name.removesuffix(suffix)
    return name
