"""pyproject.toml, the conda environment and the pinned versions agree."""

import re
import shutil
import subprocess
import sys
import tarfile
import tomllib

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import skyquilt

# Packages of the run environment that conda-forge has under another name.
PYPI_NAME = {"matplotlib-base": "matplotlib"}
EXTRAS = ("histograms", "workflow", "slurm", "mpi")


@pytest.fixture
def project(request):
    with (request.config.rootpath / "pyproject.toml").open("rb") as file:
        return tomllib.load(file)["project"]


@pytest.fixture
def pins(request):
    """Pinned requirements that apply to this Python, by name."""
    lines = [line for text in lock_texts(request) for line in text.splitlines()]
    requirements = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {
        canonicalize_name(requirement.name): requirement
        for requirement in requirements
        if requirement.marker is None or requirement.marker.evaluate()
    }


def lock_texts(request):
    """Contents of the files that `make lock` writes."""
    folder = request.config.rootpath / "requirements"
    return [(folder / name).read_text() for name in ("lock.txt", "slurm.txt")]


def conda_packages(path):
    """Requirements of a conda environment, those from pip too, by PyPI name."""
    entries = yaml.safe_load(path.read_text())["dependencies"]
    lines = [entry for entry in entries if isinstance(entry, str)]
    lines += [line for entry in entries if isinstance(entry, dict) for line in entry["pip"]]
    return by_name(lines)


def by_name(lines):
    """Version limits by name."""
    requirements = [Requirement(line) for line in lines]
    return {
        PYPI_NAME.get(requirement.name, requirement.name): str(requirement.specifier)
        for requirement in requirements
    }


def test_conda_environment_has_packages_and_bounds_of_pyproject(project, request):
    wanted = list(project["dependencies"])
    wanted += [line for extra in EXTRAS for line in project["optional-dependencies"][extra]]
    expected = by_name(wanted) | {"python": project["requires-python"], "pip": ""}
    assert conda_packages(request.config.rootpath / "envs/skyquilt.yaml") == expected


def test_lock_pins_everything_that_pyproject_names_within_its_bounds(project, pins):
    extras = project["optional-dependencies"].values()
    for line in (*project["dependencies"], *(line for extra in extras for line in extra)):
        requirement = Requirement(line)
        (pin,) = pins[canonicalize_name(requirement.name)].specifier
        assert pin.operator == "=="
        assert requirement.specifier.contains(pin.version), line


def test_lock_holds_names_and_versions_only(request):
    for line in [line for text in lock_texts(request) for line in text.splitlines()[1:]]:
        assert re.fullmatch(r"[a-z0-9-]+==[\w.]+( ; .+)?", line), line


def test_snakemake_of_a_laptop_does_not_wait_for_pandas(request):
    first, second = lock_texts(request)
    assert "pandas" not in first  # a third of a second in every start of Snakemake
    assert "pandas" in second  # so that the line above looks for what is there


def test_recipe_for_conda_has_packages_and_bounds_of_pyproject(project, request):
    recipe = yaml.safe_load((request.config.rootpath / "envs/conda-recipe/recipe.yaml").read_text())
    expected = by_name(project["dependencies"]) | {"python": project["requires-python"]}
    assert by_name(recipe["requirements"]["run"]) == expected


def test_version_is_one_everywhere(request):
    root = request.config.rootpath
    cited = yaml.safe_load((root / "CITATION.cff").read_text())
    recipe = yaml.safe_load((root / "envs/conda-recipe/recipe.yaml").read_text())
    newest = re.search(r"^## (\S+)", (root / "CHANGELOG.md").read_text(), re.MULTILINE)
    found = {cited["version"], recipe["context"]["version"], newest[1]}
    assert found == {skyquilt.__version__}


def test_classifiers_name_the_versions_of_python_that_are_supported(project):
    names = [line.rpartition(" ")[2] for line in project["classifiers"] if ":: 3." in line]
    assert names == ["3.11", "3.12", "3.13", "3.14"]
    assert project["requires-python"] == f">={names[0]}"


@pytest.mark.slow
def test_source_archive_is_complete_and_installs(request, tmp_path):
    root = request.config.rootpath
    tracked = subprocess.check_output(["git", "ls-files"], cwd=root, text=True).splitlines()
    for name in tracked:
        (tmp_path / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(root / name, tmp_path / "tree" / name)
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    python = tmp_path / "venv/bin/python"
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "setuptools>=77"], check=True)
    build = "import setuptools.build_meta as b, sys; b.build_sdist(sys.argv[1])"
    subprocess.run([python, "-c", build, tmp_path / "dist"], cwd=tmp_path / "tree", check=True)
    (archive,) = (tmp_path / "dist").glob("*.tar.gz")
    with tarfile.open(archive) as packed:
        names = {name.partition("/")[2] for name in packed.getnames()}
    assert set(tracked) - names <= {".dockerignore", ".gitignore"}

    target = tmp_path / "installed"
    subprocess.run([*pip, "--no-deps", "--target", target, archive], check=True)

    package = target / "skyquilt"
    for name in ("workflow_files/Snakefile", "native/kernels1.so", "fetch/files.yaml", "py.typed"):
        assert (package / name).is_file()
    assert (package / "__init__.pyi").is_file()
