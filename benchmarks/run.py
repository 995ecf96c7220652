"""Benchmarks: one table of figures and targets.

    python benchmarks/run.py                          all (5 minutes, 9 GB of disk for a while)
    python benchmarks/run.py time_fit_against_numpy   some
    python benchmarks/run.py --plot docs/images       the curves of docs/performance.md
    python benchmarks/run.py --page docs/performance.md   all, the table also into the page

The simulated files are removed at the end, unless --keep is given; a later run with the same
--folder uses them again.
"""

import one_thread  # noqa: F401

# isort: split
import argparse
import shutil
from collections.abc import Iterator
from pathlib import Path

import memory_steps
import time_files
import time_fit
import time_merge
import time_model
import time_planning
import time_ranks
import time_refine
import time_skies
from measuring import Figure, print_table

BENCHMARKS = {
    name: function
    for module in (
        time_fit,
        time_refine,
        time_ranks,
        time_files,
        time_planning,
        time_merge,
        time_model,
        memory_steps,
        time_skies,
    )
    for name, function in vars(module).items()
    if name.startswith(("time_", "peakmem_"))
    and getattr(function, "__module__", "") == module.__name__
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)}")
    parser.add_argument("--folder", type=Path, default=time_files.DATA, help="of simulated files")
    parser.add_argument("--keep", action="store_true", help="keep the simulated files")
    parser.add_argument("--plot", type=Path, metavar="FOLDER", help="draw the curves, no table")
    parser.add_argument("--page", type=Path, help="page in which the table replaces the last one")
    options = parser.parse_args()
    if unknown := set(options.names) - set(BENCHMARKS):
        parser.error(f"no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    time_files.DATA = options.folder.resolve()
    try:
        if options.plot:
            from plots import draw_curves

            draw_curves(options.plot)
        else:
            print_table(run_all(options.names or list(BENCHMARKS)), options.page, "make bench")
    finally:
        if not options.keep:
            shutil.rmtree(time_files.DATA, ignore_errors=True)


def run_all(names: list[str]) -> Iterator[Figure]:
    """Figures of the benchmarks, in the order of their names."""
    time_files.DATA.mkdir(parents=True, exist_ok=True)
    for name in names:
        yield from BENCHMARKS[name]()


if __name__ == "__main__":
    main()
