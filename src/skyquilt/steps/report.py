"""Steps `report` and `index`: pages of one analysis and of all."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from os.path import relpath
from pathlib import Path
from typing import Any

import numpy as np

from skyquilt.calibration.file import read_summary as read_calibration_summary
from skyquilt.config import Config, get_analysis
from skyquilt.config.analysis import Analysis
from skyquilt.errors import ProductError
from skyquilt.io.inspect import inspect_file
from skyquilt.io.json_file import read_json
from skyquilt.io.listing import read_listing
from skyquilt.io.provenance import Provenance
from skyquilt.io.schema import Schema
from skyquilt.io.seal import seal_text, write_sealed
from skyquilt.localisation.file import MULTIORDER, SKYMAP
from skyquilt.maps.file import read_skymap
from skyquilt.maps.multiorder_file import read_multiorder
from skyquilt.maps.summary_file import read_summary
from skyquilt.model.file import read_fit
from skyquilt.populations.summary import SCHEMA as FRACTIONS
from skyquilt.products import INDEX, fit_files, sample_files
from skyquilt.report import populations
from skyquilt.report.analysis import analysis_page
from skyquilt.report.content import Products
from skyquilt.report.model import ModelProducts
from skyquilt.report.model_page import model_headline, model_page
from skyquilt.report.overview import Entry, overview_page
from skyquilt.report.sky import COLUMNS, sky_of_page
from skyquilt.runs.answers import answer_from
from skyquilt.sources.file import read_sources
from skyquilt.steps.model.collect import SCHEMA as COMPARISON

logger = logging.getLogger(__name__)

# 1.0  first version
_PAGE = Schema("skyquilt/page", "1.0", "skyquilt report")

_POPULATIONS = "populations/populations.json"


def report_analysis(config: Config, name: str, folder: str | Path, output: str | Path) -> None:
    """Write the page of an analysis from the products in its folder."""
    analysis, folder = get_analysis(config, name), Path(folder)
    if not analysis.has_map:
        _report_without_map(config, name, folder, output)
        return
    calibration = _calibration(analysis, folder)
    summary, plots = read_summary(folder / "summary.json"), _pictures(folder / "plots")
    skies = _pictures(folder / "calibration-plots") if calibration else []
    read: dict[str, Any] = {
        "maps": folder / "maps.fits",
        "localisation": (folder / "summary.json", folder / MULTIORDER),
        "plots": tuple(plots),
    }
    if analysis.sources is not None:
        read["sources"] = folder / "sources.fits"
    if calibration:
        read["calibration"] = (folder / "calibration.json", *skies)
    model = _model(analysis, folder)
    if model is not None:
        read |= _files_of_model(model, folder)
    fractions = _fractions(analysis, folder)
    if fractions is not None:
        read["population_fits"] = folder / _POPULATIONS
    answers = answer_from(config, name, "page", **read)
    sources = _sources(folder / "sources.fits") if analysis.sources is not None else None
    products = Products(
        name=name,
        summary=summary,
        settings=analysis.model_dump(mode="json", exclude_none=True),
        plots=plots,
        files=frozenset(path.name for path in folder.iterdir()),
        calibration=calibration,
        calibration_plots=skies,
        sources=sources,
        n_iter=_steps(folder / "maps.fits"),
        sky=_sky(analysis, folder, summary, sources or []),
        model=model,
        populations=fractions,
    )
    index = relpath(Path(config.results) / INDEX, Path(output).parent)
    tables = [folder / "summary.json", folder / "maps.fits", folder / MULTIORDER]
    if products.sources is not None:
        tables.append(folder / "sources.fits")
    if calibration is not None:
        tables.append(folder / "calibration.json")
    if model is not None:
        tables += [*read["model_fits"], read["model_comparison"], *model.plots]
    if fractions is not None:
        tables.append(folder / _POPULATIONS)
    files = (*tables, *products.plots, *products.calibration_plots)
    seal = _seal("report", products.settings, files, answers)
    write_sealed(output, analysis_page(products, index, seal))


def _report_without_map(config: Config, name: str, folder: Path, output: str | Path) -> None:
    """Write the page of an analysis with a model or populations and no map."""
    analysis = get_analysis(config, name)
    model, fractions = _model(analysis, folder), _fractions(analysis, folder)
    read: dict[str, Any] = {}
    made: tuple[Path, ...] = ()
    plots: Sequence[Path] = ()
    if model is not None:
        read, plots = _files_of_model(model, folder), model.plots
        made = (folder / "model/problem.h5", *read["model_fits"], read["model_comparison"])
    if fractions is not None:
        read["population_fits"] = folder / _POPULATIONS
        made = (*made, folder / "populations/problem.h5", folder / _POPULATIONS)
    answers = answer_from(config, name, "page", **read)
    records = {path.relative_to(folder).as_posix(): inspect_file(path).record for path in made}
    settings = analysis.model_dump(mode="json", exclude_none=True)
    index = relpath(Path(config.results) / INDEX, Path(output).parent)
    seal = _seal("report", settings, (*made, *plots), answers)
    page = model_page(name, model, settings, records, index, seal, fractions=fractions)
    write_sealed(output, page)


def _files_of_model(model: ModelProducts, folder: Path) -> dict[str, Any]:
    """Products of a model that a page is made from, by their names."""
    return {
        "model_fits": tuple(folder / "model" / f"{fit}.h5" for fit in model.fits),
        "model_comparison": folder / "model/comparison.json",
        "model_plots": tuple(model.plots),
    }


def report_all(config: Config, pages: Sequence[str | Path], output: str | Path) -> None:
    """Write the page that lists all analyses in a folder of results.

    Those of other configurations, and those without a page, are listed, too, and marked.

    Parameters
    ----------
    pages : sequence of str or Path
        Pages of the analyses, each beside the products of its analysis.
    """
    entries = []
    for page in map(Path, pages):
        name = page.parent.name
        if name in config.analyses and not config.analyses[name].has_map:
            answer_from(config, name, "page", page=page)
            entries.append(_entry_without_map(page, Path(output).parent))
            continue
        summary = read_summary(page.parent / "summary.json")
        files = {"localisation": page.parent / "summary.json", "page": page}
        answer_from(config, summary["analysis"], "page", **files)
        calibration = _calibration(get_analysis(config, summary["analysis"]), page.parent)
        entries.append(_entry(page.parent, Path(output).parent, summary, calibration))
    own = {Path(page).parent.resolve() for page in pages}
    entries += _other_entries(Path(output).parent, own)
    answers = {"product": "index", "analyses": list(config.analyses)}
    write_sealed(output, overview_page(entries, _seal("index", {}, tuple(pages), answers)))


def _entry(
    folder: Path,
    results: Path,
    summary: Mapping[str, Any],
    calibration: Mapping[str, Any] | None,
    note: str = "",
) -> Entry:
    page, picture = folder / "report.html", folder / "plots" / "ts.png"
    shown = relpath(picture, results) if picture.is_file() else ""
    target = page if page.is_file() else folder / "summary.json"
    return Entry(relpath(target, results), summary, calibration, shown, note)


def _entry_without_map(page: Path, results: Path) -> Entry:
    """Entry of an analysis without a map."""
    fractions = page.parent / _POPULATIONS
    if (comparison := page.parent / "model/comparison.json").is_file() or not fractions.is_file():
        content = read_json(comparison, COMPARISON)
        note = model_headline(content)
    else:
        content = read_json(fractions, FRACTIONS)
        note = populations.headline(content)
    return Entry(relpath(page, results), None, None, note=note, name=content["analysis"])


def _other_entries(results: Path, own: set[Path]) -> Iterator[Entry]:
    """Analyses in a folder of results that have no page in this run."""
    for path in sorted(results.glob("*/summary.json")):
        if path.parent.resolve() in own:
            continue
        has_page = (path.parent / "report.html").is_file()
        note = "of another run" if has_page else "of another run, without a page"
        try:
            yield _entry(path.parent, results, read_summary(path), None, note)
        except ProductError as error:
            logger.warning("%s; the index leaves it out", error)
    for page in sorted(results.glob("*/report.html")):
        is_of_model = not (page.parent / "summary.json").is_file()
        if page.parent.resolve() in own or not is_of_model:
            continue
        try:
            yield _entry_without_map(page, results)._replace(note="of another run")
        except ProductError as error:
            logger.warning("%s; the index leaves it out", error)


def _seal(
    stage: str,
    settings: Mapping[str, Any],
    files: Sequence[str | Path],
    answers: dict[str, Any],
) -> str:
    inputs = tuple(map(str, files))
    record = Provenance(stage, dict(settings), inputs, answers=answers).record()
    return seal_text(_PAGE, record)


def _calibration(analysis: Analysis, folder: Path) -> dict[str, Any] | None:
    """Numbers of the simulated skies, None where the analysis does not ask for them."""
    if analysis.calibrate is None:
        return None
    return read_calibration_summary(folder / "calibration.json")


def _model(analysis: Analysis, folder: Path) -> ModelProducts | None:
    """What the fits of a model found, None where the analysis has none."""
    if analysis.model is None:
        return None
    fits, files = {}, []
    for fit in analysis.model.all_orders():
        fits[fit], _ = read_fit(folder / "model" / f"{fit}.h5")
        beside = *fit_files(folder / "model", fit)[1:], *sample_files(folder / "model", fit)
        files += [path.relative_to(folder).as_posix() for path in beside if path.is_file()]
    comparison = read_json(folder / "model/comparison.json", COMPARISON)
    return ModelProducts(fits, comparison, _pictures(folder / "model/plots"), files)


def _fractions(analysis: Analysis, folder: Path) -> dict[str, Any] | None:
    """Numbers of populations, None where the analysis has none."""
    if analysis.populations is None:
        return None
    return read_json(folder / _POPULATIONS, FRACTIONS)


def _pictures(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise ProductError(f"{folder}: no such folder; run the workflow again to make it.")
    listed = [path for path in read_listing(folder) if path.suffix == ".png" and path.is_file()]
    return sorted(listed or folder.glob("*.png"))


def _sources(path: Path) -> list[dict[str, Any]]:
    """Rows of the list of sources."""
    columns, _ = read_sources(path)
    rows = zip(*(values.tolist() for values in columns.values()), strict=True)
    return [dict(zip(columns, row, strict=True)) for row in rows]


def _sky(
    analysis: Analysis,
    folder: Path,
    summary: Mapping[str, Any],
    sources: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """What the map of a page shows under the pointer."""
    return sky_of_page(
        read_skymap(folder / "maps.fits", COLUMNS)[0],
        read_multiorder(folder / MULTIORDER, SKYMAP)[0],
        summary,
        sources,
        analysis.fit.confidence_level,
        analysis.plots.colormap,
    )


def _steps(maps: Path) -> dict[str, float]:
    """Steps of the fits that were made."""
    n_iter = read_skymap(maps, ["n_iter"])[0].columns["n_iter"]
    made = n_iter[n_iter > 0]
    return {"median": float(np.median(made)), "max": float(made.max())} if made.size else {}
