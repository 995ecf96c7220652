r"""Choose the pixels of the next step of a refinement in chunks.

Each step is fitted like a map, and the plan without chunks is the end:
  skyquilt plan-refinement --config my.yaml --analysis my-burst --problem problem.h5 \
    --maps maps.fits --output refine/0.json
  skyquilt fit-chunk --problem problem.h5 --plan refine/0.json --chunk 0 \
    --output refine/0/000-of-001.h5
  skyquilt plan-refinement ... --steps refine/0.json --output refine/1.json
`skyquilt refine --steps refine/0.json ...` then puts the cells together.
"""

import argparse

from skyquilt.cli import arguments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    arguments.add_analysis(parser)
    arguments.add_problem(parser)
    arguments.add_maps(parser)
    arguments.add_steps(parser)
    arguments.add_output(parser, "plan to write, as refine/1.json")


def run(args: argparse.Namespace) -> int:
    """Run the step."""
    from skyquilt.config import load_config
    from skyquilt.steps.refine import plan_refinement

    plan_refinement(
        *(load_config(args.config), args.analysis, args.problem, args.maps, args.output),
        steps=args.steps,
    )
    return 0
