"""Run whole analyses in one process, without Snakemake and plots: for alerts.

The files are those that the workflow makes, in results/{analysis}/; `skyquilt plot` draws the
figures afterwards. Printed are TS, position, credible regions, flux and the time of each step:

  skyquilt run --quiet --config my.yaml --analysis my-burst

A flux is that of the reference spectrum of the analysis times a number, and is given as both; the
p-value of the largest TS of a sky needs simulated ones, see `skyquilt calibrate --help`.
"""

import argparse
import os

from skyquilt.cli import arguments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    arguments.add_config(parser)
    parser.add_argument(
        "--analysis", metavar="NAME", help="which of the analyses in it (default: all)"
    )
    parser.add_argument(
        "--threads",
        type=arguments.positive_int,
        default=_n_cores(),
        metavar="N",
        help="default: all cores this process may use",
    )


def run(args: argparse.Namespace) -> int:
    """Run the steps."""
    from skyquilt.config import get_analysis, load_config
    from skyquilt.runs.guard import claim, remove_leftovers
    from skyquilt.steps.run import describe, run_analysis

    config = load_config(args.config)
    names = [args.analysis] if args.analysis else list(config.analyses)
    for name in names:
        get_analysis(config, name)
    with claim(config.results):
        remove_leftovers(config.results)
        for name in names:
            times = run_analysis(config, name, args.threads)
            line = ", ".join(f"{step} {seconds:.2f} s" for step, seconds in times.items())
            line = line or "all files are there and answer the configuration"
            print(describe(config, name))
            print(f"  time      {sum(times.values()):.2f} s: {line}", flush=True)
    return 0


def _n_cores() -> int:
    """Cores that this process may use; batch systems grant some of the machine's."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1
