"""Steps `report` and `index`: pages of one analysis and of all."""

import json
from collections.abc import Sequence
from os.path import relpath
from pathlib import Path
from typing import Any

import numpy as np

from skyquilt.config import Config, get_analysis
from skyquilt.errors import ProductError
from skyquilt.io.products import write_text
from skyquilt.maps.file import read_skymap
from skyquilt.maps.sources.file import read_sources
from skyquilt.report.analysis import Products, analysis_page
from skyquilt.report.overview import Entry, overview_page


def report_analysis(config: Config, name: str, folder: str | Path, output: str | Path) -> None:
    """Write the page of an analysis from the products in its folder."""
    analysis, folder = get_analysis(config, name), Path(folder)
    calibration = _read_json(folder / "calibration.json") if analysis.calibrate else None
    products = Products(
        name=name,
        summary=_read_json(folder / "summary.json"),
        settings=analysis.model_dump(mode="json", exclude_none=True),
        plots=_pictures(folder / "plots"),
        files=frozenset(path.name for path in folder.iterdir()),
        calibration=calibration,
        calibration_plots=_pictures(folder / "calibration-plots") if calibration else (),
        sources=_sources(folder / "sources.fits") if analysis.sources is not None else None,
        n_iter=_steps(folder / "maps.fits"),
    )
    index = relpath(Path(config.results) / "index.html", Path(output).parent)
    write_text(output, analysis_page(products, index))


def report_all(config: Config, pages: Sequence[str | Path], output: str | Path) -> None:
    """Write the page that lists all analyses.

    Parameters
    ----------
    pages : sequence of str or Path
        Pages of the analyses, each beside the products of its analysis.
    """
    entries = []
    for page in map(Path, pages):
        summary = _read_json(page.parent / "summary.json")
        has_skies = get_analysis(config, summary["analysis"]).calibrate is not None
        calibration = _read_json(page.parent / "calibration.json") if has_skies else None
        entries.append(Entry(relpath(page, Path(output).parent), summary, calibration))
    write_text(output, overview_page(entries))


def _read_json(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ProductError(
            f"{path}: cannot be read ({error}); run the workflow again to make it."
        ) from error


def _pictures(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise ProductError(f"{folder}: no such folder; run the workflow again to make it.")
    return sorted(folder.glob("*.png"))


def _sources(path: Path) -> list[dict[str, Any]]:
    """Rows of the list of sources."""
    columns, _ = read_sources(path)
    rows = zip(*(values.tolist() for values in columns.values()), strict=True)
    return [dict(zip(columns, row, strict=True)) for row in rows]


def _steps(maps: Path) -> dict[str, float]:
    """Steps of the fits that were made."""
    n_iter = read_skymap(maps)[0].columns["n_iter"]
    made = n_iter[n_iter > 0]
    return {"median": float(np.median(made)), "max": float(made.max())} if made.size else {}
