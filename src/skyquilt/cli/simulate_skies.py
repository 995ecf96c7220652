"""Simulate skies like that of an analysis: without a source, or with one each.

One job of many; the random numbers of a sky do not depend on the job that makes it.
"""

import argparse

from skyquilt.cli import arguments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    arguments.add_analysis(parser)
    arguments.add_model(parser)
    parser.add_argument(
        "--kind",
        required=True,
        choices=("null", "injected"),
        help="null: background alone; injected: one source at a random direction",
    )
    parser.add_argument("--job", required=True, type=int, metavar="I", help="number of the job")
    arguments.add_output(parser, "file of skies to write")


def run(args: argparse.Namespace) -> int:
    """Run the step."""
    from skyquilt.config import load_config
    from skyquilt.steps.calibrate import simulate_skies_file

    config = load_config(args.config)
    simulate_skies_file(config, args.analysis, args.model, args.kind, args.job, args.output)
    return 0
