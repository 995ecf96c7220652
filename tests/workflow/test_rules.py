import os
import re

import pytest
import yaml

pytestmark = pytest.mark.workflow

DEMO = "config/demo.yaml"


# Rules of every analysis, beside its chunks.
STAGES = (
    "contract_response",
    "prepare_problem",
    "plan_sky",
    "merge_chunks",
    "refine_map",
    "localise_source",
    "find_sources",
    "plot_maps",
    "report_analysis",
)


@pytest.fixture
def demo(request):
    return request.config.rootpath / DEMO


def test_lint_finds_nothing(empty, demo):
    result = empty.run("--lint", config=demo)
    assert result.returncode == 0, result.stdout
    assert "Lints for" not in result.stdout


def test_dry_run_of_the_demo_plans_every_stage_of_every_analysis(empty, demo):
    planned = empty.planned(config=demo)
    once = ("simulate", "bin_events_crab", "list_reports")
    calibration = {"prepare_model": 3, "simulate_skies": 6, "calibrate_analysis": 3}
    # of one analysis, with two fits of which one has two profiles and two ensembles
    names = ("prepare_model_data", "collect_samples", "collect_model", "plot_model")
    model = dict.fromkeys(names, 1)
    model |= {"fit_model": 2, "profile_model": 2, "sample_model": 2}
    stages = dict.fromkeys(STAGES, 4) | {"find_sources": 3}
    assert planned == dict.fromkeys(once, 1) | stages | calibration | model


def test_dry_run_writes_nothing(empty, demo):
    empty.planned(config=demo)
    assert {path.name for path in empty.path.iterdir()} <= {".snakemake"}


def test_full_run_makes_every_product(whole):
    for analysis, n_chunks in (("burst", 3), ("steady", 1)):
        folder = whole.results / analysis
        products = {"table.json", "problem.h5", "plan.json", "maps.fits"}
        products |= {"refined.fits", "summary.json", "report.html", "sources.ecsv", "sources.fits"}
        assert products <= {path.name for path in folder.iterdir()}
        assert len(list((folder / "chunks").iterdir())) == n_chunks
        figures = (folder / "plots").glob("[!.]*.p*")
        assert {path.suffix for path in figures} == {".png", ".pdf"}
        assert (folder / "plots/figures.json").is_file()


def test_full_run_keeps_log_and_benchmark_of_every_job(whole):
    jobs = {*STAGES, *(f"fit_chunk/{i:03}-of-003" for i in range(3))}
    for kind, ending in (("logs", ".log"), ("benchmarks", ".tsv")):
        folder = whole.results / "burst" / kind
        found = {path.relative_to(folder).with_suffix("") for path in folder.rglob(f"*{ending}")}
        assert {str(path) for path in found} == jobs


def test_second_run_does_nothing(copy):
    result = copy.run()
    assert result.returncode == 0
    assert "Nothing to be done" in result.stdout


LIMIT = """
from snakemake.iocontainers import Wildcards

include: {snakefile!r}

chunk = Wildcards(fromdict={{"analysis": "burst", "index": "001", "n_chunks": "3"}})
resources = workflow.get_rule("fit_chunk").expand_resources(chunk, [{problem!r}], attempt=1)
print("limit:", resources["runtime"])
"""


def test_time_limit_of_a_chunk_follows_its_cores(empty, request):
    # 64 pixels of 100 GB, sparse: 1600 s on one core, of which the limit is four times and 10 min
    problem, snakefile = empty.path / "problem.h5", empty.path / "limit.smk"
    problem.touch()
    os.truncate(problem, 100_000_000_000)
    whole = str(request.config.rootpath / "Snakefile")
    snakefile.write_text(LIMIT.format(snakefile=whole, problem=str(problem)))

    def limit(*options):
        result = empty.run("--dry-run", "--snakefile", snakefile, "simulate", *options)
        found = re.search(r"limit: (\d+)", result.stdout)
        assert found, result.stdout
        return int(found[1])

    assert limit() == 117
    assert limit("--cores", "8", "--set-threads", "fit_chunk=4") == 63
    assert limit("--cores", "8", "--set-threads", "fit_chunk=8") == 37


@pytest.mark.parametrize("name", ["slurm", "pilot"])
def test_profile_sets_the_cores_of_a_chunk_to_those_of_its_ranks(request, name):
    path = request.config.rootpath / "profiles" / name / "config.yaml"
    profile = yaml.safe_load(path.read_text())
    asked = profile["set-resources"]["fit_chunk"]
    n_cores = asked["tasks"] * asked.get("cpus_per_task", 1)
    assert profile["set-threads"]["fit_chunk"] == n_cores
