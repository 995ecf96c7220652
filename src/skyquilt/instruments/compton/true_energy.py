"""Rows of a response per bin of true energy, for questions whose spectra vary."""

from collections.abc import Iterator

import numpy as np

from skyquilt.config.instrument_analysis import ComptonAnalysis
from skyquilt.instruments.compton.response import Response, open_response
from skyquilt.instruments.compton.selection import Selection
from skyquilt.instruments.true_energy import check_covered
from skyquilt.problem.table_nodes import TableNodes
from skyquilt.problem.true_energy import TrueEnergy
from skyquilt.spectra.models import corners


def read_table_nodes(
    analysis: ComptonAnalysis, selection: Selection, scale: float | None
) -> TableNodes:
    """Rows of the response in the hit bins, for unit flux in each bin of true energy.

    Parameters
    ----------
    analysis : ComptonAnalysis
        Its response, energies and spectrum.
    selection : Selection
        Hit bins, and those that are masked.
    scale : float, optional
        Factor on the response.

    Raises
    ------
    InputError
        If the response cannot be read, or its true energies do not cover the measured ones.
    """
    with open_response(analysis.data.response) as response:
        em_edges = response.space.em_edges
        measured = em_edges[selection.channels[0] : selection.channels[1] + 1]
        check_covered(response.path, response.ei_edges, measured)
        n_node, n_row = len(response.ei_edges) - 1, response.n_rows
        rows = np.empty((n_node, n_row, selection.hits.size), np.float32)
        totals = np.empty((n_node, n_row))
        n_band = 1 if analysis.energy.sum_channels else len(measured) - 1
        bands = np.empty((n_node, n_row, n_band))
        kept = ~selection.is_masked
        for index, bins in _bins(response, selection.channels, analysis.energy.sum_channels):
            scaled = bins if scale is None else bins * scale
            rows[:, index] = scaled[:, selection.hits]
            unmasked = np.where(kept, scaled, 0.0)
            totals[:, index] = unmasked.sum(axis=1)
            bands[:, index] = unmasked.reshape(n_node, n_band, -1).sum(axis=2)
        borders = [*corners(analysis.spectrum), *measured]
        return TableNodes(TrueEnergy.of_bins(response.ei_edges, borders), rows, totals, bands)


def _bins(
    response: Response, channels: tuple[int, int], sum_channels: bool
) -> Iterator[tuple[int, np.ndarray]]:
    """Number and content of each row, one line of selected bins per bin of true energy."""
    for start, block in response.blocks(slice(*channels)):
        for index, row in enumerate(block.astype(np.float64, copy=False), start):
            chosen = row.sum(axis=1) if sum_channels else row
            yield index, chosen.reshape(len(chosen), -1)
