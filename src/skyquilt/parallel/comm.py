"""The communicator of a job: opened once, passed on as an argument; None means serial."""

import faulthandler
import logging
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from skyquilt.errors import ConfigError, RunError, SkyquiltError
from skyquilt.host import host_name

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

logger = logging.getLogger(__name__)


def open_comm(expected_ranks: int, stall_s: float) -> "Comm":
    """Communicator of all ranks that were started together, when all are there.

    Ranks that wait for longer than `stall_s` end themselves with exit code 1; MPI would wait on.

    Parameters
    ----------
    expected_ranks : int
        Number of ranks that the launcher was asked for.
    stall_s : float
        Longest wait for the others [s].

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
        with _time_limit(stall_s):
            from mpi4py import MPI

            comm = MPI.COMM_WORLD
            comm.Barrier()
    except (ImportError, RuntimeError) as error:  # RuntimeError: no libmpi
        raise ConfigError(
            f"--mpi needs mpi4py and an MPI library ({error}); install them with "
            "`pip install mpi4py mpich`, or run without --mpi."
        ) from error
    _forget_segments()
    if comm.Get_rank() == 0:
        from skyquilt.parallel.segments import remove_dead_segments

        remove_dead_segments()
    if comm.Get_size() != expected_ranks:
        raise RunError(
            f"{comm.Get_size()} MPI ranks, expected {expected_ranks}. If one program sees itself "
            "alone, the launcher belongs to another MPI than mpi4py's and has started "
            f"{expected_ranks} programs that each take themselves for rank 0 of 1: use the mpiexec "
            "installed beside mpi4py, on SLURM `srun --mpi=pmi2` for MPICH or `srun --mpi=pmix` "
            "for Open MPI. Otherwise give the launcher and --ranks the same number."
        )
    return comm


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """End the process with exit code 1 when the block takes longer, even if it is inside MPI."""
    faulthandler.dump_traceback_later(seconds, exit=True)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()


def _forget_segments() -> None:
    """Take the name off the memory that MPICH shares among the ranks here, once all have it.

    The name comes from SLURM's job and step. A killed rank leaves it behind, and the ranks of the
    same job, when SLURM has put it back into the queue, would take the old memory for theirs and
    wait for ever. Without a name the memory goes with the last rank, whatever its end.
    """
    with suppress(OSError):  # a system without /proc, or the segments of someone else
        for name in set(re.findall(r"/dev/shm/mpich_shm_\w+", Path("/proc/self/maps").read_text())):
            Path(name).unlink(missing_ok=True)


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

    with _time_limit(_FINALIZE_S):
        MPI.Finalize()


def _log_error(comm: "Comm", task: str, error: BaseException) -> None:
    """One line for an expected error, the traceback for any other; flushed, as Abort kills."""
    who = f"{task}, rank {comm.Get_rank()} of {comm.Get_size()} on {host_name()}"
    is_expected = isinstance(error, SkyquiltError)
    logger.error("%s: %s", who, error, exc_info=None if is_expected else error)
    for handler in logging.getLogger().handlers:
        handler.flush()
    sys.stdout.flush()
    sys.stderr.flush()
