"""Find the best position, the posterior, and the containment and credible regions.

The folder gets summary.json, the sky maps skymap.multiorder.fits and skymap.fits, and in regions/
each region as MOC (.fits) and for DS9 (.reg).
"""

import argparse

from skyquilt.cli import arguments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    arguments.add_analysis(parser)
    arguments.add_problem(parser)
    arguments.add_maps(parser)
    parser.add_argument(
        "--refined", required=True, metavar="FILE", help="refined.fits, made by `skyquilt refine`"
    )
    arguments.add_output(parser, "folder to write to, as results/my-burst")


def run(args: argparse.Namespace) -> int:
    """Run the step."""
    from skyquilt.config import load_config
    from skyquilt.steps.localise import localise_analysis

    config = load_config(args.config)
    files = (args.problem, args.maps, args.refined)
    localise_analysis(config, args.analysis, *files, args.output)
    return 0
