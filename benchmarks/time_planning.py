"""What planning a large run costs, and how much of it is Snakemake's own: dry runs."""

import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import yaml
from measuring import Cost, Figure, below, run_process
from time_files import ROOT

_EMPTY = """\
rule all:
    input: expand("{a}/maps", a=range(%(n_analyses)d))
rule merge:
    input: expand("{{a}}/chunks/{i}", i=range(%(n_chunks)d)), "{a}/problem"
    output: "{a}/maps"
    shell: "touch {output}"
rule fit:
    input: "{a}/problem"
    output: "{a}/chunks/{i}"
    shell: "touch {output}"
rule problem:
    output: "{a}/problem"
    shell: "touch {output}"
"""


def time_planning() -> Iterator[Figure]:
    """CPU time of dry runs, beside that of a workflow of the same shape without any content."""
    for n_analyses, n_chunks, nside in ((1, 3072, 256), (200, 12, 64)):
        with tempfile.TemporaryDirectory() as folder:
            ours = _plan_ours(Path(folder), n_analyses, n_chunks, nside)
            empty = _plan_empty(Path(folder), n_analyses, n_chunks)
        what = f"plan of {n_analyses} x {n_chunks} chunks, CPU"
        yield below(what, ours.cpu, 20, "{:.1f} s")
        yield Figure("the same of an empty workflow", f"{empty.cpu:.1f} s")


def _plan_ours(folder: Path, n_analyses: int, n_chunks: int, nside: int) -> Cost:
    demo = yaml.safe_load((ROOT / "config/demo.yaml").read_text(encoding="utf-8"))
    one = demo["analyses"]["grb-bright"] | {"map": {"nside": nside}, "fit": {"chunks": n_chunks}}
    demo["analyses"] = {f"burst-{number}": one for number in range(n_analyses)}
    config = folder / "config.json"
    config.write_text(json.dumps(demo), encoding="utf-8")
    profile = ROOT / "profiles" / "local"
    where = ["--profile", profile, "--configfile", config]
    return _dry_run(folder, ROOT / "Snakefile", *where)


def _plan_empty(folder: Path, n_analyses: int, n_chunks: int) -> Cost:
    snakefile = folder / "Snakefile"
    shape = {"n_analyses": n_analyses, "n_chunks": n_chunks}
    snakefile.write_text(_EMPTY % shape, encoding="utf-8")
    return _dry_run(folder, snakefile, "--cores", 1)


def _dry_run(folder: Path, snakefile: Path, *options: str | Path | int) -> Cost:
    command = [sys.executable, "-m", "snakemake", "--dry-run", "--quiet", "all"]
    return run_process([*command, "--snakefile", snakefile, "--directory", folder, *options])
