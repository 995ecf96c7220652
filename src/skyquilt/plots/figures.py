"""All figures of an analysis."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from skyquilt.config.plots import PlotOptions
from skyquilt.io.provenance import Provenance
from skyquilt.maps.multiorder import MultiOrderMap
from skyquilt.maps.skymap import SkyMap
from skyquilt.maps.source_positions import SourcePositions
from skyquilt.plots.fit_maps import draw_fit_maps
from skyquilt.plots.marks import marks_from_summary
from skyquilt.plots.patch import find_patch, plot_ts_patch
from skyquilt.plots.region_map import plot_region
from skyquilt.plots.regions import credible_regions, outline_regions
from skyquilt.plots.skymap import plot_ts_map
from skyquilt.plots.spectrum import plot_counts_spectrum
from skyquilt.plots.style import plain, save_all
from skyquilt.plots.ts_histogram import plot_ts_histogram
from skyquilt.plots.zoom import plot_zoom
from skyquilt.problem.problem import CountsSpectrum

DRAWN = ("ts", "flux", "flux_err", "photon_flux", "flux_ul", "background_norm", "template")
"""Columns of a map that are drawn, as far as it has them."""

_TITLE = 40  # letters of a title that fit above the narrowest figure, less what it is of


def make_plots(
    skymap: SkyMap,
    cells: MultiOrderMap,
    summary: Mapping[str, Any],
    spectra: Mapping[str, CountsSpectrum],
    settings: PlotOptions,
    folder: str | Path,
    sources: SourcePositions | None = None,
    provenance: Provenance | None = None,
) -> list[Path]:
    """Draw and write all figures of an analysis, each as PNG and PDF.

    Parameters
    ----------
    skymap : SkyMap
        The fitted maps.
    cells : MultiOrderMap
        Content of skymap.multiorder.fits.
    summary : dict
        What `skyquilt.localisation.summary.summarise` gave for both.
    spectra : dict of str to CountsSpectrum
        Counts per measured energy, by the name of the data set; "" if there is only one.
    settings : PlotOptions
        Look of the figures.
    folder : str or Path
        Where to write; made if missing.
    sources : SourcePositions, optional
        Sources of sources.fits, to mark in the TS map and the zoom.
    provenance : Provenance, optional
        Where the figures come from, to be written into each.

    Returns
    -------
    list of Path
        The files: ts, flux, credible-{level in percent}, zoom, containment-{level in percent},
        ts-histogram, and counts-spectrum or counts-spectrum-{data set}, each .png and .pdf;
        sensitivity, limit, background-norm and template where the map has them.

    Raises
    ------
    OutputError
        If a file cannot be written.
    """
    figures = draw_figures(skymap, cells, summary, spectra, settings, sources)
    return save_all(figures, folder, provenance)


def plot_names(levels: tuple[float, ...], datasets: Iterable[str] = ("",)) -> list[str]:
    """Names of the figures that every analysis has, without ending.

    Examples
    --------
    >>> plot_names((0.9,))[3:]
    ['credible-90', 'zoom', 'containment-90', 'ts-histogram', 'counts-spectrum']
    """
    credible, containment = (
        [_region_name(kind, level) for level in levels] for kind in ("credible", "containment")
    )
    maps = ["ts", "flux", "sensitivity"]
    return [*maps, *credible, "zoom", *containment, "ts-histogram", *map(_spectrum_name, datasets)]


def draw_figures(
    skymap: SkyMap,
    cells: MultiOrderMap,
    summary: Mapping[str, Any],
    spectra: Mapping[str, CountsSpectrum],
    settings: PlotOptions,
    sources: SourcePositions | None = None,
) -> Iterator[tuple[str, Figure]]:
    """Name and figure, one after the other so that only one is held."""
    title, colormap = plain(summary["analysis"], _TITLE), settings.colormap
    side = float(np.sqrt(cells.pixel_area.min()))
    marks = marks_from_summary(summary, skymap.frame, side)
    regions = outline_regions(cells, summary, skymap.frame)
    patch = find_patch(skymap)
    if patch is None:
        yield "ts", plot_ts_map(skymap, marks, title, colormap, sources)
    else:
        yield "ts", plot_ts_patch(skymap, patch, marks, title, colormap, sources)
    yield from draw_fit_maps(skymap, summary, marks, title, colormap).items()
    credible = credible_regions(regions)
    others = [region for region in regions if region.kind != "credible"]
    for region in reversed(credible):
        figure = plot_region(skymap, region, marks, title, colormap)
        yield _region_name(region.kind, region.entry["level"]), figure
    yield "zoom", plot_zoom(skymap, cells, credible, marks, title, colormap, sources)
    for region in reversed(others):
        figure = plot_region(skymap, region, marks, title, colormap)
        yield _region_name(region.kind, region.entry["level"]), figure
    yield "ts-histogram", plot_ts_histogram(skymap, title)
    for dataset, spectrum in spectra.items():
        names = (title, dataset) if dataset else (title,)
        figure = plot_counts_spectrum(spectrum, plain(", ".join(names), _TITLE))
        yield _spectrum_name(dataset), figure


def _region_name(kind: str, level: float) -> str:
    return f"{kind}-{100 * level:g}"


def _spectrum_name(dataset: str) -> str:
    return "-".join(filter(None, ("counts-spectrum", dataset)))
