"""What merging a large map takes: its peak memory against the numbers of the map."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from dc2 import burst_problem
from measuring import SKYQUILT, Figure, below, run_process
from time_ranks import write_files

from skyquilt.fit.chunk import ChunkResult
from skyquilt.fit.file import read_plan, write_chunk
from skyquilt.io.provenance import Provenance
from skyquilt.likelihood.poisson import FluxFit
from skyquilt.sky.chunks import chunk_name

N_COLUMNS = 13  # of a map with all columns, 8 bytes each


def peakmem_merge() -> Iterator[Figure]:
    """Peak memory of `skyquilt merge` beyond that of a small map, as a multiple of the map's."""
    small = _peak_mb(16, 12)
    for nside, n_chunks in ((256, 768), (512, 48)):
        extra = _peak_mb(nside, n_chunks) - small
        map_mb = 12 * nside**2 * N_COLUMNS * 8 / 1e6
        what = f"merge of nside {nside} in {n_chunks} chunks"
        yield Figure(
            f"{what}: memory beyond a small one's; the map", f"{extra:.0f}; {map_mb:.0f} MB"
        )
        yield below(f"{what}: times the map", extra / map_mb, 4, "{:.2f}")


def _peak_mb(nside: int, n_chunks: int) -> float:
    """Peak memory of merging chunks whose numbers are random [MB]."""
    with tempfile.TemporaryDirectory() as name:
        folder, rng = Path(name), np.random.default_rng(1)
        files = write_files(folder, burst_problem(), nside, n_chunks)
        plan = read_plan(files.plan)
        paths = [folder / chunk_name(index, n_chunks) for index in plan.chunks]
        for index, path in zip(plan.chunks, paths, strict=True):
            ipix = plan.chunk_ipix(index)
            fit = FluxFit(*(rng.random(ipix.size) for _ in FluxFit._fields))
            fit = fit._replace(
                n_iter=np.ones(ipix.size, np.int32),
                status=np.zeros(ipix.size, np.uint8),
                template=np.zeros(ipix.size, np.uint8),
            )
            write_chunk(path, plan, index, ChunkResult(ipix, fit), Provenance("fit"))
        where = ["--problem", files.problem, "--plan", files.plan, "--output", folder / "maps.fits"]
        return run_process([SKYQUILT, "merge", "--quiet", *where, *paths]).peak_mb
