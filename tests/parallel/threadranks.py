"""Ranks that are threads of one process: what `Team` needs of a communicator."""

import threading
from collections import defaultdict, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any


class Sent:
    """A request that is over at once."""

    def Test(self):  # noqa: N802 - name of MPI
        return True

    def wait(self):
        return None


class ThreadComm:
    """One rank's view of the messages of all."""

    def __init__(self, rank: int, world: "World"):
        self.rank, self.world = rank, world

    def Get_rank(self):  # noqa: N802
        return self.rank

    def Get_size(self):  # noqa: N802
        return self.world.size

    def allgather(self, item):
        self.world.items[self.rank] = item
        self.world.barrier.wait()
        return [self.world.items[rank] for rank in range(self.world.size)]

    def isend(self, content, dest, tag):
        self.world.boxes[dest, self.rank, tag].append(content)
        return Sent()

    def iprobe(self, source, tag):
        return bool(self.world.boxes[self.rank, source, tag])

    def recv(self, source, tag):
        return self.world.boxes[self.rank, source, tag].popleft()


class World:
    """All messages between the ranks."""

    def __init__(self, size: int):
        self.size, self.items = size, {}
        self.boxes = defaultdict(deque)
        self.barrier = threading.Barrier(size)


def run_ranks(size: int, function: Callable[[ThreadComm], Any]) -> list[Any]:
    """What the function gives on each rank."""
    world = World(size)
    with ThreadPoolExecutor(size) as pool:
        return list(pool.map(lambda rank: function(ThreadComm(rank, world)), range(size)))
