"""Files of unbinned events, FITS and HDF5, with the columns of cosipy."""

from pathlib import Path

import numpy as np

from skyquilt.instruments.compton.simulator.events import DrawnEvents
from skyquilt.io.hdf5_file import new_file
from skyquilt.io.products import new_product
from skyquilt.sky.frames import vec_to_lonlat


def event_columns(
    events: DrawnEvents, rng: np.random.Generator
) -> dict[str, tuple[np.ndarray, str]]:
    """Columns of an event file and their units.

    Local directions are azimuth and colatitude [rad], galactic ones longitude and latitude
    [deg], pointings longitude (-pi to pi) and latitude [rad], as in cosipy.

    Parameters
    ----------
    events : DrawnEvents
        The events.
    rng : numpy.random.Generator
        Random numbers of the distances between interactions, which no analysis here uses.

    Returns
    -------
    dict of str to tuple of ndarray and str
        Column and unit by name.
    """
    local = np.einsum("nij,nj->ni", events.axes, events.scattered)
    chi, elevation = (np.radians(angle) for angle in vec_to_lonlat(local))
    lon, lat = vec_to_lonlat(events.scattered)
    x, y, z = (_pointing(events.axes[:, axis]) for axis in range(3))
    distance = 0.5 + rng.exponential(3.0, events.time.size)
    return {
        "Energies": (events.energy, "keV"),
        "TimeTags": (events.time, "s"),
        "Xpointings (glon,glat)": (x, "rad"),
        "Ypointings (glon,glat)": (y, "rad"),
        "Zpointings (glon,glat)": (z, "rad"),
        "Phi": (events.phi, "rad"),
        "Chi local": (chi, "rad"),
        "Psi local": (np.pi / 2 - elevation, "rad"),
        "Distance": (distance, "cm"),
        "Chi galactic": (lon, "deg"),
        "Psi galactic": (lat, "deg"),
    }


def write_events(path: Path, columns: dict[str, tuple[np.ndarray, str]]) -> None:
    """Write an event file, whole or not at all; FITS if its name says so, else HDF5.

    Parameters
    ----------
    path : Path
        File to write.
    columns : dict of str to tuple of ndarray and str
        Column and unit by name.
    """
    with new_product(path) as partial:
        if ".fits" in path.suffixes:
            _write_fits(partial, columns)
        else:
            _write_hdf5(partial, columns)


def _write_fits(path: Path, columns: dict[str, tuple[np.ndarray, str]]) -> None:
    from astropy.io import fits

    table = [
        fits.Column(name, "D" if column.ndim == 1 else "2D", unit, array=column)
        for name, (column, unit) in columns.items()
    ]
    fits.BinTableHDU.from_columns(table).writeto(path)


def _write_hdf5(path: Path, columns: dict[str, tuple[np.ndarray, str]]) -> None:
    with new_file(path) as file:
        for name, (column, _) in columns.items():
            file.create_dataset(name, data=column, compression="gzip")


def _pointing(axis: np.ndarray) -> np.ndarray:
    """Longitude (-pi to pi) and latitude of an axis [rad], shape (n, 2)."""
    lon, lat = vec_to_lonlat(axis)
    return np.radians(np.stack([np.where(lon > 180, lon - 360, lon), lat], axis=1))
