"""What the page of an analysis is made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from skyquilt.report.model import ModelProducts


@dataclass(frozen=True)
class Products:
    """What is known of an analysis.

    Attributes
    ----------
    name : str
        Name of the analysis.
    summary : dict
        Content of summary.json.
    settings : dict
        Configuration of the analysis.
    plots : list of Path
        PNG files of the figures.
    files : set of str
        Names of the products in the folder.
    sources : list of dict, or None
        Rows of the source list; None if none was asked for.
    calibration : dict or None
        Content of calibration.json.
    calibration_plots : list of Path
        PNG files of its figures.
    n_iter : dict of str to float
        Steps of the fits: "median" and "max".
    sky : dict or None
        What the map under the pointer shows, see `sky_of_page`.
    model : ModelProducts or None
        What its model found.
    populations : dict or None
        Content of populations.json.
    """

    name: str
    summary: Mapping[str, Any]
    settings: Mapping[str, Any]
    plots: Sequence[Path]
    files: frozenset[str]
    sources: Sequence[Mapping[str, Any]] | None = None
    calibration: Mapping[str, Any] | None = None
    calibration_plots: Sequence[Path] = ()
    n_iter: Mapping[str, float] = field(default_factory=dict)
    sky: Mapping[str, Any] | None = None
    model: ModelProducts | None = None
    populations: Mapping[str, Any] | None = None
