"""Simulate a Compton telescope: response, orientation, background, sources."""

import argparse

from skyquilt.cli import arguments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    arguments.add_config(parser)


def run(args: argparse.Namespace) -> int:
    """Run the step."""
    from skyquilt.config import load_config
    from skyquilt.steps.simulate import simulate_files

    simulate_files(load_config(args.config))
    return 0
