"""Profile a fit of a model: the likelihood along some free numbers, all others fitted.

A fit names them as `profile`. Their points may be shared by several jobs.
"""

import argparse

from skyquilt.cli import arguments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    arguments.add_analysis(parser)
    arguments.add_fit(parser)
    parser.add_argument(
        "--part",
        type=arguments.part_of,
        default=(1, 1),
        metavar="I/N",
        help="which of N parts of the points (default 1/1: all)",
    )
    arguments.add_output(
        parser,
        "folder of the model: problem.h5 and NAME.h5 are read from it, NAME/profile-i-of-n.h5 is "
        "written there",
    )


def run(args: argparse.Namespace) -> int:
    """Run the step."""
    from skyquilt.config import load_config
    from skyquilt.steps.model.profile import profile_model

    config, (part, of) = load_config(args.config), args.part
    profile_model(config, args.analysis, args.fit, part, of, args.output)
    return 0
