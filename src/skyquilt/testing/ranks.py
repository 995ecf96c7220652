"""Ranks that are threads of one process: what `Team` needs of a communicator."""

import threading
from collections import defaultdict, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any


class Sent:
    """A request that is over at once."""

    def Test(self) -> bool:  # noqa: N802 - name of MPI
        """Whether it is over."""
        return True

    def wait(self) -> None:
        """Wait for its end."""


class ThreadComm:
    """One rank's view of the messages of all."""

    def __init__(self, rank: int, world: "World"):
        self.rank, self.world = rank, world

    def Get_rank(self) -> int:  # noqa: N802
        """Number of this rank."""
        return self.rank

    def Get_size(self) -> int:  # noqa: N802
        """Number of ranks."""
        return self.world.size

    def allgather(self, item: Any) -> list[Any]:
        """Items of all ranks."""
        self.world.items[self.rank] = item
        self.world.barrier.wait()
        return [self.world.items[rank] for rank in range(self.world.size)]

    def gather(self, item: Any) -> list[Any] | None:
        """Items of all ranks, for rank 0."""
        found = self.allgather(item)
        self.world.barrier.wait()  # nobody puts the next one before all have read
        return None if self.rank else found

    def bcast(self, item: Any) -> Any:
        """Item of rank 0."""
        found = self.allgather(item)[0]
        self.world.barrier.wait()
        return found

    def isend(self, content: Any, dest: int, tag: int) -> Sent:
        """Send without waiting."""
        self.world.boxes[dest, self.rank, tag].append(content)
        return Sent()

    def iprobe(self, source: int, tag: int) -> bool:
        """Whether a message has come."""
        return bool(self.world.boxes[self.rank, source, tag])

    def recv(self, source: int, tag: int) -> Any:
        """Take the oldest message."""
        return self.world.boxes[self.rank, source, tag].popleft()


class World:
    """All messages between the ranks."""

    def __init__(self, size: int):
        self.size = size
        self.items: dict[int, Any] = {}
        self.boxes: defaultdict[tuple[int, int, int], deque[Any]] = defaultdict(deque)
        self.barrier = threading.Barrier(size)


def run_ranks(size: int, function: Callable[[ThreadComm], Any]) -> list[Any]:
    """What the function gives on each rank."""
    world = World(size)
    with ThreadPoolExecutor(size) as pool:
        return list(pool.map(lambda rank: function(ThreadComm(rank, world)), range(size)))
