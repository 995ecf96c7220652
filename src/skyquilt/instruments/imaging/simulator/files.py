"""Files of a simulated imaging instrument, in the layouts of Fermi-LAT that are read."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from skyquilt import __version__
from skyquilt.config.imager import Epoch
from skyquilt.instruments.imaging.simulator.telescope import Telescope
from skyquilt.io.products import new_product
from skyquilt.sky.frames import rotate, rotation, vec_to_lonlat

_UNIX = {"MJDREFI": 40587, "MJDREFF": 0.0, "TIMEUNIT": "s", "TIMESYS": "UTC", "TIMEZERO": 0.0}
_GALACTIC = {"PIXTYPE": "HEALPIX", "ORDERING": "RING", "COORDSYS": "GAL", "INDXSCHM": "IMPLICIT"}


def write_events(
    path: Path,
    direction: np.ndarray,
    energy: np.ndarray,
    time: np.ndarray,
    source: np.ndarray,
    epochs: tuple[Epoch, ...],
) -> None:
    """Write photons: tables EVENTS and GTI.

    Parameters
    ----------
    path : Path
        File.
    direction : ndarray of float64, shape (n, 3)
        Unit vectors, galactic.
    energy, time : ndarray of float64, shape (n,)
        Energies [keV] and times [UNIX s].
    source : ndarray of str, shape (n,)
        Name of the component that each photon is of, for checks.
    epochs : tuple of Epoch
        Good times.
    """
    lon, lat = vec_to_lonlat(rotate(rotation("galactic", "icrs"), direction))
    columns = {
        "EVENT_ID": (np.arange(energy.size), None),
        "TIME": (time, "s"),
        "RA": (lon % 360, "deg"),
        "DEC": (lat, "deg"),
        "ENERGY": (energy, "keV"),
        "SOURCE": (source, None),
    }
    bounds = {
        "START": (np.array([one.start for one in epochs]), "s"),
        "STOP": (np.array([one.stop for one in epochs]), "s"),
    }
    live = sum(one.live_fraction * (one.stop - one.start) for one in epochs)
    cards = _UNIX | {"RADESYS": "ICRS", "EQUINOX": 2000.0, "LIVETIME": live}
    _write(path, [("EVENTS", columns, cards), ("GTI", bounds, _UNIX)])


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


def write_exposure(path: Path, nside: int, acceptance: np.ndarray, telescope: Telescope) -> None:
    """Write the exposure [cm2 s] at the energies of the telescope."""
    values = np.outer(acceptance, telescope.exposure)
    columns = {f"ENERGY{n + 1}": (column, "cm2 s") for n, column in enumerate(values.T)}
    energies = {"Energy": (telescope.energy, "keV")}
    _write(path, [("HPXEXPOSURES", columns, _pixels(nside)), ("ENERGIES", energies, {})])


def write_point_spread(path: Path, telescope: Telescope) -> None:
    """Write the point spread function as gtpsf does."""
    columns = {
        "Energy": (telescope.energy, "keV"),
        "Exposure": (telescope.exposure, "cm2 s"),
        "Psf": (telescope.profile, "sr-1"),
    }
    angles = {"Theta": (np.degrees(telescope.theta), "deg")}
    _write(path, [("PSF", columns, {}), ("THETA", angles, {})])


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
