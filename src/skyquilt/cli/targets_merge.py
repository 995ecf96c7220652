"""Put the fits of all jobs into tables: seds.ecsv, seds.fits, sed/NAME.PROFILE.fits."""

import argparse

from skyquilt.cli import arguments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    arguments.add_analysis(parser)
    arguments.add_output(
        parser,
        "folder of the targets: its problem, plan and fits are read, and the tables are written "
        "there",
    )


def run(args: argparse.Namespace) -> int:
    """Run the step."""
    from skyquilt.config import load_config
    from skyquilt.steps.targets.merge import merge_targets

    merge_targets(load_config(args.config), args.analysis, args.output)
    return 0
