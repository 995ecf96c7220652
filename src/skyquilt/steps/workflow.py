"""The command that runs the workflow, and configurations to begin with."""

import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path

from skyquilt.config import load_config
from skyquilt.errors import ConfigError, OutputError, RunError
from skyquilt.runs.installed import find_profile, read_template, workflow_folder


def workflow_command(config: str, profile: str, more: Sequence[str] = ()) -> list[str]:
    """Command line of Snakemake for a configuration that was checked.

    Parameters
    ----------
    config : str
        Path of the configuration.
    profile : str
        Name of one of skyquilt's profiles, or a folder.
    more : sequence of str
        Further arguments of Snakemake.

    Returns
    -------
    list of str
        The command, its program first.

    Raises
    ------
    ConfigError
        If configuration or profile are not usable.
    RunError
        If Snakemake is not installed.
    """
    load_config(config)
    folder = find_profile(profile)
    if importlib.util.find_spec("snakemake") is None:
        raise RunError(
            "Snakemake is not installed: `pip install skyquilt[workflow]`, or take "
            "`skyquilt run`, which needs none."
        )
    # --configfile takes all names that follow, so a target must not
    where = ["--configfile", config, "--snakefile", str(workflow_folder() / "Snakefile")]
    return [sys.executable, "-m", "snakemake", *where, "--profile", str(folder), *more]


def write_configuration(kind: str, output: str) -> None:
    """Write a commented configuration to begin with.

    Parameters
    ----------
    kind : str
        One of `skyquilt.runs.installed.template_names`.
    output : str
        File to write; one that is there is never replaced.

    Raises
    ------
    ConfigError
        If the kind is not known, or the file is there.
    OutputError
        If it cannot be written.
    """
    text = read_template(kind).replace("{name}", Path(output).name)
    try:
        with open(output, "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise ConfigError(f"{output} is there already: choose another --output.") from error
    except OSError as error:
        raise OutputError(f"{output} cannot be written: {error.strerror}.") from error
