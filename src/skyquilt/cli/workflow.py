"""Run the workflow: every analysis of a configuration, split into jobs by Snakemake.

Works in any folder; results lie where the configuration says. The configuration is checked first,
so that a mistake in it is one line:

  skyquilt workflow --config my.yaml
  skyquilt workflow --config my.yaml --profile slurm
  skyquilt workflow --config my.yaml -- --dry-run

What follows `--` are Snakemake's own arguments. In a clone, `snakemake --profile profiles/local
--configfile my.yaml` is the same.
"""

import argparse

from skyquilt.cli import arguments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    arguments.add_config(parser)
    parser.add_argument(
        "--profile",
        default="local",
        metavar="NAME",
        help="local, slurm, pilot, or a folder with a config.yaml (default: local)",
    )
    parser.add_argument(
        "snakemake", nargs="*", metavar="-- ARGUMENT", help="arguments of Snakemake"
    )


def run(args: argparse.Namespace) -> int:
    """Become Snakemake."""
    import os
    import sys

    from skyquilt.steps.workflow import workflow_command

    command = workflow_command(args.config, args.profile, args.snakemake)
    sys.stdout.flush()
    os.execv(command[0], command)
