"""Show how far a run is: chunks done, running, queued, failed, their rate, and the time left.

Read from the files and SLURM's queue; ask at any time, also while it runs:
  watch -n 30 skyquilt status results
"""

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("results", metavar="FOLDER", help="results, or one analysis in them")
    parser.add_argument(
        "--workdir",
        default=".",
        metavar="FOLDER",
        help="where the run was started, to find its jobs in the queue (default: here)",
    )


def run(args: argparse.Namespace) -> int:
    """Run the step."""
    from skyquilt.steps.status import describe_status

    print(describe_status(args.results, args.workdir))
    return 0
