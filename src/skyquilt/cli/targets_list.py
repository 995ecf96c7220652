"""List the targets of all rosters: targets.ecsv, and the plan of their fits."""

import argparse

from skyquilt.cli import arguments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    arguments.add_analysis(parser)
    arguments.add_output(
        parser,
        "folder of the targets, as results/my-sky/targets: problem.h5 and baseline.h5 are read "
        "from it, targets.ecsv and plan.json written there",
    )


def run(args: argparse.Namespace) -> int:
    """Run the step."""
    from pathlib import Path

    from skyquilt.config import load_config
    from skyquilt.steps.targets.listing import list_targets_of

    folder = Path(args.output)
    list_targets_of(
        *(load_config(args.config), args.analysis),
        *(folder / "problem.h5", folder / "baseline.h5", folder),
    )
    return 0
