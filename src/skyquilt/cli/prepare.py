"""Turn counts, background, orientation and table into a fit problem.

Checks that all files fit each other: axes, units, frames, times.
"""

import argparse

from skyquilt.cli import arguments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    arguments.add_analysis(parser)
    arguments.add_output(parser, "problem.h5 to write")


def run(args: argparse.Namespace) -> int:
    """Run the step."""
    from skyquilt.config import load_config
    from skyquilt.steps.prepare import prepare_analysis

    prepare_analysis(load_config(args.config), args.analysis, args.output)
    return 0
