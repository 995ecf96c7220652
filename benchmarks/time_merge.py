"""What merging takes, beside what the map itself takes: peak memory, and time per chunk."""

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from dc2 import burst_problem
from measuring import SKYQUILT, Cost, Figure, below, run_process
from time_ranks import write_files

from skyquilt.fit.chunk import ChunkResult
from skyquilt.fit.file import read_plan, write_chunk, write_plan
from skyquilt.io.provenance import Provenance
from skyquilt.likelihood.options import FluxOptions
from skyquilt.likelihood.poisson import FluxFit

ROW_BYTES = 85  # ten columns of 8 bytes, the steps and the status
SKIES = ((256, 3072), (512, 48), (1024, 192))


def peakmem_merge() -> Iterator[Figure]:
    """Peak memory and time of `skyquilt merge`, memory beyond that of a small map."""
    small = _merge(16, 12)
    for nside, n_chunks in SKIES:
        cost = _merge(nside, n_chunks)
        extra, map_mb = cost.peak_mb - small.peak_mb, 12 * nside**2 * ROW_BYTES / 1e6
        what = f"merge of nside {nside} in {n_chunks} chunks"
        yield Figure(f"{what}: CPU", f"{cost.cpu:.1f} s")
        yield Figure(f"{what}: peak memory; the map", f"{cost.peak_mb:.0f}; {map_mb:.0f} MB")
        yield below(f"{what}: memory beyond a small one's", extra, 60, "{:.0f} MB")


def _merge(nside: int, n_chunks: int) -> Cost:
    """Cost of merging chunks whose numbers are random, with errors, limits and free background."""
    with tempfile.TemporaryDirectory() as name:
        folder, rng = Path(name), np.random.default_rng(1)
        files = write_files(folder, burst_problem(), nside, n_chunks)
        options = FluxOptions(confidence_level=0.9, free_background=True)
        plan = replace(read_plan(files.plan), options=options, ordering="ring")
        write_plan(files.plan, plan, Provenance("plan", {}, ()))
        paths = plan.chunk_files(folder)
        for index, path in paths.items():
            ipix = plan.chunk_ipix(index)
            fit = FluxFit(*(rng.random(ipix.size) for _ in FluxFit._fields))
            fit = fit._replace(
                n_iter=np.ones(ipix.size, np.int32),
                status=np.zeros(ipix.size, np.uint8),
                template=np.zeros(ipix.size, np.uint8),
            )
            write_chunk(path, plan, index, ChunkResult(ipix, fit), Provenance("fit"))
        where = ["--problem", files.problem, "--plan", files.plan, "--output", folder / "maps.fits"]
        return run_process([SKYQUILT, "merge", "--quiet", *where, *paths.values()])
