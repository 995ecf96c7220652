"""Contracted response tables: response times spectrum, one row per source direction.

A table is named by the contents of response, spectrum and energy selection, so that every
analysis with the same three uses the same file.
"""

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from skyquilt.config.analysis import Analysis
from skyquilt.errors import ConfigError, ProductError
from skyquilt.instruments.compton.dataspace import DataSpace, select_channels
from skyquilt.instruments.compton.response import Response, open_response
from skyquilt.io.digest import blocks_digest, file_digest, settings_digest
from skyquilt.io.hdf5 import Schema, get, map_rows, new_hdf5, open_hdf5, put, put_rows
from skyquilt.io.products import locked
from skyquilt.io.provenance import Provenance, read_provenance
from skyquilt.spectra import integrate

logger = logging.getLogger(__name__)

# 1.0  first version
SCHEMA = Schema("skyquilt/table", "1.0", "skyquilt contract")
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
    nside: int
    ordering: str
    space: DataSpace
    channels: tuple[int, int]


def contract(analysis: Analysis, cache: str | Path) -> ResponseTable:
    """Table of an analysis, from the cache or made from the response.

    Parameters
    ----------
    analysis : Analysis
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
    cache = Path(cache)
    path = analysis.data.response
    used = analysis.model_dump(mode="json", include={"spectrum", "energy"})
    provenance = Provenance("contract", used, (path,), cache / "digests")
    with open_response(path) as response:
        channels = select_channels(response.space.em_edges, analysis.energy, path)
        settings = {
            "response": file_digest(path, cache / "digests"),
            "spectrum": analysis.spectrum.model_dump(mode="json"),
            "channels": channels,
            "sum_channels": analysis.energy.sum_channels,
            "schema_version": SCHEMA.version,
        }
        target = cache / "tables" / f"{settings_digest(settings)[:32]}.h5"
        with locked(target):
            if _is_made(target):
                logger.info("%s: contracted before, in %s", path, target)
            else:
                _write_table(target, response, analysis, channels, provenance)
    return read_table(target)


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
        return ResponseTable(
            path=str(path),
            rows=map_rows(file, "rows"),
            totals=get(file, "totals"),
            nside=int(file.attrs["nside"]),
            ordering=str(file.attrs["ordering"]),
            space=space,
            channels=tuple(int(channel) for channel in file.attrs["channels"]),
        )


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


def _write_table(
    target: Path,
    response: Response,
    analysis: Analysis,
    channels: tuple[int, int],
    provenance: Provenance,
) -> None:
    flux = integrate(analysis.spectrum, response.ei_edges)
    space = response.space
    n_channels = 1 if analysis.energy.sum_channels else channels[1] - channels[0]
    n_bins = n_channels * space.shape[1] * space.shape[2]
    totals = np.empty(response.n_rows)
    with new_hdf5(target, SCHEMA, provenance) as file:
        rows = _contracted(response, flux, channels, analysis.energy.sum_channels, totals)
        put_rows(
            file,
            "rows",
            rows,
            (response.n_rows, n_bins),
            np.float32,
            response.unit,
            "expected counts for unit flux, one row per source direction",
        )
        put(file, "totals", totals, response.unit, "sums of the rows")
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
) -> Iterator[np.ndarray]:
    """Rows of the table in float64; their sums are put into `totals` on the way."""
    began = reported = time.monotonic()
    for start, block in response.blocks(slice(*channels)):
        for index, row in enumerate(block, start):
            folded = flux @ row.reshape(flux.size, -1).astype(np.float64, copy=False)
            if sum_channels:
                folded = folded.reshape(row.shape[1], -1).sum(axis=0)
            _check_range(folded, response.path)
            totals[index] = folded.sum()
            yield folded
        done = start + len(block)
        if time.monotonic() - reported > _REPORT_S:
            reported = time.monotonic()
            rate = done / (reported - began)
            left = (response.n_rows - done) / rate
            logger.info(
                "contract: %d/%d rows, %.0f rows/s, %.0f s left", done, response.n_rows, rate, left
            )


def _check_range(row: np.ndarray, path: str) -> None:
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
