"""Entry point: choose the verb, set up logging, turn errors into one line."""

import argparse
import logging
import sys
import textwrap
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

from skyquilt import __version__
from skyquilt.cli import pass_interruptions_on
from skyquilt.cli.arguments import check_paths
from skyquilt.cli.outcome import LogHandler, end, prepare_streams
from skyquilt.products import PRODUCTS
from skyquilt.products import VERBS as MAKERS

_BEFORE = ("init", "fetch", "check", "workflow", "run", "simulate", "bin-events", "showers")
_AFTER = ("contains", "export-gadf", "status", "verify", "provenance")

VERBS = {
    verb: import_module(f"skyquilt.cli.{verb.replace('-', '_')}")
    for verb in (*_BEFORE, *(maker.partition(" ")[0] for maker in MAKERS), *_AFTER)
}
"""Modules of all verbs: those that make products are in the order of making.

Of a group, as "model fit", the first word is the module.
"""

_DESCRIPTION = """\
All-sky maps of test statistic (TS) and flux from gamma-ray data.

One analysis goes through these verbs in this order; Snakemake runs them all:
{products}

While it runs, and afterwards:
  status      chunks done, running, failed; rate and time left
  verify      which files are whole, missing, foreign, damaged
  provenance  inputs, settings, versions, machines, times of a file
"""
_EPILOG = """\
first steps:
  skyquilt init demo
  skyquilt check --config demo.yaml
  skyquilt workflow --config demo.yaml
"""


def _describe_products() -> str:
    """Verbs that make products, what of what, and where it lies, in the order of making."""
    width = max(map(len, MAKERS))
    lines = []
    for product in PRODUCTS.values():
        files = ", ".join(f"{item.path}{'/' * bool(item.folder)}" for item in product.contents)
        asked = f" (section {product.asked_by})" if product.asked_by else ""
        line = f"{product.about} -> {files}{asked}"
        lines += textwrap.wrap(
            line,
            initial_indent=f"  {product.verb:{width}}  ",
            subsequent_indent=" " * (width + 6),
            width=96,
            break_on_hyphens=False,
        )
    verbs = dict.fromkeys(item.verb for item in PRODUCTS.values() if item.in_run)
    return "\n".join([*lines, f"`run` does these in one process: {', '.join(verbs)}."])


class _Parser(argparse.ArgumentParser):
    """Parser that does not hide that its help could not be written."""

    def _print_message(self, message, file=None) -> None:
        if message and (file or sys.stderr):
            (file or sys.stderr).write(message)


def make_parser() -> argparse.ArgumentParser:
    """Parser of the whole command line."""
    parser = _Parser(
        prog="skyquilt",
        description=_DESCRIPTION.format(products=_describe_products()),
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"skyquilt {__version__}")
    _add_verbs(parser, VERBS)
    return parser


def _add_verbs(
    parser: argparse.ArgumentParser, modules: Mapping[str, Any], group: str = ""
) -> None:
    """Parsers of verbs; a module with `VERBS` of its own is a group."""
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    for name, module in modules.items():
        summary = (module.__doc__ or "").strip().splitlines()[0]
        verb = verbs.add_parser(
            name,
            help=summary[0].lower() + summary[1:].rstrip("."),
            description=module.__doc__,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        if hasattr(module, "VERBS"):
            _add_verbs(verb, module.VERBS, f"{name} ")
            continue
        module.add_arguments(verb)
        verb.add_argument("--quiet", action="store_true", help="log warnings and errors only")
        verb.add_argument(
            "--debug", action="store_true", help="log more, and where an error was raised"
        )
        verb.set_defaults(run=module.run, verb=f"{group}{name}")


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
