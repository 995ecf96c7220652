import resource
import subprocess
import sys
from pathlib import Path

BIN = Path(sys.executable).parent
HELP_LIMIT_S = 0.3


def test_imports_run_one_way(request):
    result = subprocess.run(
        [BIN / "lint-imports", "--no-cache"],
        cwd=request.config.rootpath,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stdout


def test_help_answers_at_once():
    # time of the processor, the least of several: other programs may keep the machine busy
    best_s = min(help_time_s() for _ in range(5))
    assert best_s < HELP_LIMIT_S


def help_time_s():
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([BIN / "skyquilt", "--help"], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def test_help_of_a_verb_needs_no_numerical_library():
    heavy = {"numpy", "h5py", "astropy", "healpy", "matplotlib", "numba", "pydantic", "scipy"}
    code = (
        "import sys; from skyquilt.cli.main import make_parser; make_parser();"
        f"print(sorted({heavy} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout == "[]\n"


def test_worker_of_a_fit_needs_neither_configuration_nor_astropy():
    heavy = {"astropy", "healpy", "matplotlib", "pydantic", "scipy", "yaml"}
    code = (
        "import sys; import skyquilt.steps.fit_chunk, skyquilt.parallel.team;"
        f"print(sorted({heavy} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout == "[]\n"
