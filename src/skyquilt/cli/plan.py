"""Choose the pixels to fit and cut them into chunks."""

import argparse

from skyquilt.cli import arguments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    arguments.add_analysis(parser)
    arguments.add_problem(parser)
    arguments.add_output(parser, "plan.json to write")


def run(args: argparse.Namespace) -> int:
    """Run the step."""
    from skyquilt.config import load_config
    from skyquilt.steps.plan import plan_analysis

    plan_analysis(load_config(args.config), args.analysis, args.problem, args.output)
    return 0
