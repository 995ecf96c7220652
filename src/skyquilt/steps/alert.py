"""What follows `run` for an alert: numbers for programs, figures, the page."""

import logging
from math import isfinite
from pathlib import Path
from typing import Any

from skyquilt.calibration.file import read_summary as read_calibration
from skyquilt.config import Config
from skyquilt.errors import ConfigError
from skyquilt.io.json_file import read_json
from skyquilt.localisation.ellipse import find_ellipse
from skyquilt.localisation.file import MULTIORDER, SKYMAP
from skyquilt.maps.multiorder_file import read_multiorder
from skyquilt.maps.summary_file import NAME, read_summary
from skyquilt.model.file import read_fit
from skyquilt.populations.summary import SCHEMA as FRACTIONS
from skyquilt.products import INDEX
from skyquilt.report.notice import make_notice
from skyquilt.steps.model.collect import read_comparison
from skyquilt.steps.model.plot import plot_model
from skyquilt.steps.plot import plot_analysis
from skyquilt.steps.report import report_all, report_analysis
from skyquilt.steps.settings import without_missing_skies, without_skies

logger = logging.getLogger(__name__)


def read_notice(config: Config, name: str) -> dict[str, Any]:
    """Result of an analysis that has run, for programs: of its map, its model, its populations."""
    analysis, folder = config.analyses[name], Path(config.results) / name
    notice: dict[str, Any] = {"analysis": name}
    if analysis.has_map:
        notice = _notice_of_map(config, name)
    if analysis.model is not None:
        notice["model"] = _notice_of_model(folder / "model")
    if analysis.populations is not None:
        path = folder / "populations" / "populations.json"
        notice["populations"] = {"models": read_json(path, FRACTIONS)["models"], "file": str(path)}
    return notice


def check_circular(config: Config, names: list[str]) -> None:
    """Refuse circulars of analyses that have no map: they are about a position.

    Raises
    ------
    ConfigError
        If there is one.
    """
    for name in names:
        if not config.analyses[name].has_map:
            raise ConfigError(
                f"--circular: {name} has no map, and a circular tells of a position: give it "
                "`map` and `spectrum`, or print its fits with --json."
            )


def _notice_of_model(folder: Path) -> dict[str, Any]:
    """Fits of a model: how they ended, their free numbers, and how they compare."""
    comparison = read_comparison(folder)
    fits = {}
    for fit, told in comparison["fits"].items():
        found, _ = read_fit(folder / f"{fit}.h5")
        free = [row for row in found.rows if row.kind == "free"]
        fits[fit] = {
            **told,
            "parameters": {
                row.name: {
                    "value": _finite(row.value),
                    "error": _finite(row.error),
                    "unit": row.unit,
                    "status": row.status,
                }
                for row in free
            },
            "file": str(folder / f"{fit}.h5"),
        }
    return {"fits": fits, "comparisons": comparison["comparisons"]}


def _finite(number: float) -> float | None:
    """The number, or null: JSON has no NaN."""
    return number if isfinite(number) else None


def _notice_of_map(config: Config, name: str) -> dict[str, Any]:
    """Position, regions and flux of the map; see `make_notice`."""
    folder = Path(config.results) / name
    summary = read_summary(folder / NAME)
    cells, _ = read_multiorder(folder / MULTIORDER, SKYMAP)
    ellipse = find_ellipse(cells) if summary["best"] is not None else None
    calibration = folder / "calibration.json"
    null: dict[str, Any] = {}
    if config.analyses[name].calibrate is not None and calibration.is_file():
        null = read_calibration(calibration)["null"]
    return make_notice(
        summary,
        folder,
        config.analyses[name].fit.confidence_level,
        None if ellipse is None else ellipse._asdict(),
        null.get("p_value"),
        null.get("p_value_from"),
    )


def draw_analysis(config: Config, name: str) -> None:
    """Draw the figures of an analysis that has run, and of its model."""
    folder = Path(config.results) / name
    if config.analyses[name].has_map:
        _draw_map(config, name, folder)
    if config.analyses[name].model is not None:
        plot_model(config, name, folder / "model")


def _draw_map(config: Config, name: str, folder: Path) -> None:
    sources = folder / "sources.fits" if config.analyses[name].sources is not None else None
    plot_analysis(
        config,
        name,
        folder / "problem.h5",
        folder / "maps.fits",
        folder / MULTIORDER,
        folder / NAME,
        folder / "plots",
        sources,
    )


def write_pages(config: Config, names: list[str]) -> list[Path]:
    """Write the pages of analyses whose figures are there, and the index of all pages.

    Simulated skies that an analysis asks for, and that are not there, are left out with a warning.

    Returns
    -------
    list of Path
        The pages, the index last.
    """
    for name in names:
        folder = Path(config.results) / name
        asked = config
        if config.analyses[name].calibrate and not (folder / "calibration.json").is_file():
            logger.warning(
                "analysis %s: the page is without simulated skies, which `run` does not make; "
                "`skyquilt workflow` does",
                name,
            )
            asked = without_skies(config, name)
        report_analysis(asked, name, folder, folder / "report.html")
    pages = [Path(config.results) / name / "report.html" for name in names]
    index = Path(config.results) / INDEX
    report_all(without_missing_skies(config, names), pages, index)
    return [*pages, index]
