"""Response files: detector response (dense) and galactic point source response, row by row."""

import logging
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np

from skyquilt.instruments.compton.orientation import Orientation, get_livetimes
from skyquilt.instruments.compton.simulator.exposure import exposures
from skyquilt.instruments.compton.simulator.histogram_files import cds_axes
from skyquilt.instruments.compton.simulator.instrument import Instrument
from skyquilt.instruments.compton.simulator.progress import progress
from skyquilt.instruments.compton.simulator.telescope import zenith_factor
from skyquilt.io.hdf5_file import check_written, new_file
from skyquilt.io.products import new_product
from skyquilt.sky.healpix import ring_to_vec
from skyquilt.sky.pixels import nside_to_npix

logger = logging.getLogger(__name__)

_DESCRIPTIONS = {
    "NuLambda": "Location of the simulated source in the spacecraft coordinates",
    "Ei": "Initial simulated energy",
    "Em": "Measured energy",
    "Phi": "Compton angle",
    "PsiChi": "Location in the Compton Data Space",
}


def write_detector_response(path: Path, instrument: Instrument, nside: int) -> None:
    """Write a detector response in the dense layout of cosipy up to 0.3.4, whole or not at all.

    One row, the response at the centre of one pixel of the spacecraft's sky, is in memory at a
    time. The contents are contiguous float32 [cm2].

    Parameters
    ----------
    path : Path
        File to write.
    instrument : Instrument
        The telescope.
    nside : int
        Resolution of the source direction NuLambda.
    """
    directions = ring_to_vec(nside, np.arange(nside_to_npix(nside)))
    factors = zenith_factor(directions[:, 2])
    with new_product(path) as partial, new_file(partial) as file:
        drm = file.create_group("DRM")
        drm.attrs.update(UNIT="cm2", SPARSE=False)
        _write_drm_axes(drm.create_group("AXES", track_order=True), instrument, nside)
        shape = (len(directions), *instrument.shape)
        contents = drm.create_dataset("CONTENTS", shape, dtype=np.float32)
        _write_rows(contents, 0, path, lambda p: instrument.row(nside, p, factors[p]))


def write_point_source_response(
    path: Path,
    instrument: Instrument,
    orientation: Orientation,
    nside: int,
    *,
    overflow_bins: bool = False,
) -> None:
    """Write a galactic point source response as a histogram of histpy, whole or not at all.

    A row is the image of one galactic direction times the sum over the attitude records of
    livetime and zenith factor: the image depends on angles only and is the same in every frame.
    Times at which the direction is below the Earth's horizon are left out.

    Parameters
    ----------
    path : Path
        File to write.
    instrument : Instrument
        The telescope.
    orientation : Orientation
        Attitude and livetime of the observation.
    nside : int
        Resolution of the source direction NuLambda.
    overflow_bins : bool, optional
        Store under- and overflow bins, all zero, on every axis.
    """
    from histpy import Axes, Axis, HealpixAxis

    directions = ring_to_vec(nside, np.arange(nside_to_npix(nside)))
    factors = exposures(orientation, get_livetimes(orientation), directions)
    em, phi, psichi = cds_axes(instrument, "galactic", em_scale="log")
    ei = Axis(em.edges, label="Ei", scale="log")
    axes = Axes([HealpixAxis(nside, coordsys="galactic", label="NuLambda"), ei, em, phi, psichi])
    margin = 1 if overflow_bins else 0
    inside = (slice(margin, -margin or None),) * 4
    shape = tuple(size + 2 * margin for size in (len(directions), *instrument.shape))

    def row(ipix: int) -> np.ndarray:
        stored = np.zeros(shape[1:], np.float32)
        stored[inside] = instrument.row(nside, ipix, factors[ipix])
        return stored

    with new_product(path) as partial, new_file(partial) as file:
        hist = file.create_group("hist")
        hist.attrs.update(unit="cm2 s", format="dense", interval=orientation.time[[0, -1]])
        axes.write(hist.create_group("axes", track_order=True))
        contents = hist.create_dataset("contents", shape, dtype=np.float32)
        _write_rows(contents, margin, path, row)


def _write_rows(
    contents: h5py.Dataset, margin: int, path: Path, row: Callable[[int], np.ndarray]
) -> None:
    n_rows = contents.shape[0] - 2 * margin
    for ipix in progress(n_rows, f"{path.name}: rows", logger):
        contents[ipix + margin] = row(ipix)
        check_written(contents)


def _write_drm_axes(group: h5py.Group, instrument: Instrument, nside: int) -> None:
    """Axes in their order, which readers take from the order of creation."""
    energy = ("log", "keV", instrument.edges)
    for name, (kind, unit, edges) in {
        "NuLambda": ("healpix", nside, np.arange(nside_to_npix(nside) + 1)),
        "Ei": energy,
        "Em": energy,
        "Phi": ("linear", "deg", instrument.phi_edges),
        "PsiChi": ("healpix", instrument.nside_psichi, np.arange(instrument.shape[3] + 1)),
    }.items():
        axis = group.create_dataset(name, data=edges)
        axis.attrs.update(TYPE=kind, DESCRIPTION=_DESCRIPTIONS[name])
        if kind == "healpix":
            axis.attrs.update(NSIDE=unit, SCHEME="ring")
        else:
            axis.attrs["UNIT"] = unit
