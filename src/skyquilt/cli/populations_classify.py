"""Give each event its probability for each population."""

import argparse

from skyquilt.cli import arguments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    arguments.add_analysis(parser)
    parser.add_argument(
        "--folder",
        required=True,
        metavar="DIR",
        help="folder of the populations: problem.h5, densities.h5, posterior.h5 are read from it",
    )
    arguments.add_output(parser, "populations/classes.fits to write")


def run(args: argparse.Namespace) -> int:
    """Run the step."""
    from skyquilt.config import load_config
    from skyquilt.steps.populations.classify import classify_events

    config = load_config(args.config)
    classify_events(config, args.analysis, args.folder, args.output)
    return 0
