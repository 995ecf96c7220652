"""Draw the maps, the containment regions and the counts spectrum."""

import argparse

from skyquilt.cli import arguments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    arguments.add_analysis(parser)
    arguments.add_problem(parser)
    arguments.add_maps(parser)
    arguments.add_skymap(parser)
    parser.add_argument(
        "--summary", required=True, metavar="FILE", help="summary.json, made by `skyquilt localise`"
    )
    arguments.add_output(parser, "folder to write the figures to")
    parser.add_argument(
        "--sources",
        nargs="?",
        metavar="FILE",
        help="sources.fits, made by `skyquilt sources`, to mark them (default: none)",
    )


def run(args: argparse.Namespace) -> int:
    """Run the step."""
    from skyquilt.config import load_config
    from skyquilt.steps.plot import plot_analysis

    config = load_config(args.config)
    files = (args.problem, args.maps, args.skymap, args.summary)
    plot_analysis(config, args.analysis, *files, args.output, args.sources)
    return 0
