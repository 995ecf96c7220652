"""Bin an event file in energy, time, Compton angle and scattered direction."""

import argparse

from skyquilt.cli import arguments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    arguments.add_config(parser)
    parser.add_argument(
        "--binning", required=True, metavar="NAME", help="which of the entries under `binning:`"
    )


def run(args: argparse.Namespace) -> int:
    """Run the step."""
    from skyquilt.config import load_config
    from skyquilt.steps.bin_events import bin_events_file

    bin_events_file(load_config(args.config), args.binning)
    return 0
