"""Find the best position and the containment regions."""

import argparse

from skyquilt.cli import arguments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    arguments.add_analysis(parser)
    arguments.add_maps(parser)
    arguments.add_output(parser, "summary.json to write")


def run(args: argparse.Namespace) -> int:
    """Run the step."""
    from skyquilt.config import load_config
    from skyquilt.steps.localise import localise_analysis

    localise_analysis(load_config(args.config), args.analysis, args.maps, args.output)
    return 0
