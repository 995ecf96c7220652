"""Files of a simulated imaging instrument, in the layouts of Fermi-LAT that are read."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from skyquilt import __version__
from skyquilt.config.imager import Epoch
from skyquilt.instruments.imaging.clock import Clock
from skyquilt.instruments.imaging.simulator.photons import MeasuredPhotons
from skyquilt.instruments.imaging.simulator.telescope import SimulatedTelescope, bin_response
from skyquilt.io.products import new_product
from skyquilt.sky.frames import rotate, rotation, vec_to_lonlat

_CLOCK = Clock(51910.0, 7.428703703703703e-4, 0.0, "tt")  # that of Fermi: 2001-01-01 UTC
_TIMES = {"MJDREFI": int(_CLOCK.day), "MJDREFF": _CLOCK.fraction, "TIMEUNIT": "s", "TIMESYS": "TT"}
_GALACTIC = {"PIXTYPE": "HEALPIX", "ORDERING": "RING", "COORDSYS": "GAL", "INDXSCHM": "IMPLICIT"}


def write_events(
    path: Path,
    photons: MeasuredPhotons,
    time: np.ndarray,
    source: np.ndarray,
    epochs: tuple[Epoch, ...],
    *,
    with_true_energy: bool = False,
) -> None:
    """Write photons: tables EVENTS and GTI.

    Parameters
    ----------
    path : Path
        File.
    photons : MeasuredPhotons
        The photons.
    time : ndarray of float64, shape (n,)
        Times [UNIX s].
    source : ndarray of str, shape (n,)
        Name of the component that each photon is of, for checks.
    epochs : tuple of Epoch
        Good times.
    with_true_energy : bool
        Write the true energies, too, in a column for checks.
    """
    lon, lat = vec_to_lonlat(rotate(rotation("galactic", "icrs"), photons.direction))
    columns = {
        "EVENT_ID": (np.arange(time.size), None),
        "TIME": (_CLOCK.from_unix(time), "s"),
        "RA": (lon % 360, "deg"),
        "DEC": (lat, "deg"),
        "ENERGY": (photons.energy, "keV"),
        "SOURCE": (source, None),
    }
    if with_true_energy:
        columns["TRUE_ENERGY"] = (photons.true_energy, "keV")
    bounds = {
        "START": (_CLOCK.from_unix(np.array([one.start for one in epochs])), "s"),
        "STOP": (_CLOCK.from_unix(np.array([one.stop for one in epochs])), "s"),
    }
    live = sum(one.live_fraction * (one.stop - one.start) for one in epochs)
    cards = _TIMES | {"RADESYS": "ICRS", "EQUINOX": 2000.0, "LIVETIME": live}
    _write(path, [("EVENTS", columns, cards), ("GTI", bounds, _TIMES)])


def write_cube(path: Path, nside: int, values: np.ndarray, edges: np.ndarray) -> None:
    """Write counts in galactic RING pixels and energy bands, `values` of shape (npix, n_band)."""
    columns = {f"CHANNEL{n + 1}": (band, None) for n, band in enumerate(values.T)}
    channel = np.arange(1, edges.size)
    bounds = {
        "CHANNEL": (channel, None),
        "E_MIN": (edges[:-1], "keV"),
        "E_MAX": (edges[1:], "keV"),
    }
    _write(path, [("SKYMAP", columns, _pixels(nside)), ("EBOUNDS", bounds, {})])


def write_exposure(
    path: Path, nside: int, acceptance: np.ndarray, telescope: SimulatedTelescope
) -> None:
    """Write the exposure [cm2 s] at the energies of the telescope."""
    values = np.outer(acceptance, telescope.exposure)
    columns = {f"ENERGY{n + 1}": (column, "cm2 s") for n, column in enumerate(values.T)}
    energies = {"Energy": (telescope.energy, "keV")}
    _write(path, [("HPXEXPOSURES", columns, _pixels(nside)), ("ENERGIES", energies, {})])


def write_point_spread(path: Path, telescope: SimulatedTelescope) -> None:
    """Write the point spread function as gtpsf does."""
    columns = {
        "Energy": (telescope.energy, "keV"),
        "Exposure": (telescope.exposure, "cm2 s"),
        "Psf": (telescope.profile, "sr-1"),
    }
    angles = {"Theta": (np.degrees(telescope.theta), "deg")}
    _write(path, [("PSF", columns, {}), ("THETA", angles, {})])


def write_dataset(
    path: Path,
    nside: int,
    counts: np.ndarray,
    background: np.ndarray,
    acceptance: np.ndarray,
    telescope: SimulatedTelescope,
) -> None:
    """Write all in one file in the HEALPix layout, with point spread and energy dispersion.

    Parameters
    ----------
    path : Path
        File.
    nside : int
        Resolution.
    counts, background : ndarray, shape (npix, n_band)
        Observed and expected counts, galactic RING pixels.
    acceptance : ndarray of float64, shape (npix,)
        Exposure over that on the axis.
    telescope : SimulatedTelescope
        The telescope.
    """
    response = bin_response(telescope)
    columns: dict[str, Any] = {"PIX": (np.arange(len(counts)), None)}
    for name, unit, values in (
        ("COUNTS", None, counts),
        ("BKG", None, background),
        ("EXPO", "cm2 s", np.outer(acceptance, response.exposure)),
    ):
        columns |= {f"{name}{n + 1}": (one, unit) for n, one in enumerate(values.T)}
    response_columns = {
        **_ends("E", response.edges, "keV"),
        "PSF": (response.rings, "sr-1"),
        "EDISP": (response.to_band, None),
    }
    tables: list[tuple[str, Mapping, Mapping]] = [
        ("SKYMAP", columns, _GALACTIC | {"NSIDE": nside, "COORDSYS": "G", "INDXSCHM": "EXPLICIT"}),
        ("EBOUNDS", _ends("E", telescope.edges, "keV"), {}),
        ("IRF", response_columns, {}),
        ("THETA", _ends("THETA", response.ring_edges, "rad", ("LO", "HI")), {}),
    ]
    _write(path, tables)


def _ends(
    name: str, edges: np.ndarray, unit: str, ends: tuple[str, str] = ("MIN", "MAX")
) -> dict[str, tuple[np.ndarray, str]]:
    return {
        f"{name}_{end}": (one, unit) for end, one in zip(ends, (edges[:-1], edges[1:]), strict=True)
    }


def _pixels(nside: int) -> dict[str, object]:
    return _GALACTIC | {"NSIDE": nside, "FIRSTPIX": 0, "LASTPIX": 12 * nside**2 - 1}


def _write(path: Path, tables: list[tuple[str, Mapping, Mapping]]) -> None:
    from astropy.io import fits

    hdus = [fits.PrimaryHDU()]
    hdus[0].header["CREATOR"] = f"skyquilt {__version__} simulate"
    for name, columns, cards in tables:
        made = [_column(fits, key, *content) for key, content in columns.items()]
        table = fits.BinTableHDU.from_columns(made, name=name)
        table.header.update(cards)
        hdus.append(table)
    with new_product(path) as partial:
        fits.HDUList(hdus).writeto(partial)


def _column(fits, name: str, values: np.ndarray, unit: str | None):
    kinds = {"i": "K", "f": "D", "U": f"{max(values.dtype.itemsize // 4, 1)}A"}
    width = values.shape[1] if values.ndim == 2 else ""
    return fits.Column(name, f"{width}{kinds[values.dtype.kind]}", unit, array=values)
