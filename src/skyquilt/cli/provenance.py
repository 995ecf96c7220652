"""Print where a product comes from: inputs, settings, versions, machines, job, times."""

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "file",
        metavar="FILE",
        help="product of skyquilt: .h5, .fits, .json, .ecsv, .reg, .png, .pdf, .html",
    )
    parser.add_argument("--json", action="store_true", help="as JSON (default: YAML)")


def run(args: argparse.Namespace) -> int:
    """Run the step."""
    from skyquilt.steps.provenance import describe_provenance

    print(describe_provenance(args.file, args.json))
    return 0
