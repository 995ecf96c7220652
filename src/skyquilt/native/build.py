"""Compile the kernels; used by setup.py, so it needs nothing but Python.

Any C compiler that knows GNU's vector types will do: $CC, cc, gcc or clang, and where none of
them works, the Zig compiler that PyPI has as `ziglang`.
"""

import os
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent

LEVELS = (1, 3, 4) if platform.machine().lower() in ("x86_64", "amd64") else (1,)
"""Levels of vector instructions that are compiled: those of x86-64, 1 being the plain machine."""

# No contraction: all levels give the same bits. The next two let loops with sqrt be vectorised;
# infinities and NaN stay what they are.
_FLAGS = (
    *("-std=gnu11", "-O3", "-fPIC", "-shared"),
    *("-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math", "-Wno-psabi"),
)
_WIDE = "-mprefer-vector-width=512"  # compilers would halve the vectors, for code that has few
_LEVEL_FLAGS = {1: (), 3: ("-march=x86-64-v3",), 4: ("-march=x86-64-v4", _WIDE)}
_ZIG = (sys.executable, "-m", "ziglang", "cc")
_ZIG_LEVEL_FLAGS = {1: ("-mcpu=baseline",), 3: ("-mcpu=x86_64_v3",), 4: ("-mcpu=x86_64_v4", _WIDE)}


class BuildError(Exception):
    """The kernels cannot be compiled."""


@cache
def find_compiler() -> tuple[str, ...] | None:
    """Command of the first C compiler that makes a library; $CC alone, where it is set."""
    if os.environ.get("CC"):
        return tuple(shlex.split(os.environ["CC"]))
    commands = [(name,) for name in ("cc", "gcc", "clang") if shutil.which(name)]
    return next((command for command in (*commands, _ZIG) if _works(command)), None)


def compile_kernels(level: int, target: Path, more: tuple[str, ...] = ()) -> None:
    """Compile the library for one level; `more` are further flags of the compiler.

    Raises
    ------
    BuildError
        If there is no compiler, or it fails.
    """
    compiler = find_compiler()
    if compiler is None:
        raise BuildError(
            "no C compiler works: install gcc or clang, or name one in CC, then install again."
        )
    level_flags = (_ZIG_LEVEL_FLAGS if compiler == _ZIG else _LEVEL_FLAGS)[level]
    sources = map(str, sorted(FOLDER.glob("*.c")))
    flags = (*_FLAGS, *level_flags, *more)
    result = _run(compiler, *flags, *sources, "-o", str(target), "-lm")
    if result.returncode:
        raise BuildError(f"the kernels do not compile: {result.args}\n{result.stderr}")


def _works(compiler: tuple[str, ...]) -> bool:
    """Whether a compiler has what it needs, as the headers of the C library."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "trial.c")
        source.write_text("#include <math.h>\ndouble root(double x) { return sqrt(x); }\n")
        result = _run(compiler, "-shared", "-fPIC", str(source), "-o", f"{folder}/trial.so", "-lm")
    return result.returncode == 0


def _run(compiler: tuple[str, ...], *arguments: str) -> subprocess.CompletedProcess:
    """Run a compiler; 127 where there is none, as the shell has it."""
    command = [*compiler, *arguments]
    # Zig keeps compiled parts of the C library: beside ours, and not in the home folder
    environment = {"ZIG_GLOBAL_CACHE_DIR": str(Path("build/zig").absolute()), **os.environ}
    try:
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    except OSError as error:
        return subprocess.CompletedProcess(command, 127, "", str(error))
