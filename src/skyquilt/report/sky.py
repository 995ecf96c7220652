"""The sky of a page as numbers: what its map shows under the pointer."""

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from skyquilt.maps.multiorder import MultiOrderMap
from skyquilt.maps.skymap import SkyMap
from skyquilt.report.numbers import FLUX_UNIT, percent
from skyquilt.sky.frames import lonlat_to_vec, rotate, rotation, vec_to_lonlat
from skyquilt.sky.healpix import nest_to_vec
from skyquilt.sky.outline import outline
from skyquilt.sky.pixels import nside_to_order

COLUMNS = ("ts", "flux", "flux_err", "flux_ul", "photon_flux")
"""Columns of a map that its page shows, as far as it has them."""

_MOST_PIXELS = 50_000  # of the map in a page: 0.3 MB for each layer
_N_COLOURS = 64
_FAINT_TS = 4.0
_WIDEST = 60.0  # half the height of a part of the sky [deg]


def sky_of_page(
    skymap: SkyMap,
    cells: MultiOrderMap,
    summary: Mapping[str, Any],
    sources: Sequence[Mapping[str, Any]],
    confidence_level: float,
    colormap: str,
) -> dict[str, Any]:
    """Everything that the script of a page draws.

    Parameters
    ----------
    skymap : SkyMap
        Map with the columns `COLUMNS`, as far as it has them. Of a map with many pixels the page
        has coarser ones, each with the values of its pixel of largest TS.
    cells : MultiOrderMap
        Content of skymap.multiorder.fits.
    summary : dict
        The summary made with both.
    sources : sequence of dict
        Rows of the list of sources.
    confidence_level : float
        Of the upper limits.
    colormap : str
        Name of a matplotlib colormap.

    Returns
    -------
    dict
        Plain values, arrays as base64 of their bytes, little-endian.
    """
    n_children, shown = _coarsen(skymap)
    return {
        "frame": shown.frame,
        "nside": shown.nside,
        "n_children": n_children,
        "ipix": _pack(shown.ipix, "<i4"),
        "view": _view(shown),
        "to_icrs": rotation(shown.frame, "icrs").tolist(),
        "to_galactic": rotation(shown.frame, "galactic").tolist(),
        "layers": list(_layers(shown, _top_of_scale(skymap.ts), confidence_level)),
        "fine": _fine(cells, shown),
        "lines": list(_lines(cells, summary, shown.frame)),
        "points": list(_points(summary, sources)),
        "colours": _colours(colormap),
    }


