"""Turn counts, background, orientation and table into a fit problem.

Checks that all files fit each other: axes, units, frames, times.
"""

import argparse

from skyquilt.cli import arguments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    arguments.add_analysis(parser)
    arguments.add_output(parser, "problem.h5 to write")
    parser.add_argument(
        "--all-bins",
        action="store_true",
        help="keep the bins without counts, too: a model from which skies can be simulated",
    )


def run(args: argparse.Namespace) -> int:
    """Run the step."""
    from skyquilt.config import load_config
    from skyquilt.steps.prepare import prepare_analysis

    config = load_config(args.config)
    prepare_analysis(config, args.analysis, args.output, all_bins=args.all_bins)
    return 0
