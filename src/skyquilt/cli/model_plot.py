"""Draw the fits of a model: light curves, spectra, counts, samples, profiles, parameters."""

import argparse

from skyquilt.cli import arguments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    arguments.add_analysis(parser)
    arguments.add_output(
        parser,
        "folder of the model: fits, samples and profiles are read from it, figures are written to "
        "plots/ in it",
    )


def run(args: argparse.Namespace) -> int:
    """Run the step."""
    from skyquilt.config import load_config
    from skyquilt.steps.model.plot import plot_model

    plot_model(load_config(args.config), args.analysis, args.output)
    return 0
