"""Program of the MPI tests: fits one chunk, rank 0 saves it.

A fault happens in the middle of the fit of one rank: it raises, is killed, or stops. Or one rank is
late: it does not come to the meeting of all.
"""

import argparse
import logging
import os
import signal
import sys
import time
from pathlib import Path

import numpy as np

from skyquilt.errors import InputError
from skyquilt.fit.chunk import fit_chunk
from skyquilt.fit.plan import make_plan
from skyquilt.parallel.comm import abort_on_error, close_comm, open_comm
from skyquilt.parallel.team import Team
from skyquilt.problem.problem import Description, FitProblem
from skyquilt.problem.sky_table import SkyTable
from skyquilt.sky.regions import full_sky


def make_problem():
    rng = np.random.default_rng(8)
    rows = rng.gamma(0.5, 1, (192, 20)).astype(np.float32)
    table = SkyTable(rows, 3 * rows.sum(axis=1, dtype=float), 4, "RING", "bilinear")
    counts, background = rng.poisson(1.0, 20) + 1.0, rng.gamma(1, 1, 20) + 0.1
    description = Description("test", "none", (1.0, 2.0))
    return FitProblem(counts, background, table, "icrs", 1.0, description, identity="test")


class FaultyTeam(Team):
    """A team of which one rank meets a fault when it has done its first block."""

    fault, faulty_rank = "none", -1

    def report(self, n_done, n_all):
        super().report(n_done, n_all)
        if self.rank == self.faulty_rank:
            meet(self.fault)


def meet(fault):
    if fault == "raise":
        raise InputError("rank told to fail.")
    os.kill(os.getpid(), {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}[fault])


def run(team, output):
    problem = make_problem()
    plan = make_plan(
        problem, nside=2, ordering="ring", frame="galactic", ranges=full_sky(2), chunks=12
    )
    result = fit_chunk(problem, plan, 7, team=team)  # four pixels
    if result is not None:
        np.savez(output, ipix=result.ipix, **result.fit._asdict())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("output")
    parser.add_argument("--ranks", type=int, default=0)
    parser.add_argument(
        "--fault", choices=["none", "raise", "kill", "stop", "late"], default="none"
    )
    parser.add_argument("--faulty-rank", type=int, default=-1)
    args = parser.parse_args()
    logging.basicConfig(stream=sys.stderr)
    FaultyTeam.fault, FaultyTeam.faulty_rank = args.fault, args.faulty_rank
    if args.fault == "late" and args.faulty_rank == int(os.environ["PMI_RANK"]):
        time.sleep(600)
    comm = open_comm(args.ranks, 5.0 if args.fault == "late" else 60.0) if args.ranks else None
    maps = Path("/proc/self/maps").read_text().splitlines()
    print(*(line for line in maps if "mpich_shm" in line), sep="\n")
    with abort_on_error(comm, "chunk 7"):
        run(FaultyTeam(comm, stall_s=2.0), args.output)
    close_comm(comm)


if __name__ == "__main__":
    main()
