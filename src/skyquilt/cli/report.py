"""Write the page of an analysis: one HTML file with all figures inside, or the index of all.

It needs no network, and shows what the folder of the analysis holds.
"""

import argparse

from skyquilt.cli import arguments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    arguments.add_config(parser)
    parser.add_argument(
        "--analysis", metavar="NAME", help="which of the analyses in it (default: the index of all)"
    )
    parser.add_argument(
        "--pages",
        nargs="+",
        default=[],
        metavar="PAGE",
        help="pages of the index, report.html each",
    )
    arguments.add_output(parser, "HTML file to write")


def run(args: argparse.Namespace) -> int:
    """Run the step."""
    from pathlib import Path

    from skyquilt.config import load_config
    from skyquilt.errors import ConfigError
    from skyquilt.steps.report import report_all, report_analysis

    if bool(args.analysis) == bool(args.pages):
        raise ConfigError("give --analysis for a page, or --pages for the index of all.")
    config = load_config(args.config)
    if args.analysis:
        folder = Path(config.results) / args.analysis
        report_analysis(config, args.analysis, folder, args.output)
    else:
        report_all(config, args.pages, args.output)
    return 0
