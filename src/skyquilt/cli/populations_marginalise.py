"""Find the density of each population at each event, and its expected events."""

import argparse

from skyquilt.cli import arguments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    arguments.add_analysis(parser)
    parser.add_argument(
        "--problem",
        required=True,
        metavar="FILE",
        help="populations/problem.h5, made by `skyquilt populations prepare`",
    )
    arguments.add_output(parser, "populations/densities.h5 to write")


def run(args: argparse.Namespace) -> int:
    """Run the step."""
    from skyquilt.config import load_config
    from skyquilt.steps.populations.marginalise import marginalise

    config = load_config(args.config)
    marginalise(config, args.analysis, args.problem, args.output)
    return 0
