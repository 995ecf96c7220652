"""Write the maps in the layout of gammapy (GADF), one table per quantity.

In gammapy: Map.read("maps.gadf.fits", hdu="TS"), and FLUX, FLUX_ERR, PHOTON_FLUX, ... alike.
"""

import argparse

from skyquilt.cli import arguments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    arguments.add_maps(parser)
    arguments.add_output(parser, "file to write, as maps.gadf.fits")


def run(args: argparse.Namespace) -> int:
    """Run the step."""
    from skyquilt.steps.export_gadf import export_maps

    export_maps(args.maps, args.output)
    return 0
