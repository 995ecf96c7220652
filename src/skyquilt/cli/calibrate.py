"""Merge simulated skies: global p-value, bias, detection efficiency, coverage of regions."""

import argparse

from skyquilt.cli import arguments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    arguments.add_analysis(parser)
    arguments.add_model(parser)
    arguments.add_output(parser, "calibration.json to write")
    parser.add_argument(
        "--table", required=True, metavar="PATH", help="calibration.h5 to write, with all skies"
    )
    parser.add_argument(
        "--plots", required=True, metavar="PATH", help="folder to write the figures to"
    )
    parser.add_argument("skies", nargs="+", help="files made by `skyquilt simulate-skies`")


def run(args: argparse.Namespace) -> int:
    """Run the step."""
    from skyquilt.config import load_config
    from skyquilt.steps.calibrate import calibrate_files
    from skyquilt.steps.plot_calibration import plot_calibration

    config = load_config(args.config)
    calibrate_files(config, args.analysis, args.model, args.skies, args.output, args.table)
    plot_calibration(args.output, args.table, args.plots)
    return 0
