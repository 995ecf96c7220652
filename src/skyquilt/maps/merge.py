"""From chunks to full maps: every chunk is verified before its pixels are used."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from skyquilt.errors import ProductError
from skyquilt.fit.file import SCHEMA as CHUNK
from skyquilt.fit.file import ChunkFile, read_chunk
from skyquilt.fit.plan import Plan
from skyquilt.io.answers import check_problem
from skyquilt.maps.file import COLUMNS
from skyquilt.maps.skymap import SkyMap
from skyquilt.sky.chunks import chunk_name

_NAMED = 5  # chunks named in a message


class Merged(NamedTuple):
    """Maps of a chunk or of the whole region, and what fitting them took.

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
    """Merge chunk files into maps in memory; see `read_parts`.

    Raises
    ------
    ProductError
        If a chunk is missing, given twice, damaged, or answers another problem or plan.
    """
    parts = sorted(read_parts(paths, plan, photon_flux), key=lambda part: part.skymap.ipix[0])
    maps = [part.skymap for part in parts]
    columns = {
        name: np.concatenate([part.columns[name] for part in maps]) for name in maps[0].columns
    }
    ipix = np.concatenate([part.ipix for part in maps])
    skymap = SkyMap(plan.nside, plan.frame, ipix, columns)
    return Merged(skymap, sum_stages([part.stage for part in parts]))


def read_parts(
    paths: Iterable[str | Path], plan: Plan, photon_flux: float | np.ndarray
) -> Iterator[Merged]:
    """Maps of one chunk after the other, each compared with its checksums, problem and plan.

    Parameters
    ----------
    paths : iterable of str or Path
        Files of all chunks of the plan, in any order.
    plan : Plan
        Target pixels and chunks.
    photon_flux : float or ndarray
        Integral of the reference spectrum over the selected energies [ph cm-2 s-1]; one value for
        each of several spectra.

    Yields
    ------
    Merged
        Maps of a chunk with the columns ts, sqrt_ts, flux, flux_err, flux_err_lo, flux_err_hi,
        flux_ul, photon_flux, npred, background_norm, n_iter, status, template, as far as the plan
        asks for them.

    Raises
    ------
    ProductError
        If a chunk is given twice, damaged, or answers another problem or plan; after the last
        one, if any is missing.
    """
    seen: dict[int, str | Path] = {}
    for path in paths:
        yield _read_part(path, plan, photon_flux, seen)
    _check_complete(seen, plan)


def _read_part(
    path: str | Path, plan: Plan, photon_flux: float | np.ndarray, seen: dict[int, str | Path]
) -> Merged:
    chunk = read_chunk(path)
    _check_answers(path, chunk, plan, seen)
    fitted = {name: getattr(chunk.result.fit, name) for name in plan.columns}
    columns = derive_columns(fitted, photon_flux)
    skymap = SkyMap(plan.nside, plan.frame, chunk.result.ipix, columns)
    return Merged(skymap, chunk.record["stages"][-1])


def _check_answers(path: str | Path, chunk: ChunkFile, plan: Plan, seen: dict) -> None:
    again = "remove it and run `skyquilt fit-chunk` for it again"
    check_problem(path, chunk.problem_identity, plan.problem_identity, CHUNK.made_by)
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


def sum_stages(stages: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Times of all chunks added up, and the largest memory."""
    return {
        "stage": "fit",
        "n_jobs": len(stages),
        "n_ranks": max(stage["n_ranks"] for stage in stages),
        "wall_s": round(sum(stage["wall_s"] for stage in stages), 3),
        "cpu_s": round(sum(stage["cpu_s"] for stage in stages), 3),
        "peak_memory_mb": max(stage["peak_memory_mb"] for stage in stages),
    }
