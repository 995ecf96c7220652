"""Where the workflow lies: in the clone, or in the installed package, which holds a copy of it."""

from pathlib import Path

import skyquilt
from skyquilt.errors import ConfigError, RunError

PACKAGED = "workflow_files"
"""Folder of the package into which its build copies Snakefile, rules, profiles, configurations."""


def workflow_folder() -> Path:
    """Folder of the Snakefile.

    Raises
    ------
    RunError
        If this installation has none.
    """
    package = Path(skyquilt.__file__).parent
    for folder in (package / PACKAGED, package.parents[1]):
        if (folder / "Snakefile").is_file():
            return folder
    raise RunError(
        f"{package}: no Snakefile in this installation; install again with `pip install "
        "skyquilt[workflow]`."
    )


def find_profile(name: str) -> Path:
    """Folder of a profile.

    Parameters
    ----------
    name : str
        "local", "slurm", "pilot", or the path of a folder with a config.yaml.

    Raises
    ------
    ConfigError
        If there is none.
    """
    own = workflow_folder() / "profiles"
    for folder in (own / name, Path(name)):
        if (folder / "config.yaml").is_file():
            return folder
    known = ", ".join(sorted(folder.name for folder in own.iterdir()))
    raise ConfigError(
        f"--profile {name}: neither one of {known} nor a folder with a config.yaml; copy one of "
        f"{own} to adapt it."
    )


def template_names() -> list[str]:
    """Kinds of configurations that `skyquilt init` writes."""
    return sorted([*(path.stem for path in _templates().glob("*.yaml")), "demo"])


def read_template(name: str) -> str:
    """Text of a commented configuration.

    Raises
    ------
    ConfigError
        If there is none of this name.
    """
    if name not in template_names():
        raise ConfigError(f"{name!r} is no kind of configuration: {', '.join(template_names())}")
    folder = workflow_folder() / "config" if name == "demo" else _templates()
    return (folder / f"{name}.yaml").read_text(encoding="utf-8")


def _templates() -> Path:
    return workflow_folder() / "config/templates"
