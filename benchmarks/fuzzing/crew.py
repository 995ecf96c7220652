"""Processes that try changes, one each, so that a crash or a hang is just an outcome."""

import math
import os
import pickle
import resource
import shutil
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

_MEMORY = 4 << 30  # bytes of address space: what asks for more has read a wrong size


class Ended(NamedTuple):
    """End of a process.

    Attributes
    ----------
    name : str
        Of its job.
    result : object
        What it returned; None if it did not get so far.
    signal : int
        Signal that ended it, 0 if none; SIGXCPU if it took too long.
    """

    name: str
    result: Any
    signal: int


def run_jobs(
    jobs: Iterable[tuple[str, Path, Callable[[], Any]]], n_workers: int, limit_s: float
) -> Iterator[Ended]:
    """Run each job in a process of its own, in its folder, some at a time.

    Parameters
    ----------
    jobs : iterable of (str, Path, callable)
        Name, folder and function of each; folders are removed afterwards.
    n_workers : int
        Processes at a time.
    limit_s : float
        Processor time that each may take [s]; on the clock, five times as much.
    """
    running: dict[int, tuple[str, Path, float]] = {}
    jobs = iter(jobs)
    more = True
    while more or running:
        while more and len(running) < n_workers:
            job = next(jobs, None)
            more = job is not None
            if job is not None:
                running[_start(*job[1:], limit_s)] = (*job[:2], time.monotonic())
        for process in list(running):
            ended = _look(process, running[process], limit_s)
            if ended is not None:
                del running[process]
                yield ended
        time.sleep(0.005)


def _start(folder: Path, work: Callable[[], Any], limit_s: float) -> int:
    process = os.fork()
    if process:
        return process
    try:  # from here on, this is the other process
        os.setsid()
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        seconds = math.ceil(limit_s)
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
        os.chdir(folder)
        result = work()
        (folder / ".result").write_bytes(pickle.dumps(result))
    except BaseException:
        import traceback

        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def _look(process: int, about: tuple[str, Path, float], limit_s: float) -> Ended | None:
    name, folder, began = about
    done, status = os.waitpid(process, os.WNOHANG)
    too_long = not done and time.monotonic() - began > 5 * limit_s
    if too_long:
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
    elif not done:
        return None
    number = signal.SIGXCPU if too_long else os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    result = folder / ".result"
    value = pickle.loads(result.read_bytes()) if not number and result.is_file() else None
    shutil.rmtree(folder, ignore_errors=True)
    return Ended(name, value, number)
