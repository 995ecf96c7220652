"""Read the events of populations, with what is seen at the energy of each."""

import argparse

from skyquilt.cli import arguments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    arguments.add_analysis(parser)
    arguments.add_output(parser, "populations/problem.h5 to write")


def run(args: argparse.Namespace) -> int:
    """Run the step."""
    from skyquilt.config import load_config
    from skyquilt.steps.populations.prepare import prepare_populations

    config = load_config(args.config)
    prepare_populations(config, args.analysis, args.output)
    return 0