def _coarsen(skymap: SkyMap) -> tuple[int, SkyMap]:
    """Map with fewer pixels, and how many of the given one each stands for."""
    nside, ipix, index = skymap.nside, skymap.ipix, np.arange(skymap.ipix.size)
    ts = np.nan_to_num(skymap.ts, nan=-1.0)
    while ipix.size > _MOST_PIXELS:
        nside, parents = nside // 2, ipix // 4
        order = np.lexsort((-ts[index], parents))
        ipix, first = np.unique(parents[order], return_index=True)
        index = index[order[first]]
    if nside == skymap.nside:
        return 1, skymap
    columns = {name: values[index] for name, values in skymap.columns.items()}
    return (skymap.nside // nside) ** 2, SkyMap(nside, skymap.frame, ipix, columns)


def _view(skymap: SkyMap) -> list[float] | None:
    """Longitude and latitude of the middle of a part of the sky, and half its height [deg].

    None for what is better shown on the whole sky.
    """
    if skymap.ipix.size > 3 * skymap.nside**2:
        return None
    vec = nest_to_vec(skymap.nside, skymap.ipix)
    middle = vec.mean(axis=0)
    (lon,), (lat,) = vec_to_lonlat(middle[np.newaxis] / np.linalg.norm(middle))
    east = lonlat_to_vec(lon + 90, 0.0)
    north = lonlat_to_vec(lon, lat + 90)
    # the map is twice as wide as it is high
    half = max(np.abs(vec @ north).max(), np.abs(vec @ east).max() / 2)
    half = 1.08 * float(np.degrees(np.arcsin(min(half, 1.0))))
    return [float(lon), float(lat), half] if half < _WIDEST else None


def _top_of_scale(ts: np.ndarray) -> float:
    """Largest TS; in a sky of many sources less than that of the brightest, as in the figures."""
    most, top = float(np.nanpercentile(ts, 99.9, method="higher")), float(np.nanmax(ts))
    return most if 0 < 4 * most < top else top


def _layers(skymap: SkyMap, top_ts: float, confidence_level: float) -> Iterator[dict[str, Any]]:
    ts = skymap.ts
    yield _layer("TS", "", ts, top_ts, is_root=True)
    flux = skymap.columns["photon_flux"]
    meant = flux[ts >= _FAINT_TS]
    yield _layer("flux", FLUX_UNIT, flux, np.nanmax(meant if meant.size else flux))
    others = {
        "sensitivity": ("flux_err", 5.0, "flux of TS 25"),
        "limit": ("flux_ul", 1.0, f"{percent(confidence_level)} upper limit"),
    }
    for column, factor, label in others.values():
        if column in skymap.columns:
            values = skymap.as_photon_flux(column)
            if values is not None:
                top = np.nanpercentile(values, 99)
                yield _layer(label, FLUX_UNIT, factor * values, factor * top, is_root=True)


def _layer(
    label: str, unit: str, values: np.ndarray, top: float, is_root: bool = False
) -> dict[str, Any]:
    top = float(top) if np.isfinite(top) and top > 0 else 1.0
    packed = _pack(values, "<f4")
    return {"label": label, "unit": unit, "is_root": is_root, "top": top, "values": packed}


def _fine(cells: MultiOrderMap, skymap: SkyMap) -> dict[str, Any]:
    """Cells that are finer than the pixels of the map."""
    is_finer = cells.order > nside_to_order(skymap.nside)
    return {
        "to_cells": rotation(skymap.frame, cells.frame).tolist(),
        "order": cells.order[is_finer].tolist(),
        "ipix": cells.ipix[is_finer].tolist(),
        "ts": _pack(cells.ts[is_finer], "<f4"),
    }


def _lines(
    cells: MultiOrderMap, summary: Mapping[str, Any], frame: str
) -> Iterator[dict[str, Any]]:
    """Outlines of the credible regions, largest first, in the frame of the map."""
    turn = rotation(cells.frame, frame)
    for entry in sorted(summary["credible"], key=lambda entry: -entry["level"]):
        uniq = cells.uniq[cells.columns["probdensity"] >= entry["threshold"]]
        lon, lat = vec_to_lonlat(rotate(turn, outline(uniq).reshape(-1, 3)))
        edges = _pack(np.stack([lon, lat], axis=-1), "<f4")
        yield {"label": f"{percent(entry['level'])} credible region", "edges": edges}


def _points(
    summary: Mapping[str, Any], sources: Sequence[Mapping[str, Any]]
) -> Iterator[dict[str, Any]]:
    """Positions to mark, ICRS [deg]."""
    for kind, key in (("best position", "best"), ("true position", "true_position")):
        if position := summary[key]:
            icrs = position["icrs"]
            yield {"kind": kind, "label": kind, "ra": icrs["lon"], "dec": icrs["lat"]}
    for source in sources:
        label = " = ".join(filter(None, (str(source["name"]), str(source.get("assoc", "")))))
        yield {"kind": "source", "label": label, "ra": source["ra"], "dec": source["dec"]}


def _colours(colormap: str) -> list[int]:
    """Red, green and blue of the colours from low to high, 0 to 255."""
    from matplotlib import colormaps

    shades = colormaps[colormap](np.linspace(0, 1, _N_COLOURS))[:, :3]
    return np.rint(255 * shades).astype(int).ravel().tolist()


def _pack(values: np.ndarray, kind: str) -> str:
    return b64encode(np.ascontiguousarray(values, dtype=kind).tobytes()).decode("ascii")
