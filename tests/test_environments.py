"""pyproject.toml, the conda environment and the pinned versions agree."""

import re
import tomllib

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

# Packages of the run environment that conda-forge has under another name.
PYPI_NAME = {"matplotlib-base": "matplotlib"}
EXTRAS = ("workflow", "slurm", "mpi")


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
