"""Fit all listed sources together in each band: the neighbours of targets."""

import argparse

from skyquilt.cli import arguments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    arguments.add_analysis(parser)
    parser.add_argument(
        "--problem",
        required=True,
        metavar="FILE",
        help="targets/problem.h5, made by `skyquilt targets prepare`",
    )
    parser.add_argument(
        "--sources",
        metavar="FILE",
        help="sources.fits, made by `skyquilt sources`, where neighbours are those of the analysis",
    )
    arguments.add_output(parser, "targets/baseline.h5 to write")


def run(args: argparse.Namespace) -> int:
    """Run the step."""
    from skyquilt.config import load_config
    from skyquilt.steps.targets.baseline import fit_baseline_of

    config = load_config(args.config)
    fit_baseline_of(config, args.analysis, args.problem, args.output, args.sources)
    return 0
