"""Draw spectra of targets: likelihood in each band as colour, points, limits, models."""

import argparse

from skyquilt.cli import arguments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    arguments.add_analysis(parser)
    arguments.add_output(
        parser,
        "folder of the targets: its problem, plan, fits and spectra.ecsv are read, figures are "
        "written to plots/ in it",
    )


def run(args: argparse.Namespace) -> int:
    """Run the step."""
    from skyquilt.config import load_config
    from skyquilt.steps.targets.plot import plot_targets

    plot_targets(load_config(args.config), args.analysis, args.output)
    return 0
