"""Download the files of an example with real data.

Each file comes from a public repository, at a commit, and is checked by its SHA-256; an
interrupted download goes on, and nothing that is there is replaced. With --list, where the files
come from, how large they are and under which terms.

  skyquilt fetch fermi-gc --folder data
  SKYQUILT_DATA=data skyquilt run --config config/examples/fermi-gc.yaml
"""

import argparse
import os


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "name",
        metavar="NAME",
        help="cosi-test, fermi-2fhl, fermi-3fhl, fermi-gc, hess-crab or hawc-crab",
    )
    parser.add_argument(
        "--folder",
        metavar="FOLDER",
        help="where to put them (default: what SKYQUILT_DATA names, or data)",
    )
    parser.add_argument(
        "--mirror", metavar="URL", help="server that has them as URL/REPOSITORY/COMMIT/PATH"
    )
    parser.add_argument("--list", action="store_true", help="list the files and fetch none")


def run(args: argparse.Namespace) -> int:
    """Run the step."""
    from skyquilt.fetch.download import HOST
    from skyquilt.fetch.table import find_example
    from skyquilt.runs.installed import workflow_folder
    from skyquilt.steps.fetch import fetch_example

    folder = args.folder or os.environ.get("SKYQUILT_DATA") or "data"
    if args.list:
        for one in find_example(args.name):
            source = one.source if one.repository else f"not published: {one.not_published}"
            print(f"{one.file}  {one.size} bytes  {one.sha256}\n  {source}\n  terms: {one.licence}")
        return 0
    fetch_example(args.name, folder, args.mirror or HOST)
    config = workflow_folder() / "config" / "examples" / f"{args.name}.yaml"
    print(f"{folder}: all files of {args.name} are there and whole; to run it:")
    print(f"  SKYQUILT_DATA={folder} skyquilt run --config {config}")
    return 0
