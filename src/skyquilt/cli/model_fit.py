"""Fit a model: best parameters, errors, limits, and what there is of each time bin.

Fits that start from others come after them: `skyquilt run` and the workflow keep the order.
"""

import argparse

from skyquilt.cli import arguments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    arguments.add_analysis(parser)
    parser.add_argument("--fit", required=True, metavar="NAME", help="which of the fits")
    arguments.add_output(
        parser,
        "folder of the model, as results/my-burst/model: problem.h5 and earlier fits are read from "
        "it, NAME.h5, NAME.ecsv and NAME-bins.ecsv written there",
    )


def run(args: argparse.Namespace) -> int:
    """Run the step."""
    from skyquilt.config import load_config
    from skyquilt.steps.model.fit import fit_model

    fit_model(load_config(args.config), args.analysis, args.fit, args.output)
    return 0
