"""Arguments that several verbs share."""

import argparse
import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from skyquilt.errors import ConfigError

if TYPE_CHECKING:
    from mpi4py.MPI import Comm


def add_config(parser: argparse.ArgumentParser) -> None:
    """`--config`."""
    parser.add_argument(
        "--config", required=True, metavar="FILE", help="configuration (YAML), as config/demo.yaml"
    )


def add_analysis(parser: argparse.ArgumentParser) -> None:
    """`--config` and `--analysis`."""
    add_config(parser)
    parser.add_argument(
        "--analysis", required=True, metavar="NAME", help="which of the analyses in it"
    )


def add_problem(parser: argparse.ArgumentParser) -> None:
    """`--problem`."""
    parser.add_argument(
        "--problem", required=True, metavar="FILE", help="problem.h5, made by `skyquilt prepare`"
    )


def add_model(parser: argparse.ArgumentParser) -> None:
    """`--model`."""
    parser.add_argument(
        "--model",
        required=True,
        metavar="FILE",
        help="model.h5, made by `skyquilt prepare --all-bins`",
    )


def add_plan(parser: argparse.ArgumentParser) -> None:
    """`--plan`."""
    parser.add_argument(
        "--plan", required=True, metavar="FILE", help="plan.json, made by `skyquilt plan`"
    )


def add_maps(parser: argparse.ArgumentParser) -> None:
    """`--maps`."""
    parser.add_argument(
        "--maps", required=True, metavar="FILE", help="maps.fits, made by `skyquilt merge`"
    )


def add_steps(parser: argparse.ArgumentParser) -> None:
    """`--steps`."""
    parser.add_argument(
        "--steps",
        nargs="*",
        default=[],
        metavar="FILE",
        help="plans of the steps of a refinement that were fitted in chunks: refine/0.json, of "
        "which the chunks lie in refine/0/, and so on",
    )


def add_skymap(parser: argparse.ArgumentParser) -> None:
    """`--skymap`."""
    parser.add_argument(
        "--skymap",
        required=True,
        metavar="FILE",
        help="skymap.multiorder.fits, made by `skyquilt localise`",
    )


def add_fit(parser: argparse.ArgumentParser) -> None:
    """`--fit`."""
    parser.add_argument("--fit", required=True, metavar="NAME", help="which of the fits")


def add_output(parser: argparse.ArgumentParser, what: str) -> None:
    """`--output`."""
    parser.add_argument("--output", required=True, metavar="PATH", help=what)


def add_threads(parser: argparse.ArgumentParser) -> None:
    """`--threads`."""
    parser.add_argument(
        "--threads", type=positive_int, default=1, metavar="N", help="threads (default 1)"
    )


def add_ranks(parser: argparse.ArgumentParser, what: str) -> None:
    """Options --mpi and --ranks; `what` is shared."""
    parser.add_argument("--mpi", action="store_true", help=f"share {what} among MPI ranks")
    parser.add_argument(
        "--ranks",
        type=positive_int,
        default=1,
        metavar="N",
        help="ranks to expect (default 1)",
    )


def open_ranks(args: argparse.Namespace, stall_s: float) -> "Comm | None":
    """Communicator of the ranks that were asked for; None without --mpi.

    Raises
    ------
    ConfigError
        If there are ranks without --mpi, or no MPI.
    RunError
        If there are more or fewer ranks.
    """
    from skyquilt.parallel.comm import open_comm

    if args.ranks > 1 and not args.mpi:
        raise ConfigError(f"--ranks {args.ranks} needs --mpi; without it one process fits alone.")
    return open_comm(args.ranks, stall_s) if args.mpi else None


def add_position(parser: argparse.ArgumentParser) -> None:
    """`--lon`, `--lat` and `--frame`."""
    parser.add_argument(
        "--lon", required=True, type=_angle(-180, 360), metavar="DEG", help="or right ascension"
    )
    parser.add_argument(
        "--lat", required=True, type=_angle(-90, 90), metavar="DEG", help="or declination"
    )
    parser.add_argument(
        "--frame", required=True, metavar="NAME", help="icrs, galactic, or another of astropy's"
    )


def check_paths(args: argparse.Namespace) -> None:
    """Refuse a `~` that the shell has not replaced, as in `--output=~/x`.

    Raises
    ------
    ConfigError
        If an argument begins with one.
    """
    for name, value in vars(args).items():
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, str) and text.startswith("~"):
                raise ConfigError(
                    f"{name.replace('_', '-')} {text!r}: ~ is not replaced here: write "
                    f"$HOME{text[1:]}, or './{text}' if that is the name."
                )


def _angle(low: float, high: float) -> Callable[[str], float]:
    """Argument type: an angle of a range [deg]."""

    def degrees(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text!r}: give degrees from {low} to {high}")
        return value

    return degrees


def positive_int(text: str) -> int:
    """Argument type: a whole number above zero."""
    number = int(text) if text.isdecimal() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: give a whole number above zero")
    return number


def part_of(text: str) -> tuple[int, int]:
    """Argument type: one of several parts, as 2/5.

    Examples
    --------
    >>> part_of("2/5")
    (2, 5)
    """
    part, slash, of = text.partition("/")
    is_good = bool(slash) and part.isdecimal() and of.isdecimal()
    if not is_good or not 1 <= int(part) <= int(of):
        raise argparse.ArgumentTypeError(f"{text!r}: give I/N, from 1/N to N/N")
    return int(part), int(of)


def positive_float(text: str) -> float:
    """Argument type: a number above zero."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r}: give a number above zero")
    return number
