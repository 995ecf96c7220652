"""Run whole analyses in one process, without Snakemake: for alerts.

The files are those that the workflow makes, in results/{analysis}/. Printed are TS, position,
credible regions, flux and the time of each step:

  skyquilt run --quiet --config my.yaml --analysis my-burst

Settings may be changed for one run, and what is printed may be for programs or people:

  skyquilt run --config my.yaml --tstart 2028-02-29T23:00:10 --tstop 2028-02-29T23:00:50 --json
  skyquilt run --config my.yaml --set map.nside=32 --set 'energy={channels: [2, 3]}' --report
  skyquilt run --config my.yaml --circular > circular.txt

Products of other settings in the same folder are set aside; `--set results=FOLDER` keeps both.
Fluxes are photon fluxes in the energies that are told with them; the p-value of the largest TS of a
sky needs simulated ones, see `skyquilt calibrate --help`.
"""

import argparse
from contextlib import nullcontext

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
        default=None,
        metavar="N",
        help="default: all cores this process may use",
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="change a setting, as map.nside=32 or data.counts.0.path=burst.h5; of the analysis, "
        "or of all of them (results=FOLDER); may be given several times",
    )
    parser.add_argument("--tstart", metavar="TIME", help="start of data.interval: UTC, or UNIX s")
    parser.add_argument("--tstop", metavar="TIME", help="end of data.interval: UTC, or UNIX s")
    parser.add_argument("--plots", action="store_true", help="draw the figures, too")
    parser.add_argument(
        "--report", action="store_true", help="write report.html, too, with the figures"
    )
    parser.add_argument("--in-workflow", action="store_true", help=argparse.SUPPRESS)
    printed = parser.add_mutually_exclusive_group()
    printed.add_argument(
        "--json",
        action="store_true",
        help="print one line of JSON for each analysis: position, error ellipse, regions, flux, "
        "TS, p-value, times, instrument, files",
    )
    printed.add_argument(
        "--circular", action="store_true", help="print the text of a circular, as for GCN"
    )


def run(args: argparse.Namespace) -> int:
    """Run the steps."""
    from skyquilt.config import get_analysis, load_config
    from skyquilt.config.changes import interval_changes
    from skyquilt.errors import ConfigError
    from skyquilt.host import n_cores
    from skyquilt.runs.guard import claim, remove_leftovers
    from skyquilt.steps.run import run_analysis

    config = load_config(args.config, args.set, args.analysis)
    names = [args.analysis] if args.analysis else list(config.analyses)
    for name in names:
        get_analysis(config, name)
    if not names:
        sets = ", ".join(config.showers.runs) if config.showers else "none"
        raise ConfigError(
            f"{args.config}: has no analyses to run; its runs of showers ({sets}) are made by "
            "`skyquilt showers reconstruct` or the workflow."
        )
    if args.circular:
        from skyquilt.steps.alert import check_circular

        check_circular(config, names)
    if args.tstart or args.tstop:
        intervals = interval_changes(config, names, args.tstart, args.tstop)
        config = load_config(args.config, [*args.set, *intervals], args.analysis)
    with nullcontext() if args.in_workflow else claim(config.results):
        if not args.in_workflow:  # which has claimed the results for all of its jobs
            remove_leftovers(config.results)
        for name in names:
            times = run_analysis(config, name, args.threads or n_cores())
            if args.plots or args.report:
                from skyquilt.steps.alert import draw_analysis

                draw_analysis(config, name)
            _print(config, name, times, args)
        if args.report:
            from skyquilt.steps.alert import write_pages

            write_pages(config, names)
    return 0


def _print(config, name: str, times: dict[str, float], args: argparse.Namespace) -> None:
    """Print the result in the form that is asked for."""
    if args.json or args.circular:
        import json

        from skyquilt.report.notice import format_circular
        from skyquilt.steps.alert import read_notice

        notice = read_notice(config, name)
        text = f"{json.dumps(notice)}\n" if args.json else format_circular(notice)
        print(text, end="", flush=True)
        return
    from skyquilt.steps.run import describe

    line = ", ".join(f"{step} {seconds:.2f} s" for step, seconds in times.items())
    line = line or "all files are there and answer the configuration"
    print(describe(config, name))
    print(f"  time      {sum(times.values()):.2f} s: {line}", flush=True)
