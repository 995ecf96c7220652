"""Compare the fits of a model: comparison.json."""

import argparse

from skyquilt.cli import arguments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    arguments.add_analysis(parser)
    arguments.add_output(parser, "folder of the model with all fits; comparison.json is written")


def run(args: argparse.Namespace) -> int:
    """Run the step."""
    from skyquilt.config import load_config
    from skyquilt.steps.model.collect import collect_model

    collect_model(load_config(args.config), args.analysis, args.output)
    return 0
