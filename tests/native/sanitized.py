"""Run tests with kernels in which the compiler watches each address and each operation.

  python tests/native/sanitized.py [ARGUMENTS OF PYTEST]

A copy of the package in build/sanitized has the kernels compiled with AddressSanitizer and
UndefinedBehaviorSanitizer, for all levels of vector instructions; what is installed stays as it
is. First, a call that writes behind an array must be caught. Where the compiler has no such
runtime the reason is printed and nothing is run (exit code 0).
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
PACKAGE = REPOSITORY / "src" / "skyquilt"
TARGET = REPOSITORY / "build" / "sanitized"
FLAGS = (
    *("-g", "-fno-omit-frame-pointer", "-Wl,-z,undefs"),
    *("-fsanitize=address,undefined", "-fno-sanitize-recover=all"),
)
TESTS = (
    *("tests/native", "tests/likelihood", "tests/problem", "tests/sky", "tests/fit"),
    *("tests/properties", "tests/instruments/compton/simulator/test_cones.py"),
)
_STACK = "malloc_context_size=4:stack_trace_format='    #%n %f %s:%l'"
_OVERRUN = """
import numpy as np
from skyquilt.native import kernels
kernels.nest_to_ring(16, 3000, np.zeros(3000, np.int64), np.zeros(2999, np.int64))
"""

sys.path.insert(0, str(PACKAGE / "native"))  # not by way of the package, which loads the kernels

from build import LEVELS, BuildError, compile_kernels, find_compiler  # noqa: E402


def main(arguments: list[str]) -> int:
    runtime = find_library("libasan.so")
    if runtime is None:
        print("no AddressSanitizer with this compiler: its tests are skipped")
        return 0
    try:
        make_copy()
    except BuildError as error:
        print(f"no sanitizers with this compiler: their tests are skipped ({error})")
        return 0
    log = f"log_path={TARGET}/found"  # pytest catches the standard error, and would end with it
    environment = {
        **os.environ,
        # libraries that are loaded later throw C++ exceptions
        "LD_PRELOAD": " ".join(filter(None, (runtime, find_library("libstdc++.so.6")))),
        "PYTHONPATH": str(TARGET),
        "SKYQUILT_TEST_BUDGET": "60",
        # Python keeps its memory to the end
        "ASAN_OPTIONS": f"detect_leaks=0:{_STACK}:allocator_may_return_null=1:{log}",
        "UBSAN_OPTIONS": f"print_stacktrace=1:{_STACK}:{log}",
    }
    check_overrun(environment)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    tests = arguments or [*TESTS, "-m", "not slow and not mpi"]
    code = subprocess.run([*command, *tests], cwd=REPOSITORY, env=environment).returncode
    print(take_reports(), end="")
    return code


def find_library(name: str) -> str | None:
    """A library of the compiler; None if it has none of this name."""
    compiler = find_compiler()
    if compiler is None:
        return None
    command = [*compiler, f"-print-file-name={name}"]
    found = subprocess.run(command, capture_output=True, text=True).stdout.strip()
    return str(Path(found).resolve()) if Path(found).is_absolute() else None


def make_copy() -> None:
    """Copy of the package with kernels of its own."""
    shutil.rmtree(TARGET, ignore_errors=True)
    ignored = shutil.ignore_patterns("*.so", "__pycache__")
    shutil.copytree(PACKAGE, TARGET / "skyquilt", ignore=ignored)
    for level in LEVELS:
        compile_kernels(level, TARGET / "skyquilt" / "native" / f"kernels{level}.so", FLAGS)


def check_overrun(environment: dict[str, str]) -> None:
    """A write behind an array ends the process, so that the tests mean something.

    Raises
    ------
    SystemExit
        If it does not.
    """
    command = [sys.executable, "-c", _OVERRUN]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True)
    if "heap-buffer-overflow" not in take_reports():
        sys.exit(f"a write behind an array is not caught:\n{ended.stderr}")


def take_reports() -> str:
    """What the sanitizers found; their files are removed."""
    paths = sorted(TARGET.glob("found.*"))
    text = "".join(path.read_text() for path in paths)
    for path in paths:
        path.unlink()
    lines = text.splitlines(keepends=True)
    return "".join(line for line in lines if "Python/" not in line and "Objects/" not in line)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
