"""Contracted response tables: response times spectrum, one row per source direction.

A table is named by the contents of response, spectrum and energy selection, so that every
analysis with the same three uses the same file.
"""

import logging
import math
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, BinaryIO

import numpy as np

from skyquilt import RESULTS_VERSION
from skyquilt.config.instrument_analysis import ComptonAnalysis
from skyquilt.errors import ConfigError, OutputError, ProductError
from skyquilt.instruments.channels import select_channels
from skyquilt.instruments.compton.dataspace import DataSpace
from skyquilt.instruments.compton.response import Response, open_response
from skyquilt.instruments.true_energy import check_covered
from skyquilt.io.digest import blocks_digest, file_digest, settings_digest
from skyquilt.io.hdf5 import get, map_rows, new_hdf5, open_hdf5, put, put_rows
from skyquilt.io.products import locked
from skyquilt.io.provenance import Provenance, read_provenance
from skyquilt.io.schema import Schema
from skyquilt.spectra import integrate

logger = logging.getLogger(__name__)

Analyses = dict[Path, ComptonAnalysis]
"""Analyses by the file of their table."""

# 1.0  first version
# 1.1  provenance names the hosts
# 2.0  sealed: all but the values has a checksum, too
# 2.1  channel_totals
SCHEMA = Schema("skyquilt/table", "2.1", "skyquilt contract")
_REPORT_S = 5.0


@dataclass(frozen=True)
class ResponseTable:
    """Expected counts for unit flux, per source direction and selected bin.

    Attributes
    ----------
    path : str
        File of the table.
    rows : ndarray of float32, shape (n_row, n_bin)
        Expected counts (galactic) or counts per second (local) for unit flux; mapped read-only.
    totals : ndarray of float64, shape (n_row,)
        Sums of the rows.
    channel_totals : ndarray of float64, shape (n_row, n_channel)
        The same of each channel, of which there is one if channels are added.
    nside : int
        HEALPix resolution of the rows.
    ordering : {"RING", "NESTED"}
        Ordering of the rows.
    space : DataSpace
        All axes of the response's measured quantities.
    channels : tuple of int
        Selected channels [first, last + 1).
    """

    path: str
    rows: np.ndarray
    totals: np.ndarray
    channel_totals: np.ndarray
    nside: int
    ordering: str
    space: DataSpace
    channels: tuple[int, int]


def contract(analysis: ComptonAnalysis, cache: str | Path) -> ResponseTable:
    """Table of an analysis, from the cache or made from the response.

    Parameters
    ----------
    analysis : ComptonAnalysis
        Its response, spectrum and energy selection decide which table it is.
    cache : str or Path
        Folder of the tables.

    Raises
    ------
    InputError
        If the response is damaged or does not have the selected channels.
    OutputError
        If the table cannot be written.
    """
    return contract_all([analysis], cache)[0]


def contract_all(analyses: Sequence[ComptonAnalysis], cache: str | Path) -> list[ResponseTable]:
    """Tables of analyses that differ in their spectra; the response is read once.

    Parameters
    ----------
    analyses : sequence of ComptonAnalysis
        All of the same response and energy selection.
    cache : str or Path
        Folder of the tables.

    Raises
    ------
    InputError, OutputError
        As `contract`.
    """
    cache, first = Path(cache), analyses[0]
    path = first.data.response
    with open_response(path) as response:
        em_edges = response.space.em_edges
        channels = select_channels(em_edges, first.energy, path)
        check_covered(path, response.ei_edges, em_edges[channels[0] : channels[1] + 1])
        wanted = {_table_path(one, channels, cache): one for one in analyses}
        missing = _missing(wanted, path)
        with ExitStack() as locks:
            for target in sorted(missing):
                locks.enter_context(locked(target))
            if missing:
                missing = _missing(missing, path)  # another process may have made them meanwhile
            if missing:
                _write_tables(missing, response, channels, cache)
    return [read_table(_table_path(one, channels, cache)) for one in analyses]


