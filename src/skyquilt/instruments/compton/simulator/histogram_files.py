"""Histograms of counts, as histpy writes them."""

from pathlib import Path

import numpy as np

from skyquilt.instruments.compton.simulator.instrument import Instrument
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
    from sparse import COO

    shape = (time_edges.size - 1, *instrument.shape[1:])
    contents = COO(coords, counts.astype(np.float64), shape=shape, has_duplicates=False)
    _write(path, instrument, frame, time_edges, contents)


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
    _write(path, instrument, frame, np.array(span), expectation[None])


def _write(path: Path, instrument: Instrument, frame: str, time_edges: np.ndarray, contents):
    import astropy.units as u
    from histpy import Axis, Histogram

    axes = [Axis(time_edges * u.s, label="Time"), *cds_axes(instrument, frame)]
    with new_product(path) as partial:
        Histogram(axes, contents=contents).write(partial)
