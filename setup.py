"""Compile the kernels of src/skyquilt/native; everything else is in pyproject.toml.

They are plain C without Python's headers, so one wheel serves every version of Python.
"""

import shutil
import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py
from setuptools.errors import CompileError

NATIVE = Path("src/skyquilt/native")
WORKFLOW = ("workflow", "envs", "profiles", "config")
sys.path.insert(0, str(NATIVE))  # not by way of the package, which loads the kernels

from build import LEVELS, BuildError, compile_kernels, find_compiler  # noqa: E402


class BuildKernels(build_ext):
    """One library per level of vector instructions, named without Python's version."""

    def get_ext_filename(self, fullname: str) -> str:
        """Path of a library below the build folder."""
        return f"{fullname.replace('.', '/')}.so"

    def build_extension(self, ext: Extension) -> None:
        """Compile one library."""
        target = Path(self.get_ext_fullpath(ext.name))
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            compile_kernels(int(ext.name[-1]), target)
        except BuildError as error:
            raise CompileError(str(error)) from error


class CopyWorkflow(build_py):
    """The workflow, which stands at the top of the repository, becomes part of the package."""

    def run(self) -> None:
        """Copy Snakefile, rules, environment, profiles and configurations."""
        super().run()
        if self.editable_mode:
            return  # the clone has them
        folder = Path(self.build_lib) / "skyquilt/workflow_files"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        shutil.copy2("Snakefile", folder)
        for name in WORKFLOW:
            shutil.copytree(
                name, folder / name, ignore=shutil.ignore_patterns("test", "__pycache__")
            )


class AnyPythonWheel(bdist_wheel):
    """A wheel for one platform and every Python 3."""

    def get_tag(self) -> tuple[str, str, str]:
        """Tag of the wheel."""
        return "py3", "none", super().get_tag()[2]


sources = sorted(str(path) for path in NATIVE.glob("*.c"))
headers = sorted(str(path) for path in NATIVE.glob("*.h"))
setup(
    ext_modules=[
        Extension(f"skyquilt.native.kernels{level}", sources, depends=headers) for level in LEVELS
    ],
    cmdclass={"build_py": CopyWorkflow, "build_ext": BuildKernels, "bdist_wheel": AnyPythonWheel},
    # pip installs this before it builds: a compiler of 100 MB, only where there is none
    setup_requires=[] if find_compiler() else ["ziglang"],
)
