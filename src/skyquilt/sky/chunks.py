"""Chunks: equal, contiguous ranges of nested pixels.

For 12 times a power of 4, a chunk is what lies below one coarse HEALPix pixel, a patch of sky.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from skyquilt.sky.pixels import nside_to_npix

MIN_COST_S = 5.0
"""Least work worth a chunk of its own [s].

Start of Python, imports and loading of compiled kernels take 1.5 s (Xeon, 2 cores, 2026),
a job of the workflow as much again; with this the start-up stays below half of a chunk.
"""


def chunk_range(index: int, n_chunks: int, nside: int) -> tuple[int, int]:
    """Range [start, stop) of the nested pixels of one chunk.

    Raises
    ------
    ValueError
        If the number of chunks does not divide the number of pixels, or there is no such chunk.

    Examples
    --------
    >>> chunk_range(11, 12, 16)
    (2816, 3072)
    """
    check_n_chunks(n_chunks, nside)
    if not 0 <= index < n_chunks:
        raise ValueError(f"chunk {index}: allowed are 0 to {n_chunks - 1}.")
    size = nside_to_npix(nside) // n_chunks
    return index * size, (index + 1) * size


def check_n_chunks(n_chunks: int, nside: int) -> int:
    """Return the number of chunks if it divides the number of pixels.

    Raises
    ------
    ValueError
        If it does not.
    """
    npix = nside_to_npix(nside)
    if n_chunks < 1 or npix % n_chunks:
        raise ValueError(
            f"{n_chunks} chunks: allowed at nside {nside} are the divisors of its {npix} pixels: "
            f"{', '.join(map(str, allowed_chunk_counts(nside)))}."
        )
    return n_chunks


def allowed_chunk_counts(nside: int) -> list[int]:
    """All numbers of chunks that divide the pixels of the sky, ascending.

    Examples
    --------
    >>> allowed_chunk_counts(2)
    [1, 2, 3, 4, 6, 8, 12, 16, 24, 48]
    """
    powers = [2**k for k in range(nside_to_npix(nside).bit_length()) if 4 * nside**2 % 2**k == 0]
    return sorted(powers + [3 * power for power in powers])


def choose_n_chunks(
    cost_per_pixel_s: float, ranges: np.ndarray, nside: int, *, min_cost_s: float = MIN_COST_S
) -> int:
    """Most chunks of the sky, of 1, 12, 48, ..., that are worth their start-up on average.

    Parameters
    ----------
    cost_per_pixel_s : float
        Estimated time to fit a pixel [s].
    ranges : ndarray of int64, shape (n, 2)
        Pixels to fit; chunks without any cost nothing and do not count.
    nside : int
        Resolution of the map.
    min_cost_s : float
        Least time per chunk [s].

    Examples
    --------
    >>> choose_n_chunks(0.05, np.array([[0, 49152]]), 64, min_cost_s=10.0)
    192
    """
    cost_s = cost_per_pixel_s * np.sum(ranges[:, 1] - ranges[:, 0])
    n_chunks, finer = 1, 12
    while (
        finer <= nside_to_npix(nside)
        and cost_s >= occupied_chunks(ranges, finer, nside).size * min_cost_s
    ):
        n_chunks, finer = finer, 4 * finer
    return n_chunks


def occupied_chunks(ranges: np.ndarray, n_chunks: int, nside: int) -> np.ndarray:
    """Numbers of the chunks that hold pixels of the ranges, ascending.

    Examples
    --------
    >>> occupied_chunks(np.array([[0, 3], [4, 5], [250, 257]]), 12, 16)
    array([0, 1])
    """
    size = nside_to_npix(nside) // check_n_chunks(n_chunks, nside)
    first, last = ranges[:, 0] // size, (ranges[:, 1] - 1) // size
    pieces = [np.arange(a, b + 1) for a, b in zip(first, last, strict=True)]
    chunks = np.concatenate([first[:0], *pieces])
    return chunks[
        np.append(True, chunks[1:] > chunks[:-1])[: chunks.size]
    ]  # np.unique imports masked arrays


def intersect(ranges: np.ndarray, start: int, stop: int) -> np.ndarray:
    """Part of pixel ranges that lies in [start, stop).

    Parameters
    ----------
    ranges : ndarray of int64, shape (n, 2)
        Ranges [first, last + 1), ascending.
    start, stop : int
        Range to keep.

    Returns
    -------
    ndarray of int64, shape (m, 2)
        Ranges, ascending, none of them empty.

    Examples
    --------
    >>> intersect(np.array([[0, 4], [6, 9]]), 3, 7)
    array([[3, 4],
           [6, 7]])
    """
    cut = np.clip(ranges, start, stop)
    return cut[cut[:, 0] < cut[:, 1]]


def part_name(index: int, n_parts: int) -> str:
    """Name of one of several parts that are made by jobs of their own.

    Numbers are filled up with zeros, so that names sort by them.

    Examples
    --------
    >>> part_name(3, 12)
    '003-of-012'
    """
    width = max(3, len(str(n_parts)))
    return f"{index:0{width}}-of-{n_parts:0{width}}"


def chunk_name(index: int, n_chunks: int) -> str:
    """File name of a chunk; see `part_name`.

    Examples
    --------
    >>> chunk_name(3, 12)
    '003-of-012.h5'
    """
    return f"{part_name(index, n_chunks)}.h5"


def chunk_files(folder: str | Path, n_chunks: int, indices: Iterable[int]) -> dict[int, Path]:
    """Files of chunks by their numbers; there or not.

    Examples
    --------
    >>> [path.as_posix() for path in chunk_files("chunks", 12, [0, 3]).values()]
    ['chunks/000-of-012.h5', 'chunks/003-of-012.h5']
    """
    return {index: Path(folder, chunk_name(index, n_chunks)) for index in indices}


def skies_name(kind: str, index: int, n_jobs: int) -> str:
    """File name of the simulated skies of one job; see `part_name`.

    Examples
    --------
    >>> skies_name("null", 3, 20)
    'null-003-of-020.h5'
    """
    return f"{kind}-{part_name(index, n_jobs)}.h5"
