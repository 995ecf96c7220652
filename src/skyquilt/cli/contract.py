"""Multiply a response with a spectrum into a table, kept in the cache.

The table is named by the contents of response, spectrum and energy selection; when it exists
nothing is computed.
"""

import argparse

from skyquilt.cli import arguments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    arguments.add_analysis(parser)
    arguments.add_output(parser, "note that names the table (JSON)")


def run(args: argparse.Namespace) -> int:
    """Run the step."""
    from skyquilt.config import load_config
    from skyquilt.steps.contract import contract_analysis

    contract_analysis(load_config(args.config), args.analysis, args.output)
    return 0
