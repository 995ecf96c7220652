"""A small event list with responses, in the format GADF, for tests."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

LON, LAT = 80.0, 20.0
"""Where the telescope points [deg, icrs]."""
TIME = 1000.0
"""Good time [s]."""
DEAD = 0.1
"""Fraction of it in which the telescope is dead."""
RATE = 4e-5
"""Background at 1 TeV [s-1 sr-1 MeV-1]; it falls with the square of the energy."""
AREA = 1e5
"""Effective area at the pointing [m2]; half of it at 2 deg."""
SIGMA = 0.1
"""Width of the point spread function [deg] at the pointing; twice at 2 deg."""
RESOLUTION = 0.1
"""Width of the energy dispersion, relative to the true energy."""

ENERGY = np.geomspace(0.1, 100, 25)
THETA = np.linspace(0, 2.5, 6)
MIGRA = np.linspace(0.2, 2.0, 91)
RING = np.linspace(0, 1.0, 101)
FIELD = np.linspace(-2.5, 2.5, 26)


def middle(edges: np.ndarray) -> np.ndarray:
    """Middles of bins."""
    return (edges[1:] + edges[:-1]) / 2


def write_dl3(
    path: Path,
    *,
    events: Mapping[str, np.ndarray] | None = None,
    psf: str = "PSF_TABLE",
    background: str = "BKG_3D",
    is_energy_first: bool = True,
    change: Callable[[Any], None] = lambda file: None,
    **keys: Any,
) -> Path:
    """Write the file.

    Parameters
    ----------
    path : Path
        Its position.
    events : dict of str to ndarray, optional
        Columns RA, DEC [deg], ENERGY [TeV], TIME [s]; some that are even when left out.
    psf, background : str
        Kinds of these responses.
    is_energy_first : bool
        Whether energies are the first axis of the columns, and the fastest.
    change : callable
        Changes the open file (an HDUList) before it is written.
    **keys
        Keywords of the table of events that are not as usual; None for none.
    """
    from astropy.io import fits

    rng = np.random.default_rng(1)
    if events is None:
        n = 400
        events = {
            "RA": LON + rng.uniform(-1.5, 1.5, n) / np.cos(np.radians(LAT)),
            "DEC": LAT + rng.uniform(-1.5, 1.5, n),
            "ENERGY": 1 / rng.uniform(1 / 20, 1 / 0.5, n),
            "TIME": rng.uniform(0, TIME, n),
        }
    units = {"RA": "deg", "DEC": "deg", "ENERGY": "TeV", "TIME": "s"}
    columns = [fits.Column(name, "D", units[name], array=one) for name, one in events.items()]
    table = fits.BinTableHDU.from_columns(columns, name="EVENTS")
    header = {
        **{"HDUCLASS": "GADF", "HDUCLAS1": "EVENTS", "OBS_ID": 7, "OBS_MODE": "WOBBLE"},
        **{"RA_PNT": LON, "DEC_PNT": LAT, "ONTIME": TIME, "LIVETIME": TIME * (1 - DEAD)},
        **{"MJDREFI": 55000, "MJDREFF": 0.0, "TIMEUNIT": "s", "TIMESYS": "TT"},
        **{"RADESYS": "ICRS", **keys},
    }
    table.header.update({key: value for key, value in header.items() if value is not None})
    ends = [
        fits.Column(name, "D", "s", array=[one]) for name, one in (("START", 0.0), ("STOP", TIME))
    ]
    good = fits.BinTableHDU.from_columns(ends, name="GTI")
    good.header.update({key: header[key] for key in ("MJDREFI", "MJDREFF", "TIMESYS")})
    responses = [
        area_table(is_energy_first),
        dispersion_table(is_energy_first),
        psf_table(psf, is_energy_first),
        background_table(background, is_energy_first),
    ]
    file = fits.HDUList([fits.PrimaryHDU(), table, good, *responses])
    change(file)
    file.writeto(path)
    return path


def response_table(
    name: str,
    kind: tuple[str, str],
    axes: Mapping[str, tuple[np.ndarray, str]],
    values: Mapping[str, tuple[np.ndarray, str]],
    *,
    is_energy_first: bool = True,
) -> Any:
    """Table of a response.

    Parameters
    ----------
    name : str
        Its name.
    kind : tuple of str
        HDUCLAS2 and HDUCLAS4.
    axes : dict of str to (ndarray, str)
        Edges of the axes and their units, the first the energy.
    values : dict of str to (ndarray, str)
        Values with these axes, and their units.
    is_energy_first : bool
        Whether the columns are in the order of the axes, or the other way round.
    """
    from astropy.io import fits

    order = list(axes) if is_energy_first else list(axes)[::-1]
    columns = []
    for axis in order:
        edges, unit = axes[axis]
        for end, part in (("LO", edges[:-1]), ("HI", edges[1:])):
            columns.append(
                fits.Column(f"{axis}_{end}", f"{part.size}E", unit, array=part[np.newaxis])
            )
    for column, (array, unit) in values.items():
        stored = array.transpose() if is_energy_first else array  # the first column is fastest
        dim = str(tuple(stored.shape[::-1])).replace(" ", "")
        columns.append(
            fits.Column(column, f"{stored.size}E", unit, dim=dim, array=stored[np.newaxis])
        )
    table = fits.BinTableHDU.from_columns(columns, name=name)
    table.header.update(
        {
            **{"HDUCLASS": "GADF", "HDUCLAS1": "RESPONSE", "HDUCLAS2": kind[0]},
            **{"HDUCLAS3": "FULL-ENCLOSURE", "HDUCLAS4": kind[1]},
        }
    )
    return table


_ENERGY_THETA = {"ENERG": (ENERGY, "TeV"), "THETA": (THETA, "deg")}


def area_table(is_energy_first: bool = True) -> Any:
    """AEFF_2D."""
    area = np.ones((len(ENERGY) - 1, 1)) * AREA * (1 - middle(THETA) / 4)
    axes, values = _ENERGY_THETA, {"EFFAREA": (area, "m2")}
    kind = "EFF_AREA", "AEFF_2D"
    return response_table("EFFECTIVE AREA", kind, axes, values, is_energy_first=is_energy_first)


def dispersion_table(is_energy_first: bool = True) -> Any:
    """EDISP_2D."""
    migra = middle(MIGRA)
    one = np.exp(-(((migra - 1) / RESOLUTION) ** 2) / 2) / (np.sqrt(2 * np.pi) * RESOLUTION)
    matrix = np.ones((len(ENERGY) - 1, 1, len(THETA) - 1)) * one[:, np.newaxis]
    energy, theta = _ENERGY_THETA.items()
    axes = dict([energy, ("MIGRA", (MIGRA, "")), theta])
    kind, values = ("EDISP", "EDISP_2D"), {"MATRIX": (matrix, "")}
    return response_table("ENERGY DISPERSION", kind, axes, values, is_energy_first=is_energy_first)


def psf_table(kind: str = "PSF_TABLE", is_energy_first: bool = True) -> Any:
    """PSF_TABLE or PSF_3GAUSS: a normal distribution."""
    width = np.ones((len(ENERGY) - 1, 1)) * SIGMA * (1 + middle(THETA) / 2)
    how, name = {"is_energy_first": is_energy_first}, "POINT SPREAD FUNCTION"
    if kind == "PSF_TABLE":
        sigma = np.radians(width)[..., np.newaxis]
        value = np.exp(-((np.radians(middle(RING)) / sigma) ** 2) / 2) / (2 * np.pi * sigma**2)
        axes, values = {**_ENERGY_THETA, "RAD": (RING, "deg")}, {"RPSF": (value, "sr-1")}
        return response_table(name, ("PSF", kind), axes, values, **how)
    none = np.zeros_like(width)
    sigmas = {f"SIGMA_{n}": (width if n == 1 else none, "deg") for n in (1, 2, 3)}
    values = {"SCALE": (none + 1, "sr-1"), **sigmas, "AMPL_2": (none, ""), "AMPL_3": (none, "")}
    return response_table(name, ("PSF", kind), _ENERGY_THETA, values, **how)


def background_table(kind: str = "BKG_3D", is_energy_first: bool = True) -> Any:
    """BKG_3D, whose rate grows with right ascension by half per degree, or BKG_2D."""
    at = np.sqrt(ENERGY[1:] * ENERGY[:-1])
    how, unit = {"is_energy_first": is_energy_first}, "s-1 sr-1 MeV-1"
    if kind == "BKG_2D":
        rate = RATE * at[:, np.newaxis] ** -2 * np.ones(len(THETA) - 1)
        values = {"BKG": (rate, unit)}
        return response_table("BACKGROUND", ("BKG", kind), _ENERGY_THETA, values, **how)
    slope = np.exp(np.log(1.5) * middle(FIELD))[:, np.newaxis]
    rate = RATE * at[:, np.newaxis, np.newaxis] ** -2 * slope * np.ones(len(FIELD) - 1)
    sides = ("DETX", "DETY") if is_energy_first else ("DETY", "DETX")  # as files of H.E.S.S.
    axes = {"ENERG": (ENERGY, "TeV"), **dict.fromkeys(sides, (FIELD, "deg"))}
    table = response_table("BACKGROUND", ("BKG", kind), axes, {"BKG": (rate, unit)}, **how)
    table.header["FOVALIGN"] = "RADEC"
    return table
