"""Nodes of true energy against what is contracted with a spectrum."""

from functools import partial

import numpy as np

from skyquilt.blocks import Block
from skyquilt.config.spectrum import Spectrum
from skyquilt.problem.expectation import Expectation
from skyquilt.spectra.models import evaluate


def node_flux(expectation: Expectation, spectrum: Spectrum) -> np.ndarray:
    """Photons of a spectrum at each node of an expectation.

    Raises
    ------
    ValueError
        If it has none.
    """
    if expectation.true_energy is None:
        raise ValueError("the expectation has no nodes of true energy.")
    return expectation.true_energy.flux(partial(evaluate, spectrum))


def assert_same_block(found: Block, wanted: Block, rtol: float = 1e-6) -> None:
    """Compare counts to a part of the largest of each direction, totals to a part of themselves."""
    assert found.status.tolist() == wanted.status.tolist()
    good = wanted.status == 0
    wanted, found = wanted.dense(), found.dense()
    scale = np.abs(wanted.unit_counts[good]).max(axis=1, initial=0, keepdims=True)
    difference = np.abs(found.unit_counts - wanted.unit_counts)[good]
    assert np.all(difference <= rtol * scale), difference.max() / scale.max()
    np.testing.assert_allclose(found.total[good], wanted.total[good], rtol=rtol)


def assert_nodes_agree(
    expectation: Expectation, spectrum: Spectrum, directions: np.ndarray
) -> None:
    """Compare nodes times the photons of the reference spectrum with the block, to 1e-6.

    Totals of bands are compared, too.
    """
    flux, block = node_flux(expectation, spectrum), expectation.block(directions)
    assert (block.status == 0).any()
    nodes, other = expectation.nodes(directions), expectation.with_spectrum(flux)
    assert_same_block(nodes.contract(flux), block)
    assert_same_block(other.block(directions), block)
    good, bands = block.status == 0, expectation.band_totals(directions)
    for found in (nodes.band_totals(flux), other.band_totals(directions)):
        scale = np.abs(bands[good]).max(axis=1, keepdims=True)
        assert np.all(np.abs(found - bands)[good] <= 1e-6 * scale)
