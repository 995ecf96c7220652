"""One file with everything on HEALPix pixels of a part of the sky; layout in docs/formats.md."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from skyquilt.config.imaging_file import FileBackground
from skyquilt.config.spectrum import Spectrum
from skyquilt.instruments.imaging.components import (
    check_probabilities,
    choose_known,
    has_density,
)
from skyquilt.instruments.imaging.file_backgrounds import read_file_backgrounds
from skyquilt.instruments.imaging.healpix_cube import HealpixCube
from skyquilt.instruments.imaging.missing import check_values, find_known
from skyquilt.instruments.imaging.pixel_data import PixelData
from skyquilt.instruments.imaging.profiles import ring_profiles
from skyquilt.instruments.imaging.quantities import COUNTS, FaultError, get_column, join_bins
from skyquilt.problem.sky_grid import HealpixGrid
from skyquilt.problem.spread_nodes import SpreadNodes
from skyquilt.problem.true_energy import TrueEnergy
from skyquilt.sky.pixels import check_ipix, nest_to_ring
from skyquilt.spectra import integrate
from skyquilt.spectra.models import corners

EXTENSIONS = frozenset({"SKYMAP", "EBOUNDS", "THETA"})
"""What a file must have to be in this layout, besides a table whose name begins with IRF."""

_FRAMES = {"C": "icrs", "G": "galactic"}


def read_healpix_dataset(
    hdus: Any,
    path: str,
    spectrum: Spectrum,
    sections: Mapping[str, FileBackground],
    *,
    normalise: bool,
) -> PixelData:
    """Read a file in this layout.

    Parameters
    ----------
    hdus : astropy.io.fits.HDUList
        The open file.
    path : str
        Its name, for messages.
    spectrum : Spectrum
        Spectrum of the source.
    sections : dict of str to FileBackground
        Sections of the components of the background.
    normalise : bool
        Divide the point spread function by its integral.

    Raises
    ------
    FaultError
        If a table or column is missing, tables do not fit each other, or values are impossible.
    InputError
        If an exposure is negative or infinite.
    """
    table, response = hdus["SKYMAP"], _find_response(hdus)
    nside, ipix, order = _read_pixels(table)
    edges, true_edges = (
        _read_edges(hdu, "E_MIN", "E_MAX", "keV") for hdu in (hdus["EBOUNDS"], response)
    )
    n_band, n_true = len(edges) - 1, len(true_edges) - 1
    counts, background, exposure = (
        np.column_stack([get_column(table, f"{name}{number + 1}", unit) for number in range(n)])
        for name, n, unit in (
            ("COUNTS", n_band, COUNTS),
            ("BKG", n_band, COUNTS),
            ("EXPO", n_true, "cm2 s"),
        )
    )
    to_band = get_column(response, "EDISP")
    if to_band.shape != (n_true, n_band):
        raise FaultError(
            f"EDISP of {response.name} has the shape {to_band.shape}; {n_true} true energies and "
            f"{n_band} bands are needed."
        )
    ring_edges = _read_edges(hdus["THETA"], "THETA_LO", "THETA_HI", "rad")
    density = get_column(response, "PSF", "sr-1")
    if density.shape != (n_true, len(ring_edges) - 1):
        raise FaultError(
            f"PSF of {response.name} has the shape {density.shape}, which does not "
            f"fit {len(ring_edges) - 1} angles in THETA."
        )
    flux = integrate(spectrum, true_edges)
    exposure = check_values(path, exposure, lambda row, k: f"row {row} of EXPO{k + 1}")[order]
    wanted = (flux > 0) & _find_wanted(flux * exposure, to_band, density, true_edges, path)
    check_probabilities(to_band[wanted])
    theta, profile = ring_profiles(ring_edges, density[wanted], path, normalise=normalise)
    is_known = find_known(exposure)
    yields = exposure[:, wanted] * flux[wanted]

    def true_energy() -> SpreadNodes:
        bins = np.flatnonzero(wanted)
        axis = TrueEnergy.of_bins(true_edges, [*corners(spectrum), *edges]).take(bins)
        exposures = HealpixGrid(nside, exposure[is_known][:, wanted], ipix[is_known])
        return SpreadNodes(axis, exposures, *2 * (np.arange(bins.size),))

    frame = _FRAMES[table.header["COORDSYS"]]
    cube = HealpixCube(path, frame, nside, ipix, counts[order], edges)
    return PixelData(
        path=path,
        frame=frame,
        vertices=_vertices(nside, ipix),
        edges=edges,
        is_good=np.ones(n_band, bool),
        counts=cube.values,
        backgrounds=read_file_backgrounds(sections, cube, background[order]),
        yields=HealpixGrid(nside, yields[is_known], ipix[is_known]),
        theta=theta,
        profile=profile,
        to_band=to_band[wanted],
        true_energy=true_energy,
        true_edges=true_edges,
    )


def _find_wanted(
    yields: np.ndarray, to_band: np.ndarray, density: np.ndarray, edges: np.ndarray, path: str
) -> np.ndarray:
    """True energies whose response is known."""
    is_known = has_density(density) & np.isfinite(to_band).all(axis=1)
    photons = np.nansum(yields, axis=0) * np.nan_to_num(to_band, nan=1.0).sum(axis=1)
    return choose_known(is_known, photons, np.sqrt(edges[1:] * edges[:-1]), path)


def _find_response(hdus: Any) -> Any:
    found = [hdu for hdu in hdus if hdu.name.startswith("IRF")]
    if len(found) != 1:
        raise FaultError(f"{len(found)} tables have a name that begins with IRF; one is needed.")
    return found[0]


def _read_pixels(table: Any) -> tuple[int, np.ndarray, np.ndarray]:
    """Resolution, ring pixels in ascending order, and the rows of the table in that order."""
    header = table.header
    for key, allowed in (("COORDSYS", tuple(_FRAMES)), ("ORDERING", ("NESTED", "RING"))):
        if header.get(key) not in allowed:
            raise FaultError(f"{key} of SKYMAP is {header.get(key)!r}; allowed are {allowed}.")
    nside = header["NSIDE"]
    try:
        ipix = check_ipix(np.asarray(table.data["PIX"], np.int64), nside)
    except ValueError as error:
        raise FaultError(f"PIX of SKYMAP: {error}") from error
    if header["ORDERING"] == "NESTED":
        ipix = nest_to_ring(nside, ipix)
    order = np.argsort(ipix)
    ipix = ipix[order]
    if np.any(np.diff(ipix) == 0):
        raise FaultError("PIX of SKYMAP has a pixel twice.")
    return nside, ipix, order


def _read_edges(table: Any, low: str, high: str, unit: str) -> np.ndarray:
    """Edges of bins, from the columns of their ends."""
    first, last = (get_column(table, name, unit) for name in (low, high))
    return join_bins(first, last, f"{low} and {high} of {table.name}")


def _vertices(nside: int, ipix: np.ndarray) -> np.ndarray:
    """Corners north, west, south, east: counter-clockwise as seen from outside the sphere."""
    import healpy

    return np.moveaxis(healpy.boundaries(nside, ipix, step=1), 1, 2)
