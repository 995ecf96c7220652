"""Input files that the configuration itself makes, and whether they are those it asks for.

A simulation leaves a note in its folder, a histogram of binned events says itself what it is made
from.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from skyquilt.config import Config
from skyquilt.config.simulation import simulation_files
from skyquilt.errors import InputError, ProductError
from skyquilt.io.answers import read_answers
from skyquilt.io.json_file import write_json
from skyquilt.io.provenance import Provenance
from skyquilt.io.schema import Schema
from skyquilt.runs.answers import Digests, data_files, difference
from skyquilt.runs.freshness import Stale

# 1.0  first version
SCHEMA = Schema("skyquilt/simulation-note", "1.0", "skyquilt simulate")
NOTE = ".simulation.json"
"""Note in the folder of a simulation: with which settings its files were made."""

_NAMED = 5  # files named in a message


def simulated_files(config: Config) -> set[Path]:
    """Files that the simulation of a configuration writes."""
    if config.simulation is None:
        return set()
    folder = Path(config.simulation.folder)
    return {folder / name for name in simulation_files(config.simulation).values()}


def made_files(config: Config) -> set[Path]:
    """Files that the configuration itself makes, by simulation or binning."""
    return {Path(binning.output) for binning in config.binning.values()} | simulated_files(config)


def check_inputs(config: Config, name: str | None = None) -> None:
    """Refuse a configuration that names files which are neither there nor made by itself.

    Parameters
    ----------
    config : Config
        The configuration.
    name : str, optional
        Analysis whose files are looked for; those of all, and of all binnings, by default.

    Raises
    ------
    InputError
        If there are any; the message names them and the analyses.
    """
    needed: dict[str, str] = {}
    for key in config.analyses if name is None else (name,):
        for path in data_files(config.analyses[key], "page"):
            needed.setdefault(path, f"analysis {key}")
    for key, binning in config.binning.items() if name is None else ():
        for path in binning.paths():
            needed.setdefault(path, f"binning {key}")
    if name is None and config.simulation is not None:
        for path in config.simulation.paths():
            needed.setdefault(path, "simulation")
    made = made_files(config)
    away = [path for path in needed if Path(path) not in made and not Path(path).is_file()]
    if away:
        named = ", ".join(f"{path}: no such file ({needed[path]})" for path in away[:_NAMED])
        more = f", and {len(away) - _NAMED} more" if len(away) > _NAMED else ""
        raise InputError(
            f"{named}{more}. Put back what the data are read from, or name other files in the "
            "configuration."
        )


def write_note(config: Config) -> None:
    """Say in the folder of a simulation how its files were made."""
    answers = _simulation_question(config)
    record = Provenance("simulate", answers["settings"], answers=answers).record()
    write_json(_note(config), SCHEMA, {"provenance": record})


def remove_note(config: Config) -> None:
    """Take the note away before files are written again."""
    _note(config).unlink(missing_ok=True)


def find_stale_inputs(config: Config, digests: Digests) -> list[Stale]:
    """Simulated and binned files that are there and not those that the configuration asks for.

    They are added to those of which `digests` knows nothing.
    """
    found = []
    for stale in _stale_inputs(config, digests):
        digests.forget(stale.paths)
        found.append(stale)
    return found


def stale_binnings(config: Config, digests: Digests) -> Iterator[tuple[str, str]]:
    """Names of the binnings whose histograms are there and stale, and why."""
    for name, binning in config.binning.items():
        if Path(binning.output).is_file():
            try:
                answers = read_answers(binning.output, ".h5")
            except ProductError as error:
                yield name, str(error)
                continue
            if reason := difference(answers, binning_question(binning, digests)):
                yield name, reason


def binning_question(binning, digest) -> dict[str, Any]:
    """What a binned histogram has to answer."""
    settings = {"binning": binning.model_dump(mode="json")}
    return input_question(settings, {path: digest(path) for path in binning.paths()})


def why_simulation_is_stale(config: Config) -> str:
    """Why the simulated files that are there are not those asked for, "" if they are or none is."""
    if not any(path.is_file() for path in simulated_files(config)):
        return ""
    if not _note(config).is_file():
        return "nothing says with which settings they were simulated"
    try:
        return difference(read_answers(_note(config)), _simulation_question(config))
    except ProductError as error:
        return str(error)


def _stale_inputs(config: Config, digests: Digests) -> Iterator[Stale]:
    if reason := why_simulation_is_stale(config):
        there = sorted(path for path in simulated_files(config) if path.is_file())
        notes = [path for path in (_note(config),) if path.is_file()]
        yield Stale("", "simulated files", (*there, *notes), reason)
    for name, reason in stale_binnings(config, digests):
        path = Path(config.binning[name].output)
        yield Stale("", f"binned events {name}", (path,), reason)


def _simulation_question(config: Config) -> dict[str, Any]:
    digest = Digests(config.cache)
    settings = config.model_dump(mode="json", include={"simulation"})
    paths = () if config.simulation is None else config.simulation.paths()
    return input_question(settings, {path: digest(path) for path in paths})


def input_question(settings: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    """What input data answer: no version of results, for they are given, not found."""
    return {"analysis": "", "results_version": None, "settings": settings, "data": data}


def _note(config: Config) -> Path:
    folder = "" if config.simulation is None else config.simulation.folder
    return Path(folder) / NOTE
