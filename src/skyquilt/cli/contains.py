"""Tell whether a position is in the credible region of a sky map.

Prints the answer, and the smallest regions that hold the position: its searched probability and
area. Exit code 0: inside, 3: outside. Sky maps of others are read, too: of many orders (UNIQ and
PROBDENSITY, as in alerts), flat HEALPix (PROB, PROBABILITY), and coverage maps (MOC).
"""

import argparse

from skyquilt.cli import arguments

OUTSIDE = 3
"""Exit code for a position outside; 1 and 2 are those of errors."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    arguments.add_skymap(parser)
    arguments.add_position(parser)
    parser.add_argument("--level", type=float, metavar="P", help="of the region (default: 0.9)")
    parser.add_argument(
        "--map-frame",
        choices=("icrs", "galactic"),
        help="of the pixels of a sky map of others, where its header does not say",
    )


def run(args: argparse.Namespace) -> int:
    """Run the step."""
    from skyquilt.steps.contains import ask_skymap

    answer = ask_skymap(args.skymap, args.lon, args.lat, args.frame, args.level, args.map_frame)
    print(answer.text)
    return 0 if answer.is_inside else OUTSIDE
