import subprocess
import sys
import time
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
    # the fastest of several: other programs may keep the machine busy meanwhile
    best_s = min(help_time_s() for _ in range(8))
    assert best_s < HELP_LIMIT_S


def help_time_s():
    start_s = time.perf_counter()
    subprocess.run([BIN / "skyquilt", "--help"], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start_s


def test_help_of_a_verb_needs_no_numerical_library():
    heavy = {"numpy", "h5py", "astropy", "healpy", "matplotlib", "numba", "pydantic", "scipy"}
    code = (
        "import sys; from skyquilt.cli.main import make_parser; make_parser();"
        f"print(sorted({heavy} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout == "[]\n"
