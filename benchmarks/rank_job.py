"""One rank of a job that fits a chunk: its time and memory. Started by mpiexec, see time_ranks.py.

    mpiexec -n R python rank_job.py PROBLEM PLAN CHUNK N_RUNS

Rank 0 prints one line of JSON: wall time of each fit between two barriers, proportional memory of
every rank, resident bytes of the mapped problem of every rank.
"""

import json
import re
import sys
import time
from pathlib import Path


def main() -> None:
    from mpi4py import MPI

    from skyquilt.fit.chunk import fit_chunk
    from skyquilt.fit.file import read_plan
    from skyquilt.parallel.team import Team
    from skyquilt.problem.file import read_problem

    comm = MPI.COMM_WORLD
    problem, plan = read_problem(sys.argv[1]), read_plan(sys.argv[2])
    index, n_runs = map(int, sys.argv[3:5])
    times = []
    for _ in range(n_runs):
        comm.Barrier()
        began = time.perf_counter()
        fit_chunk(problem, plan, index, team=Team(comm))
        comm.Barrier()
        times.append(time.perf_counter() - began)
    pss = comm.gather(kilobytes("Pss", Path("/proc/self/smaps_rollup").read_text()))
    comm.Barrier()
    mapped = comm.gather(resident_of(sys.argv[1]))
    if comm.Get_rank() == 0:
        print(json.dumps({"times": times, "pss": pss, "mapped": mapped}))


def kilobytes(key: str, text: str) -> int:
    """Sum of all lines of a key, in bytes."""
    return sum(1024 * int(n) for n in re.findall(rf"^{key}:\s+(\d+) kB", text, re.MULTILINE))


def resident_of(path: str) -> int:
    """Bytes of a mapped file that this process has touched."""
    text = Path("/proc/self/smaps").read_text()
    # one block per mapping: a line with its address and file, then its numbers
    blocks = re.split(r"^(?=[0-9a-f]+-[0-9a-f]+ )", text, flags=re.MULTILINE)
    name = str(Path(path).resolve())
    return sum(kilobytes("Rss", block) for block in blocks if name in block.partition("\n")[0])


if __name__ == "__main__":
    main()
