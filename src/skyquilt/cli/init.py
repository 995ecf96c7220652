"""Write a commented configuration to begin with.

skyquilt init cosi     a burst, in the file formats of COSI
skyquilt init fermi    photons one by one, as Fermi-LAT
skyquilt init iact     maps of a Cherenkov telescope, as H.E.S.S.
skyquilt init demo     simulated data: runs as it is
"""

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("kind", metavar="KIND", help="cosi, fermi, iact or demo")
    parser.add_argument(
        "--output", metavar="FILE", help="file to write (default: KIND.yaml in this folder)"
    )


def run(args: argparse.Namespace) -> int:
    """Run the step."""
    from skyquilt.steps.workflow import write_configuration

    output = args.output or f"{args.kind}.yaml"
    write_configuration(args.kind, output)
    print(f"{output}: put the names of your files in, then")
    print(f"  skyquilt check --config {output}")
    print(f"  skyquilt workflow --config {output}")
    return 0
