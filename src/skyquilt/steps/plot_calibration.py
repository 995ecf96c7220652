"""Figures of simulated skies, of the numbers that `calibrate` wrote."""

from pathlib import Path
from typing import Any, cast

import numpy as np

from skyquilt.calibration.file import read_calibration, read_summary
from skyquilt.calibration.skies import InjectedSkies
from skyquilt.io.listing import write_listing
from skyquilt.io.provenance import Provenance
from skyquilt.plots.calibration import (
    Detection,
    Estimate,
    Maxima,
    Tail,
    plot_coverage,
    plot_detection,
    plot_maxima,
)
from skyquilt.plots.style import save_all
from skyquilt.runs.answers import answer_of_same


def plot_calibration(summary: str | Path, table: str | Path, output: str | Path) -> None:
    """Draw the figures of simulated skies, as PNG and PDF, and write their list."""
    provenance = Provenance(
        "plot-calibration",
        inputs=(str(summary), str(table)),
        answers=answer_of_same("calibration", summary),
    )
    content = read_summary(summary)
    skies, title = read_calibration(table), content["analysis"]
    null, injected = content["null"], content["injected"]
    detection_ts, regions = injected["detection_ts"], injected["all"]["regions"]
    tail = null["curve"] and Tail(*(np.array(null["curve"][key]) for key in Tail._fields))
    maxima = Maxima(skies["null"].ts_max, null["observed_ts_max"], tail)
    figures = {
        "maxima": plot_maxima(maxima, title),
        "detection": plot_detection(_detection(injected["by_flux"]), detection_ts, title),
    }
    if regions:
        sources = cast("InjectedSkies", skies["injected"])
        ts_drop = (sources.ts_max - sources.ts_truth)[sources.ts_max >= detection_ts]
        level = np.array([region["level"] for region in regions])
        coverage = _estimate(regions, "coverage")
        figures["coverage"] = plot_coverage(ts_drop, level, coverage, detection_ts, title)
    write_listing(output, save_all(figures.items(), output, provenance), provenance)


def _detection(by_flux: list[dict[str, Any]]) -> Detection:
    """Detection of sources as calibration.json has it."""
    offsets = [part["offset_deg"] or {} for part in by_flux]
    levels = dict.fromkeys(key for offset in offsets for key in offset)
    return Detection(
        flux=np.array([part["flux"] for part in by_flux]),
        efficiency=_estimate(by_flux, "efficiency"),
        pull_mean=_estimate(by_flux, "pull_mean"),
        pull_width=_estimate(by_flux, "pull_width"),
        offset_deg={
            float(key): np.array([offset.get(key, np.nan) for offset in offsets]) for key in levels
        },
    )


def _estimate(parts: list[dict[str, Any]], name: str) -> Estimate:
    """A number of each part and its error."""
    return Estimate(*(np.array([one[key] for one in parts]) for key in (name, f"{name}_err")))
