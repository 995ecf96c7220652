"""Read the data of targets: all bins, in the bands of the section."""

import argparse

from skyquilt.cli import arguments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    arguments.add_analysis(parser)
    arguments.add_output(parser, "targets/problem.h5 to write")


def run(args: argparse.Namespace) -> int:
    """Run the step."""
    from skyquilt.config import load_config
    from skyquilt.steps.targets.prepare import prepare_targets

    prepare_targets(load_config(args.config), args.analysis, args.output)
    return 0
