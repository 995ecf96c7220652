"""Resolved configurations beside results, so that these tell how they were made."""

from pathlib import Path
from typing import Any

import yaml

from skyquilt.config import Config
from skyquilt.io.products import write_text


def write_settings(path: str | Path, config: Config) -> None:
    """Write a configuration, defaults filled in, unless the file has just this content already."""
    text = yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False)
    path = Path(path)
    if not path.is_file() or path.read_bytes() != text.encode("utf-8"):
        write_text(path, text)


def write_analysis_settings(config: Config, name: str) -> None:
    """Write `config.yaml` of one analysis, with that analysis alone, beside its results."""
    alone: dict[str, Any] = {"simulation": None, "binning": {}, "showers": None}
    alone["analyses"] = {name: config.analyses[name]}
    path = Path(config.results) / name / "config.yaml"
    write_settings(path, config.model_copy(update=alone))


def without_skies(config: Config, name: str) -> Config:
    """The configuration without the simulated skies of an analysis."""
    analysis = config.analyses[name].model_copy(update={"calibrate": None})
    return config.model_copy(update={"analyses": config.analyses | {name: analysis}})


def without_missing_skies(config: Config, names: list[str]) -> Config:
    """The configuration without the skies of those analyses whose skies are not simulated."""
    for name in names:
        if not (Path(config.results) / name / "calibration.json").is_file():
            config = without_skies(config, name)
    return config
