"""Compare the fits of a model: comparison.json; or join the ensembles of one of them.

With --fit NAME its ensembles are joined into NAME-samples.h5, which arviz opens, and what they say
of each number into NAME-samples.ecsv. Samples that have not converged (split R-hat above the
`max_r_hat` of the configuration) are refused.
"""

import argparse

from skyquilt.cli import arguments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    arguments.add_analysis(parser)
    parser.add_argument("--fit", metavar="NAME", help="fit whose ensembles are joined")
    arguments.add_output(
        parser,
        "folder of the model with all fits; comparison.json is written there, or with --fit "
        "NAME-samples.h5 and NAME-samples.ecsv",
    )


def run(args: argparse.Namespace) -> int:
    """Run the step."""
    from skyquilt.config import load_config
    from skyquilt.steps.model.collect import collect_model, collect_samples

    config = load_config(args.config)
    if args.fit is None:
        collect_model(config, args.analysis, args.output)
    else:
        collect_samples(config, args.analysis, args.fit, args.output)
    return 0
