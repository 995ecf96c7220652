"""Compile the kernels of src/skyquilt/native; everything else is in pyproject.toml.

The libraries are plain C without Python's headers, so one build serves every version of Python.
Any of $CC, cc, gcc, clang will do; where none of them works, the Zig compiler from PyPI is
installed for the build.
"""

import os
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext
from setuptools.errors import CompileError

SOURCES = sorted(str(path) for path in Path("src/skyquilt/native").glob("*.c"))
HEADERS = sorted(str(path) for path in Path("src/skyquilt/native").glob("*.h"))

# No contraction: the levels give the same bits. The other two let loops with sqrt be vectorised;
# infinities and NaN stay what they are.
FLAGS = [
    *("-std=gnu11", "-O3", "-fPIC", "-shared", "-fvisibility=default"),
    *("-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math", "-Wno-psabi"),
]
# By level of x86-64. Compilers would halve the vectors of level 4, for code that uses few.
LEVEL_FLAGS = {
    1: [],
    3: ["-march=x86-64-v3"],
    4: ["-march=x86-64-v4", "-mprefer-vector-width=512"],
}
ZIG = [sys.executable, "-m", "ziglang", "cc"]
ZIG_LEVEL_FLAGS = {
    1: ["-mcpu=baseline"],
    3: ["-mcpu=x86_64_v3"],
    4: ["-mcpu=x86_64_v4", "-mprefer-vector-width=512"],
}
IS_X86 = platform.machine().lower() in ("x86_64", "amd64")


def find_compiler() -> list[str] | None:
    """Command of the first C compiler that makes a library; $CC alone, where it is set."""
    if os.environ.get("CC"):
        return shlex.split(os.environ["CC"])
    for command in ([name] for name in ("cc", "gcc", "clang") if shutil.which(name)):
        if works(command):
            return command
    return ZIG if works(ZIG) else None


def works(command: list[str]) -> bool:
    """Whether a compiler has what it needs, as the C library's headers."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "trial.c")
        source.write_text("#include <math.h>\ndouble root(double x) { return sqrt(x); }\n")
        output = ["-o", f"{folder}/trial.so", "-lm"]
        trial = [*command, "-shared", "-fPIC", str(source), *output]
        return subprocess.run(trial, capture_output=True, check=False).returncode == 0


class BuildKernels(build_ext):
    """One library per level, named without Python's version."""

    def get_ext_filename(self, fullname: str) -> str:
        """Path of a library below the build folder."""
        return f"{fullname.replace('.', '/')}.so"

    def build_extension(self, ext: Extension) -> None:
        """Compile one library."""
        compiler = find_compiler()
        if compiler is None:
            raise CompileError(
                "no C compiler works: install gcc or clang, or name one in CC, then install again."
            )
        level_flags = (ZIG_LEVEL_FLAGS if compiler == ZIG else LEVEL_FLAGS)[ext.level]
        target = Path(self.get_ext_fullpath(ext.name))
        target.parent.mkdir(parents=True, exist_ok=True)
        command = [*compiler, *FLAGS, *level_flags, *ext.sources, "-o", str(target), "-lm"]
        print(shlex.join(command), flush=True)
        if subprocess.run(command, check=False).returncode:
            raise CompileError(f"{shlex.join(compiler)}: the kernels do not compile; see above.")


class AnyPythonWheel(bdist_wheel):
    """A wheel for one platform and every Python 3."""

    def get_tag(self) -> tuple[str, str, str]:
        """Tag of the wheel."""
        return "py3", "none", super().get_tag()[2]


def kernels(level: int) -> Extension:
    """One library as setuptools wants it described."""
    extension = Extension(f"skyquilt.native.kernels{level}", SOURCES, depends=HEADERS)
    extension.level = level
    return extension


setup(
    ext_modules=[kernels(level) for level in (LEVEL_FLAGS if IS_X86 else (1,))],
    cmdclass={"build_ext": BuildKernels, "bdist_wheel": AnyPythonWheel},
    # asked for by pip before it builds; a compiler of 80 MB only where there is none
    setup_requires=[] if find_compiler() else ["ziglang"],
)