def _table_path(analysis: ComptonAnalysis, channels: tuple[int, int], cache: Path) -> Path:
    settings = {
        "response": file_digest(analysis.data.response, cache / "digests"),
        "spectrum": analysis.spectrum.model_dump(mode="json"),
        "channels": channels,
        "sum_channels": analysis.energy.sum_channels,
        "schema_version": SCHEMA.version,
        "results_version": RESULTS_VERSION,
    }
    return cache / "tables" / f"{settings_digest(settings)[:32]}.h5"


def read_table(path: str | Path) -> ResponseTable:
    """Open a table; its rows are mapped, not read.

    Raises
    ------
    ProductError
        If the file is damaged or no table.
    """
    with open_hdf5(path, SCHEMA) as file:
        frame = str(file.attrs["frame"])
        nside, ordering = int(file.attrs["psichi_nside"]), str(file.attrs["psichi_ordering"])
        space = DataSpace(get(file, "em_edges"), get(file, "phi_edges"), nside, ordering, frame)
        first, stop = (int(channel) for channel in file.attrs["channels"])
        return ResponseTable(
            path=str(path),
            rows=map_rows(file, "rows"),
            totals=get(file, "totals"),
            channel_totals=get(file, "channel_totals"),
            nside=int(file.attrs["nside"]),
            ordering=str(file.attrs["ordering"]),
            space=space,
            channels=(first, stop),
        )


def _missing(wanted: Analyses, response: str) -> Analyses:
    """Those that the cache does not have; a table there is read without a lock, it is whole."""
    missing = {target: one for target, one in wanted.items() if not _is_made(target)}
    for target in wanted.keys() - missing.keys():
        logger.info("%s: contracted before, in %s", response, target)
    return missing


def _is_made(path: Path) -> bool:
    """Whether the cache has the table; a damaged one is made again."""
    if not path.is_file():
        return False
    try:
        read_table(path)
    except ProductError as error:
        logger.warning("%s It is made again now.", error)
        return False
    return True


def _write_tables(
    wanted: Analyses, response: Response, channels: tuple[int, int], cache: Path
) -> None:
    """Write the tables of some spectra in one pass; rows of all but the first wait in a file."""
    first, n = next(iter(wanted.values())), len(wanted)
    flux = np.array([integrate(one.spectrum, response.ei_edges) for one in wanted.values()])
    sum_channels, space = first.energy.sum_channels, response.space
    n_channels = 1 if sum_channels else channels[1] - channels[0]
    shape = response.n_rows, n_channels * space.shape[1] * space.shape[2]
    totals, by_channel = np.empty((n, response.n_rows)), np.empty((n, response.n_rows, n_channels))
    provenances = [
        Provenance(
            "contract",
            {key: getattr(one, key).model_dump(mode="json") for key in ("energy", "spectrum")},
            (first.data.response,),
            cache / "digests",
        )
        for one in wanted.values()
    ]
    folded = _contracted(response, flux, channels, sum_channels, totals, by_channel)
    with TemporaryFile(dir=cache) as file:
        waiting = _mapped(file, cache, (n - 1, *shape)) if n > 1 else ()
        rows = (_put_aside(folded, waiting), *waiting)
        for target, own, own_totals, own_channels, provenance in zip(
            wanted, rows, totals, by_channel, provenances, strict=True
        ):
            sums = {"totals": own_totals, "channel_totals": own_channels}
            _write_table(target, response, channels, shape, own, sums, provenance)


def _mapped(file: BinaryIO, cache: Path, shape: tuple[int, ...]) -> np.ndarray:
    """Rows in a file that has its place on the disk; a map of one that has not ends in a crash."""
    try:
        os.posix_fallocate(file.fileno(), 0, math.prod(shape) * np.float32().itemsize)
    except OSError as error:
        raise OutputError(
            f"{cache}: {error.strerror}; the tables of {shape[0] + 1} spectra at once need "
            f"{math.prod(shape) * 4 / 1e9:.3g} GB there for a while: free some space, then run "
            "again."
        ) from error
    return np.memmap(file, np.float32, shape=shape)


