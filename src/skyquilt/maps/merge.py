"""From chunks to full maps: verify every chunk, then place its pixels."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from skyquilt.errors import ProductError
from skyquilt.fit.file import ChunkFile, read_chunk
from skyquilt.fit.plan import Plan
from skyquilt.maps.file import COLUMNS
from skyquilt.maps.skymap import SkyMap
from skyquilt.sky.chunks import chunk_name
from skyquilt.sky.regions import ipix_from_ranges

_NAMED = 5  # chunks named in a message


class Merged(NamedTuple):
    """Maps of the whole region, and what fitting the chunks took.

    Attributes
    ----------
    skymap : SkyMap
        The maps.
    stage : dict
        Wall and CPU time of the fit, summed over chunks, and the largest memory.
    """

    skymap: SkyMap
    stage: dict[str, Any]


def merge_chunks(
    paths: Iterable[str | Path], plan: Plan, photon_flux: float | np.ndarray
) -> Merged:
    """Merge chunk files into maps.

    Parameters
    ----------
    paths : iterable of str or Path
        Files of all chunks of the plan, in any order; one is held at a time.
    plan : Plan
        Target pixels and chunks.
    photon_flux : float or ndarray
        Integral of the reference spectrum over the selected energies [ph cm-2 s-1]; one value for
        each of several spectra.

    Returns
    -------
    Merged
        Maps with the columns ts, sqrt_ts, flux, flux_err, flux_err_lo, flux_err_hi, flux_ul,
        photon_flux, npred, background_norm, n_iter, status, template, as far as the plan asks
        for them.

    Raises
    ------
    ProductError
        If a chunk is missing, given twice, damaged, or answers another problem or plan.
    """
    ipix = ipix_from_ranges(plan.ranges)
    columns, stages, seen = {}, [], {}
    for path in paths:
        chunk = read_chunk(path)
        _check_answers(path, chunk, plan, seen)
        place = np.searchsorted(ipix, chunk.result.ipix)
        for name in plan.columns:
            values = getattr(chunk.result.fit, name)
            columns.setdefault(name, np.empty(ipix.size, values.dtype))[place] = values
        stages.append(chunk.record["stages"][-1])
    _check_complete(seen, plan)
    skymap = SkyMap(plan.nside, plan.frame, ipix, derive_columns(columns, photon_flux))
    return Merged(skymap, _sum(stages))


def _check_answers(path: str | Path, chunk: ChunkFile, plan: Plan, seen: dict) -> None:
    again = "remove it and run `skyquilt fit-chunk` for it again"
    if chunk.problem_identity != plan.problem_identity:
        raise ProductError(
            f"{path}: answers problem {chunk.problem_identity[:12]}, not "
            f"{plan.problem_identity[:12]}; {again}."
        )
    if chunk.plan_identity != plan.identity:
        raise ProductError(
            f"{path}: was made with another plan (other pixels, chunks or fit options); {again}."
        )
    if chunk.index in seen:
        raise ProductError(f"{path}: chunk {chunk.index} was given already as {seen[chunk.index]}.")
    if not np.array_equal(chunk.result.ipix, plan.chunk_ipix(chunk.index)):
        raise ProductError(f"{path}: holds other pixels than chunk {chunk.index}; {again}.")
    seen[chunk.index] = path


def _check_complete(seen: dict, plan: Plan) -> None:
    missing = [index for index in plan.chunks if index not in seen]
    if missing:
        names = ", ".join(chunk_name(index, plan.n_chunks) for index in missing[:_NAMED])
        raise ProductError(
            f"{len(missing)} of {len(plan.chunks)} chunks are missing: {names}"
            f"{', ...' if len(missing) > _NAMED else ''}; run `skyquilt fit-chunk` for these, then "
            "merge again."
        )


def derive_columns(
    columns: dict[str, np.ndarray], photon_flux: float | np.ndarray
) -> dict[str, np.ndarray]:
    """All columns of maps.fits in their order.

    Parameters
    ----------
    columns : dict of str to ndarray
        Columns of a `FluxFit`, all or those that were asked for.
    photon_flux : float or ndarray
        Integral of the reference spectrum over the selected energies [ph cm-2 s-1]; one value for
        each of several spectra.
    """
    flux = columns["flux"]
    derived = columns | {
        "sqrt_ts": np.sign(flux) * np.sqrt(columns["ts"]),
        "photon_flux": flux * np.take(photon_flux, columns.get("template", 0)),
    }
    if "template" in columns:
        derived["template"] = np.where(np.isnan(flux), np.nan, columns["template"])
    return {name: derived[name] for name in COLUMNS if name in derived}


def _sum(stages: list[dict[str, Any]]) -> dict[str, Any]:
    """Times of all chunks added up, and the largest memory."""
    return {
        "stage": "fit",
        "n_jobs": len(stages),
        "n_ranks": max(stage["n_ranks"] for stage in stages),
        "wall_s": round(sum(stage["wall_s"] for stage in stages), 3),
        "cpu_s": round(sum(stage["cpu_s"] for stage in stages), 3),
        "peak_memory_mb": max(stage["peak_memory_mb"] for stage in stages),
    }
