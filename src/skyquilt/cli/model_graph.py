"""Show the parameters of a fit as a graph: what is fixed, free, linked, a function of others.

Only the configuration is read. Without --output the graph is printed as text.
"""

import argparse

from skyquilt.cli import arguments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    arguments.add_analysis(parser)
    arguments.add_fit(parser)
    parser.add_argument(
        "--output",
        metavar="FILE",
        help="file to write, ending in .svg (a drawing), .dot (for graphviz) or .txt",
    )


def run(args: argparse.Namespace) -> int:
    """Run the step."""
    from skyquilt.config import load_config
    from skyquilt.steps.model.graph import graph_model

    text = graph_model(load_config(args.config), args.analysis, args.fit, args.output)
    if args.output is None:
        print(text, end="")
    return 0
