"""Entry point: choose the verb, set up logging, turn errors into one line."""

import argparse
import logging
import sys
from collections.abc import Sequence

from skyquilt import __version__
from skyquilt.cli import (
    bin_events,
    calibrate,
    check,
    contains,
    contract,
    export_gadf,
    fit_chunk,
    init,
    localise,
    merge,
    pass_interruptions_on,
    plan,
    plan_refinement,
    plot,
    prepare,
    provenance,
    refine,
    report,
    run,
    simulate,
    simulate_skies,
    sources,
    status,
    verify,
    workflow,
)
from skyquilt.cli.arguments import check_paths
from skyquilt.cli.outcome import LogHandler, end, prepare_streams

VERBS = {
    "init": init,
    "check": check,
    "workflow": workflow,
    "run": run,
    "simulate": simulate,
    "bin-events": bin_events,
    "contract": contract,
    "prepare": prepare,
    "plan": plan,
    "fit-chunk": fit_chunk,
    "merge": merge,
    "plan-refinement": plan_refinement,
    "refine": refine,
    "localise": localise,
    "contains": contains,
    "export-gadf": export_gadf,
    "sources": sources,
    "plot": plot,
    "status": status,
    "verify": verify,
    "provenance": provenance,
    "simulate-skies": simulate_skies,
    "calibrate": calibrate,
    "report": report,
}

_DESCRIPTION = """\
All-sky maps of test statistic (TS) and flux from gamma-ray data.

One analysis goes through these verbs in this order; Snakemake runs them all:
  contract   response x spectrum -> table, kept in the cache
  prepare    counts, background, orientation, table -> problem.h5
  plan       which pixels, in how many chunks -> plan.json
  fit-chunk  one chunk of pixels -> chunks/*.h5 (MPI-aware)
  merge      chunks -> maps.fits
  refine     the map made finer where the source may be -> refined.fits
  localise   best position, posterior, regions -> summary.json, skymap.*, regions/
  sources    sources above a threshold -> sources.ecsv, sources.fits (if configured)
  plot       figures as PNG and PDF
  report     a page with all of it -> report.html, and an index of the pages
`run` does all of these but plots and report in one process.

While it runs, and afterwards:
  status      chunks done, running, failed; rate and time left
  verify      which files are whole, missing, foreign, damaged
  provenance  inputs, settings, versions, machines, times of a file

How far the numbers can be trusted, from simulated skies:
  simulate-skies  skies without a source, or with one each -> skies/*.h5
  calibrate       global p-value, bias, efficiency, coverage -> calibration.json
"""
_EPILOG = """\
first steps:
  skyquilt init demo
  skyquilt check --config demo.yaml
  skyquilt workflow --config demo.yaml
"""


class _Parser(argparse.ArgumentParser):
    """Parser that does not hide that its help could not be written."""

    def _print_message(self, message, file=None) -> None:
        if message and (file or sys.stderr):
            (file or sys.stderr).write(message)


def make_parser() -> argparse.ArgumentParser:
    """Parser of the whole command line."""
    parser = _Parser(
        prog="skyquilt",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"skyquilt {__version__}")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    for name, module in VERBS.items():
        summary = (module.__doc__ or "").strip().splitlines()[0]
        verb = verbs.add_parser(
            name,
            help=summary[0].lower() + summary[1:].rstrip("."),
            description=module.__doc__,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(verb)
        verb.add_argument("--quiet", action="store_true", help="log warnings and errors only")
        verb.add_argument(
            "--debug", action="store_true", help="log more, and where an error was raised"
        )
        verb.set_defaults(run=module.run)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb.

    Returns
    -------
    int
        0 done, 1 failed, 2 wrong arguments, configuration or input files.
    """
    prepare_streams()
    if arguments is None:
        pass_interruptions_on()
    parsed: list[argparse.Namespace] = []

    def parse() -> int:
        try:
            parsed.append(make_parser().parse_args(arguments))
        except SystemExit as done:  # after `--help`, which may not have been written
            return done.code if isinstance(done.code, int) else 2
        return 0

    code = end(parse, "skyquilt", imports_libraries=False)
    if not parsed:
        sys.exit(code)
    (args,) = parsed
    form = f"%(asctime)s skyquilt {args.verb}: %(message)s"
    logging.basicConfig(format=form, datefmt="%H:%M:%S", handlers=[LogHandler()])
    # Libraries log for themselves at this level, too: fontTools a line per glyph table.
    level = logging.DEBUG if args.debug else logging.WARNING if args.quiet else logging.INFO
    logging.getLogger("skyquilt").setLevel(level)

    def run_verb() -> int:
        check_paths(args)
        return args.run(args)

    return end(run_verb, f"skyquilt {args.verb}")


if __name__ == "__main__":
    sys.exit(main())
