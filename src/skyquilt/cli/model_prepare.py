"""Read the data of a model: all time bins and data sets, per node of true energy."""

import argparse

from skyquilt.cli import arguments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    arguments.add_analysis(parser)
    arguments.add_output(parser, "model/problem.h5 to write")


def run(args: argparse.Namespace) -> int:
    """Run the step."""
    from skyquilt.config import load_config
    from skyquilt.steps.model.prepare import prepare_model

    prepare_model(load_config(args.config), args.analysis, args.output)
    return 0
