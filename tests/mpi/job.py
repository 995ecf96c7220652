"""Program of the MPI tests: fits one chunk, rank 0 saves it; `--fail RANK` raises there."""

import argparse
import logging
import sys

import numpy as np

from skyquilt.errors import InputError
from skyquilt.fit.chunk import fit_chunk
from skyquilt.fit.plan import make_plan
from skyquilt.parallel.comm import abort_on_error, open_comm
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


def run(comm, output, failing_rank):
    if comm is not None and comm.Get_rank() == failing_rank:
        raise InputError("rank told to fail.")
    problem = make_problem()
    plan = make_plan(
        problem, nside=2, ordering="ring", frame="galactic", ranges=full_sky(2), chunks=12
    )
    result = fit_chunk(problem, plan, 7, comm=comm)  # four pixels
    if result is not None:
        np.savez(output, ipix=result.ipix, **result.fit._asdict())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("output")
    parser.add_argument("--ranks", type=int, default=0)
    parser.add_argument("--fail", type=int)
    args = parser.parse_args()
    logging.basicConfig(stream=sys.stderr)
    comm = open_comm(args.ranks) if args.ranks else None
    with abort_on_error(comm):
        run(comm, args.output, args.fail)


if __name__ == "__main__":
    main()
