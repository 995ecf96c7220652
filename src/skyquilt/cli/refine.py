"""Make the map finer where the source may be, until its region is resolved.

The cells of refined.fits are HEALPix pixels of many orders in ICRS, each fitted at its centre. A
few thousand of them say as much about the source as a map of millions of pixels.
"""

import argparse

from skyquilt.cli import arguments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    arguments.add_analysis(parser)
    arguments.add_problem(parser)
    arguments.add_maps(parser)
    arguments.add_steps(parser)
    arguments.add_output(parser, "refined.fits to write")
    arguments.add_threads(parser)


def run(args: argparse.Namespace) -> int:
    """Run the step."""
    from skyquilt.config import load_config
    from skyquilt.steps.refine import refine_analysis

    refine_analysis(
        *(load_config(args.config), args.analysis, args.problem, args.maps, args.output),
        steps=args.steps,
        threads=args.threads,
    )
    return 0
