"""Find fractions and parameters of populations: best ones, posterior, evidence."""

import argparse

from skyquilt.cli import arguments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    arguments.add_analysis(parser)
    arguments.add_output(
        parser,
        "folder of the populations, as results/my-sky/populations: densities.h5 is read from it, "
        "populations.json and posterior.h5 are written there",
    )


def run(args: argparse.Namespace) -> int:
    """Run the step."""
    from skyquilt.config import load_config
    from skyquilt.steps.populations.infer import infer

    config = load_config(args.config)
    infer(config, args.analysis, args.output)
    return 0
