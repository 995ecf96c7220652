"""Fit a model: best parameters, errors, limits, and what there is of each time bin.

With --mpi the ranks of the launcher share the time bins:
  mpiexec -n 4 skyquilt model fit --mpi --ranks 4 --config c.yaml --analysis my-burst --fit joint \
    --output results/my-burst/model

Fits that start from others come after them: `skyquilt run` and the workflow keep the order.
"""

import argparse

from skyquilt.cli import arguments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    arguments.add_analysis(parser)
    arguments.add_fit(parser)
    arguments.add_ranks(parser, "the time bins")
    arguments.add_output(
        parser,
        "folder of the model, as results/my-burst/model: problem.h5 and earlier fits are read from "
        "it, NAME.h5, NAME.ecsv and NAME-bins.ecsv written there",
    )


def run(args: argparse.Namespace) -> int:
    """Run the step."""
    from skyquilt.config import load_config
    from skyquilt.parallel.comm import abort_on_error, close_comm
    from skyquilt.parallel.team import STALL_S
    from skyquilt.steps.model.fit import fit_model

    comm = arguments.open_ranks(args, STALL_S)
    with abort_on_error(comm, f"fit {args.fit}"):
        fit_model(load_config(args.config), args.analysis, args.fit, args.output, comm)
    close_comm(comm)
    return 0
