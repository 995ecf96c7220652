"""The communicator of a job: opened once, passed on as an argument; None means serial."""

import faulthandler
import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from skyquilt.errors import ConfigError, RunError, SkyquiltError
from skyquilt.host import host_name

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

logger = logging.getLogger(__name__)


def open_comm(expected_ranks: int) -> "Comm":
    """Communicator of all ranks that were started together.

    Parameters
    ----------
    expected_ranks : int
        Number of ranks that the launcher was asked for.

    Returns
    -------
    mpi4py.MPI.Comm
        The world communicator.

    Raises
    ------
    ConfigError
        If mpi4py or its MPI library is missing.
    RunError
        If the number of ranks differs: each program would do the whole work.
    """
    try:
        from mpi4py import MPI
    except (ImportError, RuntimeError) as error:  # RuntimeError: no libmpi
        raise ConfigError(
            f"--mpi needs mpi4py and an MPI library ({error}); install them with "
            "`pip install mpi4py mpich`, or run without --mpi."
        ) from error
    comm = MPI.COMM_WORLD
    if comm.Get_size() != expected_ranks:
        raise RunError(
            f"{comm.Get_size()} MPI ranks, expected {expected_ranks}. If one program sees itself "
            "alone, the launcher belongs to another MPI than mpi4py's and has started "
            f"{expected_ranks} programs that each take themselves for rank 0 of 1: use the mpiexec "
            "installed beside mpi4py, on SLURM `srun --mpi=pmi2` for MPICH or `srun --mpi=pmix` "
            "for Open MPI. Otherwise give the launcher and --ranks the same number."
        )
    return comm


# Abort kills the launcher's helpers, too; give them time to forward the message [s].
_FORWARD_S = 0.5


@contextmanager
def abort_on_error(comm: "Comm | None", task: str) -> Iterator[None]:
    """End all ranks when the block raises in one of them; `task` is named in the message.

    Without it the other ranks wait for ever in their next collective call. The exit code is
    the error's own, 1 if it has none. In a serial run (None) the exception passes on.
    """
    if comm is None:
        yield
        return
    try:
        yield
    except BaseException as error:
        _log_error(comm, task, error)
        time.sleep(_FORWARD_S)
        comm.Abort(getattr(error, "exit_code", 1))
        raise  # Abort does not return; a stand-in for a communicator can


# The last words of the ranks to their launcher take a moment; SLURM's PMI-2 has lost one [s].
_FINALIZE_S = 60


def close_comm(comm: "Comm | None") -> None:
    """End MPI when all is done; a rank that its launcher keeps waiting ends with exit code 1."""
    if comm is None or comm.Get_size() == 1:
        return
    from mpi4py import MPI

    faulthandler.dump_traceback_later(_FINALIZE_S, exit=True)
    MPI.Finalize()
    faulthandler.cancel_dump_traceback_later()


def _log_error(comm: "Comm", task: str, error: BaseException) -> None:
    """One line for an expected error, the traceback for any other; flushed, as Abort kills."""
    place = f"{task}, rank {comm.Get_rank()} of {comm.Get_size()} on {host_name()}"
    is_expected = isinstance(error, SkyquiltError)
    logger.error("%s: %s", place, error, exc_info=None if is_expected else error)
    for handler in logging.getLogger().handlers:
        handler.flush()
    sys.stdout.flush()
    sys.stderr.flush()
