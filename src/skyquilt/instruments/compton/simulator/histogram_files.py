"""Histograms of counts, as histpy writes them."""

from io import BytesIO
from pathlib import Path

import numpy as np

from skyquilt.instruments.compton.simulator.instrument import Instrument
from skyquilt.instruments.compton.sparse_histogram import write_sparse_counts
from skyquilt.io.hdf5_file import new_file
from skyquilt.io.products import new_product


def cds_axes(instrument: Instrument, frame: str, em_scale: str = "linear") -> list:
    """Axes Em, Phi, PsiChi of histpy.

    Parameters
    ----------
    instrument : Instrument
        The telescope.
    frame : {"local", "galactic"}
        Frame of PsiChi.
    em_scale : {"linear", "log"}, optional
        Scale of Em; binned data of COSI say linear, responses log.
    """
    import astropy.units as u
    from histpy import Axis, HealpixAxis
    from scoords import SpacecraftFrame

    coordsys = {"local": SpacecraftFrame(), "galactic": "galactic"}[frame]
    return [
        Axis(instrument.edges * u.keV, label="Em", scale=em_scale),
        Axis(instrument.phi_edges * u.deg, label="Phi"),
        HealpixAxis(instrument.nside_psichi, coordsys=coordsys, label="PsiChi"),
    ]


def write_counts(
    path: Path,
    instrument: Instrument,
    frame: str,
    time_edges: np.ndarray,
    coords: np.ndarray,
    counts: np.ndarray,
) -> None:
    """Write a sparse histogram of counts with a time axis, whole or not at all.

    Parameters
    ----------
    path : Path
        File to write.
    instrument : Instrument
        The telescope, which gives the axes.
    frame : {"local", "galactic"}
        Frame of PsiChi.
    time_edges : ndarray of float64, shape (n_time + 1,)
        Edges of the time bins [UNIX s].
    coords : ndarray of int64, shape (4, n)
        Bins that hold counts: Time, Em, Phi, PsiChi, without duplicates.
    counts : ndarray, shape (n,)
        Counts of these bins.
    """
    from histpy import Axes

    axes = Axes(_axes(instrument, frame, time_edges))
    cells = np.ravel_multi_index(tuple(coords), tuple(axes.nbins))
    order = np.argsort(cells)
    with new_product(path) as partial, new_file(partial) as file:
        write_sparse_counts(file, axes, [(cells[order], counts[order])])


def write_expectation(
    path: Path,
    instrument: Instrument,
    frame: str,
    span: tuple[float, float],
    expectation: np.ndarray,
) -> None:
    """Write expected counts of one time interval as a dense histogram, whole or not at all.

    Parameters
    ----------
    path : Path
        File to write.
    instrument : Instrument
        The telescope, which gives the axes.
    frame : {"local", "galactic"}
        Frame of PsiChi.
    span : tuple of float
        Time interval [UNIX s].
    expectation : ndarray of float64, shape (n_em, n_phi, n_psichi)
        Expected counts.
    """
    from histpy import Histogram

    axes = _axes(instrument, frame, np.array(span))
    content = BytesIO()
    Histogram(axes, contents=expectation[None]).write(content)
    with new_product(path) as partial:
        partial.write_bytes(content.getvalue())


def _axes(instrument: Instrument, frame: str, time_edges: np.ndarray) -> list:
    import astropy.units as u
    from histpy import Axis

    return [Axis(time_edges * u.s, label="Time"), *cds_axes(instrument, frame)]
