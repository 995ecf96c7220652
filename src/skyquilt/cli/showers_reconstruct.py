"""Reconstruct raw runs: images, their parameters, directions and cores of showers.

Each file of a run gives one product, which is whole or not there: started again, the verb makes
those that are missing or stale. With --mpi the ranks of the launcher take the files in turn:
  mpiexec -n 4 skyquilt showers reconstruct --mpi --ranks 4 --config c.yaml --runs gammas \
    --output results/_showers/gammas/runs
"""

import argparse

from skyquilt.cli import arguments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    arguments.add_config(parser)
    parser.add_argument(
        "--runs", required=True, metavar="NAME", help="which of the entries under `showers.runs:`"
    )
    parser.add_argument(
        "--file", metavar="FILE", help="one of its files; all of them when left out"
    )
    arguments.add_ranks(parser, "the files")
    arguments.add_output(parser, "folder of the products, as results/_showers/gammas/runs")


def run(args: argparse.Namespace) -> int:
    """Run the step."""
    from skyquilt.config import load_config
    from skyquilt.parallel.comm import abort_on_error, close_comm
    from skyquilt.parallel.team import STALL_S
    from skyquilt.steps.showers.reconstruct import reconstruct_showers

    comm = arguments.open_ranks(args, STALL_S)
    with abort_on_error(comm, f"runs {args.runs}"):
        reconstruct_showers(load_config(args.config), args.runs, args.output, comm, args.file)
    close_comm(comm)
    return 0
