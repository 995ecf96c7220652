"""Fit the targets of a job in all bands: fluxes, errors, limits, profiles."""

import argparse

from skyquilt.cli import arguments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    arguments.add_analysis(parser)
    parser.add_argument(
        "--job", required=True, type=int, metavar="I", help="number of the job in the plan"
    )
    parser.add_argument(
        "--folder",
        required=True,
        metavar="DIR",
        help="folder of the targets: problem.h5, baseline.h5 and plan.json are read from it",
    )
    arguments.add_output(parser, "file to write, as targets/seds/003-of-012.h5")


def run(args: argparse.Namespace) -> int:
    """Run the step."""
    from skyquilt.config import load_config
    from skyquilt.steps.targets.fit import fit_targets

    config = load_config(args.config)
    fit_targets(config, args.analysis, args.job, args.folder, args.output)
    return 0
