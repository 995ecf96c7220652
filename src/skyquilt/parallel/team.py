"""The ranks of a job: who they are, what they have done, and whether all of them still work.

Nobody is master: each rank finds its part by arithmetic (`split`), rank 0 does its own part, too.
Between its blocks every rank gives a sign of life, others to rank 0 and rank 0 to all others. A
rank that is silent for too long is named in an error, which ends the job (`comm.abort_on_error`);
MPI itself would wait for ever.
"""

import os
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from skyquilt.errors import RunError
from skyquilt.host import host_name

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

STALL_S = 1800.0
"""Longest silence of a rank [s]: far above a block of pixels, even one read from a slow disk."""

_BEAT_S = 1.0  # between two signs of life
_POLL_S = 0.01  # at most, between two looks for messages: large ones need several to pass
_POLL_PART = 0.05  # of the time that was waited already
_TAG = 1  # one for all messages, so that they are taken in the order in which they were sent
_PROGRESS, _RESULT, _END = 1, 2, 3  # kinds of messages


class Team:
    """Ranks that share one piece of work; all of them make one together.

    Parameters
    ----------
    comm : mpi4py.MPI.Comm, optional
        Communicator; None is one serial process.
    stall_s : float
        Longest silence of a rank [s].
    on_progress : callable, optional
        Called on rank 0 with the number of items done and of all items, of all ranks.

    Attributes
    ----------
    rank, size : int
        This rank, and how many there are.
    hosts : list of str
        Machine of each rank.
    pids : list of int
        Process number of each rank.
    """

    def __init__(
        self,
        comm: "Comm | None" = None,
        *,
        stall_s: float = STALL_S,
        on_progress: Callable[[int, int], None] | None = None,
    ):
        self._comm, self._stall_s, self._on_progress = comm, stall_s, on_progress
        self.rank, self.size = (comm.Get_rank(), comm.Get_size()) if comm else (0, 1)
        me = (host_name(), os.getpid())
        everyone = comm.allgather(me) if comm else [me]
        self.hosts, self.pids = [host for host, _ in everyone], [pid for _, pid in everyone]
        peers = [] if self.size == 1 else (range(1, self.size) if self.rank == 0 else [0])
        now_s = time.monotonic()
        self._heard_s = dict.fromkeys(peers, now_s)  # of those whose message is awaited
        self._peers, self._beat_s = list(peers), now_s
        self._done: dict[int, tuple[int, int]] = {}
        self._results: dict[int, tuple[np.ndarray, ...]] = {}
        self._requests: list[Any] = []

    def report(self, n_done: int, n_all: int) -> None:
        """Tell how many of its items this rank has done; call it often.

        Raises
        ------
        RunError
            If a rank is silent for too long.
        """
        self._done[self.rank] = (n_done, n_all)
        self._beat(n_done == n_all)
        self._listen()
        if self.rank == 0 and self._on_progress is not None and len(self._done) == self.size:
            self._on_progress(*map(sum, zip(*self._done.values(), strict=True)))

    def gather(self, arrays: tuple[np.ndarray, ...]) -> list[np.ndarray] | None:
        """Arrays of all ranks joined along the first axis, in the order of ranks.

        Parameters
        ----------
        arrays : tuple of ndarray
            This rank's part, as many arrays on every rank.

        Returns
        -------
        list of ndarray, or None
            The joined arrays on rank 0, None on all others.

        Raises
        ------
        RunError
            If a rank is silent for too long.
        """
        self._results[self.rank] = tuple(arrays)
        if self.rank == 0:
            self._wait(lambda: len(self._results) == self.size)
            self._send(None, _END)
        else:
            self._send(self._results[self.rank], _RESULT)
            self._wait(lambda: not self._heard_s)
        for request in self._requests:
            request.wait()
        if self.rank != 0:
            return None
        parts = [self._results[rank] for rank in range(self.size)]
        return [np.concatenate(pieces) for pieces in zip(*parts, strict=True)]

    def _wait(self, is_over: Callable[[], bool]) -> None:
        began_s = time.monotonic()
        while not is_over():
            self._beat()
            self._listen()
            time.sleep(min(_POLL_PART * (time.monotonic() - began_s), _POLL_S))

    def _beat(self, is_due: bool = False) -> None:
        """Give a sign of life, if the last one was a while ago."""
        is_silent = self.rank in self._results and self.rank != 0  # its part is delivered
        if is_silent or not (is_due or time.monotonic() - self._beat_s >= _BEAT_S):
            return
        self._beat_s = time.monotonic()
        self._send(self._done.get(self.rank), _PROGRESS)

    def _send(self, content: Any, kind: int) -> None:
        self._requests = [request for request in self._requests if not request.Test()]
        if self._comm is None:
            return
        for peer in self._peers:
            self._requests.append(self._comm.isend((kind, content), dest=peer, tag=_TAG))

    def _listen(self) -> None:
        """Take all messages that have come, and look for ranks that send none."""
        for peer, kind, content in self._messages():
            self._heard_s[peer] = time.monotonic()
            if kind == _PROGRESS and content is not None:
                self._done[peer] = content
            if kind == _RESULT:
                self._results[peer] = content
            if kind != _PROGRESS:
                del self._heard_s[peer]
        for peer, heard_s in self._heard_s.items():
            if time.monotonic() - heard_s > self._stall_s:
                raise RunError(
                    f"rank {peer} of {self.size} on {self.hosts[peer]} (process {self.pids[peer]})"
                    f" has given no sign of life for {self._stall_s:g} s; the job ends. Look after "
                    "that node, or allow more with --stall-timeout, then run again."
                )

    def _messages(self) -> Iterator[tuple[int, int, Any]]:
        if self._comm is None:
            return
        for peer in list(self._heard_s):
            while peer in self._heard_s and self._comm.iprobe(source=peer, tag=_TAG):
                yield peer, *self._comm.recv(source=peer, tag=_TAG)
