"""Verify all chunks and place them into full maps.

A chunk that is missing, damaged, or answers another problem is an error that names it.
"""

import argparse

from skyquilt.cli import arguments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    arguments.add_problem(parser)
    arguments.add_plan(parser)
    arguments.add_output(parser, "maps.fits to write")
    parser.add_argument("chunks", nargs="+", metavar="CHUNK", help="chunk files, in any order")


def run(args: argparse.Namespace) -> int:
    """Run the step."""
    from skyquilt.steps.merge import merge_files

    merge_files(args.problem, args.plan, args.chunks, args.output)
    return 0
