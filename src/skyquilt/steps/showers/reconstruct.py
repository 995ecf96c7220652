"""Step `showers reconstruct`: the run files of one section, each into a product of its own."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from skyquilt.config import Config
from skyquilt.config.showers import ShowerRuns
from skyquilt.errors import ConfigError, nearest_to
from skyquilt.io.provenance import Provenance, start_clock
from skyquilt.runs.answers import Digests
from skyquilt.runs.shower_files import products_of_runs, showers_question, why_due
from skyquilt.showers.container import check_eventio
from skyquilt.showers.file import write_showers
from skyquilt.showers.reconstruct import ReconstructedRun, reconstruct_run

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

logger = logging.getLogger(__name__)


def reconstruct_showers(
    config: Config,
    name: str,
    folder: str | Path,
    comm: "Comm | None" = None,
    only: str | Path | None = None,
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
    only : str or Path, optional
        One of the files; all of them when left out.

    Raises
    ------
    ConfigError
        If there is no such section, it has no such file, or its patterns do not fit.
    InputError
        If a file is missing or damaged; those before it are done.
    """
    check_eventio()
    runs = runs_of(config, name)
    rank, n_rank = (0, 1) if comm is None else (comm.Get_rank(), comm.Get_size())
    products = products_of_runs(runs, Path(folder))
    if only is not None:
        if Path(only) not in products:
            raise ConfigError(f"{only}: none of the files of showers.runs.{name}.")
        products = {Path(only): products[Path(only)]}
    for number, (path, product) in enumerate(products.items(), start=1):
        if number % n_rank == rank % n_rank:
            _reconstruct(config, runs, path, product, f"{number} of {len(products)}")


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


def _reconstruct(config: Config, runs: ShowerRuns, path: Path, target: Path, which: str) -> None:
    clock = start_clock()
    question = showers_question(runs, path, Digests(config.cache))
    if reason := why_due(target, question):
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


def _log(made: ReconstructedRun, path: Path, which: str) -> None:
    n_shower = int(np.sum(np.isfinite(made.events["alt"])))
    logger.info(
        "run %s, %s: %d events, %d images, %d showers",
        *(which, path.name, made.events["event_id"].size, made.images["tel_id"].size, n_shower),
    )
    left_out = {
        "%s: %d events without an image": made.run.n_without_data,
        "%s: %d events of no simulated shower are left out": made.run.n_without_shower,
        "%s: %d events without an image of the chosen telescopes are left out": made.n_not_chosen,
    }
    for message, number in left_out.items():
        if number:
            logger.warning(message, path.name, number)
    if made.run.n_untriggered:
        logger.info(
            "%s: %d images of telescopes without a trigger are left out",
            *(path.name, made.run.n_untriggered),
        )
    for loss in made.run.loss:
        logger.warning(
            "%s: cut after byte %d: %d bytes of an object that is not whole are left out",
            *(path.name, loss.position, loss.n_byte),
        )