def _put_aside(
    folded: Iterator[list[np.ndarray]], waiting: np.ndarray | tuple[()]
) -> Iterator[np.ndarray]:
    """The rows of the first spectrum; those of the others are put into `waiting`."""
    for index, rows in enumerate(folded):
        for target, row in zip(waiting, rows[1:], strict=True):
            target[index] = row
        yield rows[0]


def _write_table(
    target: Path,
    response: Response,
    channels: tuple[int, int],
    shape: tuple[int, int],
    rows: Iterable[np.ndarray],
    sums: dict[str, np.ndarray],
    provenance: Provenance,
) -> None:
    about = "expected counts for unit flux, one row per source direction"
    space = response.space
    with new_hdf5(target, SCHEMA, provenance) as file:
        put_rows(file, "rows", rows, shape, np.float32, response.unit, about)
        put(file, "totals", sums["totals"], response.unit, "sums of the rows")
        about = "sums of the rows in each channel"
        put(file, "channel_totals", sums["channel_totals"], response.unit, about)
        put(file, "em_edges", space.em_edges, "keV", "edges of the measured energy")
        put(file, "phi_edges", space.phi_edges, "deg", "edges of the Compton angle")
        file.attrs["frame"] = response.frame
        file.attrs["nside"] = response.nside
        file.attrs["ordering"] = response.ordering
        file.attrs["psichi_nside"] = space.nside
        file.attrs["psichi_ordering"] = space.ordering
        file.attrs["channels"] = channels


def _contracted(
    response: Response,
    flux: np.ndarray,
    channels: tuple[int, int],
    sum_channels: bool,
    totals: np.ndarray,
    channel_totals: np.ndarray,
) -> Iterator[list[np.ndarray]]:
    """Rows of the tables of all spectra in float64; their sums are filled in on the way."""
    began = reported = time.monotonic()
    for start, block in response.blocks(slice(*channels)):
        for index, row in enumerate(block, start):
            by_energy = row.reshape(flux.shape[1], -1).astype(np.float64, copy=False)
            folded = [one @ by_energy for one in flux]
            if sum_channels:
                folded = [one.reshape(row.shape[1], -1).sum(axis=0) for one in folded]
            for number, one in enumerate(folded):
                check_range(one, response.path)
                totals[number, index] = one.sum()
                by_channel = one.reshape(channel_totals.shape[2], -1)
                channel_totals[number, index] = by_channel.sum(axis=1)
            yield folded
        done = start + len(block)
        if time.monotonic() - reported > _REPORT_S:
            reported = time.monotonic()
            rate = done / (reported - began)
            left = (response.n_rows - done) / rate
            logger.info(
                "contract: %d/%d rows, %.0f rows/s, %.0f s left", done, response.n_rows, rate, left
            )


def check_range(row: np.ndarray, path: str) -> None:
    """Check that a row can be stored as float32, with eight decades below its largest value."""
    largest = row.max()
    limits = np.finfo(np.float32)
    if not largest <= limits.max:
        raise ConfigError(
            f"{path}: response times spectrum overflows: {largest:g} expected counts in a bin for "
            "unit flux; reduce `spectrum.norm`, and check its unit."
        )
    if 0 < largest < 1e8 * limits.tiny:
        raise ConfigError(
            f"{path}: response times spectrum vanishes: {largest:g} expected counts in the largest "
            "bin for unit flux; raise `spectrum.norm`, and check its unit."
        )


def check_table(table: ResponseTable) -> None:
    """Compare the rows with their checksum.

    Raises
    ------
    ProductError
        If they differ.
    """
    with open_hdf5(table.path, SCHEMA) as file:
        wanted = file["rows"].attrs["sha256"]
    if blocks_digest(table.rows.dtype, table.rows.shape, table.rows) != wanted:
        raise ProductError(
            f"{table.path}: the checksum differs, the file is damaged: remove it and run again."
        )


def table_stages(table: ResponseTable) -> tuple[dict[str, Any], ...]:
    """Times of the contraction that made the table."""
    with open_hdf5(table.path, SCHEMA) as file:
        return tuple(read_provenance(file)["stages"])
