"""Step `showers reconstruct`: the run files of one section, each into a product of its own."""

import logging
from glob import glob, has_magic
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from skyquilt.config import Config
from skyquilt.config.showers import ShowerRuns
from skyquilt.errors import ConfigError, InputError, ProductError, nearest_to
from skyquilt.io.answers import read_answers
from skyquilt.io.provenance import Provenance, start_clock
from skyquilt.runs.answers import Digests, difference
from skyquilt.runs.inputs import showers_question
from skyquilt.showers.container import check_eventio
from skyquilt.showers.file import write_showers
from skyquilt.showers.reconstruct import ReconstructedRun, reconstruct_run

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

logger = logging.getLogger(__name__)

_SUFFIXES = (".zst", ".gz", ".simtel")


def reconstruct_showers(
    config: Config, name: str, folder: str | Path, comm: "Comm | None" = None
) -> None:
    """Reconstruct the runs of a section; those that are done and fresh are left alone.

    Parameters
    ----------
    config : Config
        The configuration.
    name : str
        Which of `showers.runs`.
    folder : str or Path
        Where the products go, one for each run, by the name of its file.
    comm : mpi4py.MPI.Comm, optional
        Ranks that take the files in turn. None is one process.

    Raises
    ------
    ConfigError
        If there is no such section, or its patterns do not fit.
    InputError
        If a file is missing or damaged; those before it are done.
    """
    check_eventio()
    runs = runs_of(config, name)
    rank, n_rank = (0, 1) if comm is None else (comm.Get_rank(), comm.Get_size())
    targets = targets_of(runs, Path(folder))
    for number, (path, target) in enumerate(targets.items(), start=1):
        if number % n_rank == rank % n_rank:
            _reconstruct(config, runs, path, target, f"{number} of {len(targets)}")


def runs_of(config: Config, name: str) -> ShowerRuns:
    """Settings of a set of runs.

    Raises
    ------
    ConfigError
        If there is none of that name.
    """
    known = config.showers.runs if config.showers else {}
    if name not in known:
        raise ConfigError(f"showers.runs has no {name!r}; {nearest_to(name, known)}.")
    return known[name]


def targets_of(runs: ShowerRuns, folder: Path) -> dict[Path, Path]:
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
    targets: dict[Path, Path] = {}
    for path in found:
        target = folder / f"{_stem(path)}.h5"
        if (other := {one: file for file, one in targets.items()}.get(target)) is not None:
            raise ConfigError(
                f"{path} and {other} would both be reconstructed into {target.name}: rename one."
            )
        targets[path] = target
    return targets


def _stem(path: Path) -> str:
    """Name of a file without the endings of raw runs."""
    name = path.name
    for suffix in _SUFFIXES:
        name = name.removesuffix(suffix)
    return name


def _reconstruct(config: Config, runs: ShowerRuns, path: Path, target: Path, which: str) -> None:
    clock = start_clock()
    question = showers_question(runs, path, Digests(config.cache))
    if reason := _why_due(target, question):
        logger.debug("%s: %s", target, reason)
    else:
        logger.info("run %s, %s: done before", which, path.name)
        return
    made = reconstruct_run(path, runs)
    provenance = Provenance(
        "showers reconstruct",
        question["settings"],
        (str(path),),
        Path(config.cache),
        clock=clock,
        answers=question,
    )
    target.parent.mkdir(parents=True, exist_ok=True)
    write_showers(target, made, provenance)
    _log(made, path, which)


def _why_due(target: Path, question: dict) -> str:
    """Why a product is to be made; "" if it is there and answers the question."""
    if not target.is_file():
        return "missing"
    try:
        return difference(read_answers(target, ".h5"), question)
    except ProductError as error:
        return str(error)


def _log(made: ReconstructedRun, path: Path, which: str) -> None:
    n_shower = int(np.sum(np.isfinite(made.events["alt"])))
    logger.info(
        "run %s, %s: %d events, %d images, %d showers",
        *(which, path.name, made.events["event_id"].size, made.images["tel_id"].size, n_shower),
    )
    if made.run.n_without_data:
        logger.warning("%s: %d events without an image", path.name, made.run.n_without_data)
    for loss in made.run.loss:
        logger.warning(
            "%s: cut after byte %d: %d bytes of an object that is not whole are left out",
            *(path.name, loss.position, loss.n_byte),
        )
