"""Fit the pixels of one chunk.

Without --mpi one process fits the chunk, with --threads threads. With --mpi the ranks of the
launcher share it:
  mpiexec -n 4 skyquilt fit-chunk --mpi --ranks 4 --problem problem.h5 --plan plan.json \
    --chunk 0 --output chunks/000-of-012.h5
"""

import argparse

from skyquilt.cli import arguments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    arguments.add_problem(parser)
    arguments.add_plan(parser)
    parser.add_argument("--chunk", required=True, type=int, metavar="I", help="number of the chunk")
    arguments.add_output(parser, "chunk file to write")
    arguments.add_threads(parser)
    arguments.add_ranks(parser, "the chunk")
    parser.add_argument(
        "--stall-timeout",
        type=arguments.positive_float,
        metavar="S",
        help="end the job when a rank is silent for so many seconds (default 1800)",
    )
    parser.add_argument(
        "--scratch",
        metavar="DIR",
        help="disk of the node for one copy of the problem for all ranks there: a folder, or the "
        "name of the variable that holds it on each node, as TMPDIR",
    )


def run(args: argparse.Namespace) -> int:
    """Run the step."""
    from skyquilt.parallel.comm import abort_on_error, close_comm
    from skyquilt.parallel.team import STALL_S
    from skyquilt.steps.fit_chunk import fit_chunk_file

    stall_s = args.stall_timeout or STALL_S
    comm = arguments.open_ranks(args, stall_s)
    with abort_on_error(comm, f"chunk {args.chunk}"):
        fit_chunk_file(
            *(args.problem, args.plan, args.chunk, args.output),
            comm=comm,
            threads=args.threads,
            stall_s=stall_s,
            scratch=args.scratch,
        )
    close_comm(comm)
    return 0
