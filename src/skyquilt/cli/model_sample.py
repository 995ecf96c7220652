"""Sample a fit of a model: one ensemble of walkers, which goes on where it was ended.

Samples need emcee: pip install 'skyquilt[sampling]'. What is sampled is saved every minute in a
hidden file beside the output; started again, the ensemble goes on from there and is the same, bit
for bit.
"""

import argparse

from skyquilt.cli import arguments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    arguments.add_analysis(parser)
    arguments.add_fit(parser)
    parser.add_argument(
        "--ensemble",
        required=True,
        type=arguments.positive_int,
        metavar="I",
        help="which of the ensembles of the fit, from 1",
    )
    arguments.add_output(
        parser,
        "folder of the model: problem.h5 and NAME.h5 are read from it, NAME/ensemble-i-of-n.h5 is "
        "written there",
    )


def run(args: argparse.Namespace) -> int:
    """Run the step."""
    from skyquilt.config import load_config
    from skyquilt.steps.model.sample import sample_model

    sample_model(load_config(args.config), args.analysis, args.fit, args.ensemble, args.output)
    return 0
