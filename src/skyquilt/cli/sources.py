"""Find the sources of a map: positions, fluxes, counterparts in a catalogue.

The section `sources` of the analysis says how; `sources: {}` takes the defaults: all sources above
TS 25, each found with the stronger ones in the background, all fluxes fitted together.
"""

import argparse

from skyquilt.cli import arguments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    arguments.add_analysis(parser)
    arguments.add_problem(parser)
    arguments.add_maps(parser)
    arguments.add_output(parser, "sources.ecsv to write; sources.fits is written beside it")
    arguments.add_threads(parser)


def run(args: argparse.Namespace) -> int:
    """Run the step."""
    from skyquilt.config import load_config
    from skyquilt.steps.sources import sources_analysis

    config = load_config(args.config)
    sources_analysis(
        config, args.analysis, args.problem, args.maps, args.output, threads=args.threads
    )
    return 0
