"""Maps of the examples by another state of the code and by this one, compared bit for bit.

    SKYQUILT_DATA=<folder of the data> python benchmarks/same_maps.py REVISION [EXAMPLE ...]

The code of the revision is taken out of git and its kernels are compiled; both states make the
maps of every example, as the revision has it, from nothing, each with tables of its own. Exit code
1 if a value differs.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import yaml
from astropy.io import fits
from measuring import Cost, machine_line, run_process

ROOT = Path(__file__).parents[1]
EXAMPLES = {path.stem: path for path in sorted(ROOT.glob("config/examples/*.yaml"))}
EXAMPLES["demo"] = ROOT / "config/demo.yaml"
NAMES = ("cosi-test", "demo", "fermi-2fhl", "fermi-3fhl", "fermi-gc", "hess-crab", "hawc-crab")
NOT_MAPS = ("sources", "calibrate", "plots")  # sections of an analysis that only read its maps
COMPILE = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from build import LEVELS, compile_kernels
for level in LEVELS:
    compile_kernels(level, Path(sys.argv[1], f"kernels{level}.so"))
"""
RUN = """
import sys
sys.path.insert(0, sys.argv.pop(1))
from skyquilt.cli.main import main
sys.exit(main())
"""


class Maps(NamedTuple):
    """Maps of one analysis by one state of the code."""

    columns: Mapping[str, np.ndarray]
    cost: Cost


def main() -> int:
    """Compare what the command line names."""
    arguments = read_arguments()
    with tempfile.TemporaryDirectory(prefix="same-maps-") as folder:
        before = check_out(arguments.revision, Path(folder, "code"))
        print("| analysis | pixels | columns | values that differ | CPU, after / before |")
        print("|---|---|---|---|---|")
        n_different = 0
        for example in arguments.examples:
            settings = read_settings(arguments.revision, example)
            old = dict(make_maps(settings, before, Path(folder, "before")))
            new = dict(make_maps(settings, ROOT / "src", Path(folder, "after")))
            for analysis in old:
                different = differences(old[analysis].columns, new[analysis].columns)
                n_different += sum(different.values())
                print(row(analysis, old[analysis], new[analysis], different), flush=True)
    print(f"\nbefore: {arguments.revision}; {machine_line()}")
    return int(n_different > 0)


def read_arguments() -> argparse.Namespace:
    """Revision and examples."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("revision", help="of git: what main was before the change")
    parser.add_argument("examples", nargs="*", metavar="EXAMPLE", help="default: all of them")
    arguments = parser.parse_args()
    arguments.examples = arguments.examples or NAMES
    if unknown := set(arguments.examples) - set(EXAMPLES):
        parser.error(f"{sorted(unknown)} are no examples: {sorted(EXAMPLES)}")
    return arguments


def check_out(revision: str, folder: Path) -> Path:
    """Take the source of a revision out of git and compile its kernels; folder of the package."""
    folder.mkdir()
    archive = subprocess.run(
        ["git", "-C", ROOT, "archive", revision, "src"], check=True, stdout=subprocess.PIPE
    )
    subprocess.run(["tar", "-x", "-C", folder], input=archive.stdout, check=True)
    run_process([sys.executable, "-c", COMPILE, folder / "src/skyquilt/native"])
    return folder / "src"


def read_settings(revision: str, example: str) -> dict[str, Any]:
    """Configuration of an example, as a revision has it."""
    name = EXAMPLES[example].relative_to(ROOT).as_posix()
    command = ["git", "-C", ROOT, "show", f"{revision}:{name}"]
    text = subprocess.run(command, check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout
    return yaml.safe_load(text)


def make_maps(settings: dict[str, Any], source: Path, folder: Path) -> Iterator[tuple[str, Maps]]:
    """Maps of the analyses of a configuration, made by the package in `source`."""
    settings = dict(settings)
    for name in ("results", "cache"):
        settings[name] = str(folder / name)
    if "simulation" in settings:
        settings = yaml.safe_load(yaml.safe_dump(settings).replace("data/", f"{folder}/data/")) | {
            "simulation": settings["simulation"] | {"folder": f"{folder}/data"}
        }
    for name, analysis in settings["analyses"].items():
        only_maps = {key: part for key, part in analysis.items() if key not in NOT_MAPS}
        config = folder / f"{name}.yaml"
        folder.mkdir(exist_ok=True)
        config.write_text(yaml.safe_dump(settings | {"analyses": {name: only_maps}}))
        cost = run_process(
            [sys.executable, "-c", RUN, source, "run", "--quiet", "--config", config]
        )
        yield name, Maps(read_columns(folder / "results" / name / "maps.fits"), cost)


def read_columns(path: Path) -> dict[str, np.ndarray]:
    """Columns of a file of maps; what it says of its making may differ."""
    with fits.open(path) as file:
        table = file["SKYMAP"]
        return {name: np.array(table.data[name]) for name in table.columns.names}


def differences(old: Mapping[str, np.ndarray], new: Mapping[str, np.ndarray]) -> dict[str, int]:
    """Number of values that differ in each column; columns of one state only differ whole."""
    return {name: count_differences(old.get(name), new.get(name)) for name in old | new}


def count_differences(old: np.ndarray | None, new: np.ndarray | None) -> int:
    """Number of values that are not the same bits."""
    if old is None or new is None or (old.dtype, old.shape) != (new.dtype, new.shape):
        return max(values.size for values in (old, new) if values is not None)
    width = old.dtype.itemsize
    bits = [np.ascontiguousarray(values).view(np.uint8).reshape(-1, width) for values in (old, new)]
    return int(np.count_nonzero((bits[0] != bits[1]).any(axis=1)))


def row(name: str, old: Maps, new: Maps, different: Mapping[str, int]) -> str:
    """Row of the table."""
    n_pixels = max(values.size for values in old.columns.values())
    told = ", ".join(f"{name} {n:,}" for name, n in different.items() if n) or "none"
    ratio = new.cost.cpu / old.cost.cpu
    cells = (name, f"{n_pixels:,}", str(len(different)), told, f"{ratio:.2f}")
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.exit(main())
