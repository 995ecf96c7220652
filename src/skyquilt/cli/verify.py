"""Check a tree of results: which files are whole, missing, foreign, damaged.

Every file is read in full and compared with its checksums, its problem, its plan and its inputs.
The exit code is 0 when all are whole and none is missing. --repair sets damaged and foreign files,
and folders of figures or regions that miss a file, aside (into .set-aside/) and removes
half-written ones, so that the next run makes them again, and what depends on them:
  skyquilt verify results --repair
  snakemake --profile profiles/slurm --configfile my.yaml
"""

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("results", metavar="FOLDER", help="results, or one analysis in them")
    parser.add_argument(
        "--repair", action="store_true", help="set aside what is damaged or foreign"
    )


def run(args: argparse.Namespace) -> int:
    """Run the step."""
    from skyquilt.steps.verify import verify_results

    text, is_well = verify_results(args.results, args.repair)
    print(text)
    return 0 if is_well else 1
