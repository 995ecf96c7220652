"""Small files of imaging telescopes: a source at the middle of a few degrees, or a whole sky."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import healpy
import numpy as np
from astropy.io import fits
from astropy.table import Table

EDGES = np.geomspace(10.0, 1000.0, 4)  # GeV
NODES = np.geomspace(10.0, 1000.0, 5)
NSIDE = 8
THETA = np.linspace(0, 1, 300) ** 2 * 25.0  # deg
PLACE = (83.6, 0.0)
_BANDS = np.array([1.0, 2.0, 4.0])  # TeV
_TRUE = np.array([0.5, 1.0, 2.0, 8.0])
_RAD = np.linspace(0, 1.2, 25)  # deg


def write_imaging_files(folder: Path) -> None:
    """Write all of them."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(1)
    expected = np.full((12 * NSIDE**2, 3), 2.0) * [2, 1, 0.5]
    counts = rng.poisson(expected)
    counts[100] += [60, 30, 15]
    _write(folder / "background.fits", _cube(expected))
    _write(folder / "counts.fits", _cube(counts))
    _write(folder / "exposure.fits", _exposure())
    _write(folder / "psf.fits", _point_spread())
    _write(folder / "events.fits", _events(counts, rng))
    for name, values in (("wcs_counts", counts), ("wcs_background", expected)):
        _write(folder / f"{name}.fits", _wcs_cube(values))
    _write(folder / "dataset.fits", _map_dataset(rng))
    _write(folder / "pixels.fits", _healpix_dataset(rng))
    _write_catalogues(folder)


def _write(path: Path, hdus: list) -> None:
    fits.HDUList([fits.PrimaryHDU(), *hdus]).writeto(path, overwrite=True)


def _table(name: str, columns: Mapping[str, tuple], cards: Mapping[str, Any] = {}) -> Any:
    made = [
        fits.Column(key, f"{np.prod(np.shape(v)[1:], dtype=int)}D", unit=unit, array=np.asarray(v))
        for key, (v, unit) in columns.items()
    ]
    table = fits.BinTableHDU.from_columns(made, name=name)
    table.header.update(cards)
    return table


def _healpix_cards(nside: int) -> dict[str, Any]:
    return {"PIXTYPE": "HEALPIX", "ORDERING": "RING", "NSIDE": nside, "COORDSYS": "GAL"}


def _bounds() -> Any:
    return _table("EBOUNDS", {"E_MIN": (EDGES[:-1], "GeV"), "E_MAX": (EDGES[1:], "GeV")})


def _cube(values: np.ndarray) -> list:
    columns = {f"CHANNEL{k + 1}": (v, None) for k, v in enumerate(values.T)}
    return [_table("SKYMAP", columns, _healpix_cards(NSIDE)), _bounds()]


def _exposure() -> list:
    z = healpy.pix2vec(4, np.arange(192))[2]
    columns = {f"ENERGY{k + 1}": (1e11 * (1 + 0.3 * z), "cm2 s") for k in range(NODES.size)}
    cards = _healpix_cards(4)
    return [
        _table("HPXEXPOSURES", columns, cards),
        _table("ENERGIES", {"Energy": (NODES, "GeV")}),
    ]


def _point_spread() -> list:
    width = np.radians(2.0 * (NODES / 10.0) ** -0.2)[:, np.newaxis]
    psf = np.exp(-((np.radians(THETA) / width) ** 2) / 2) / (2 * np.pi * width**2)
    table = {"Energy": (NODES, "GeV"), "Psf": (psf, "sr-1")}
    return [_table("PSF", table), _table("THETA", {"Theta": (THETA, "deg")})]


def _events(counts: np.ndarray, rng: np.random.Generator) -> list:
    pixel, band = (
        np.repeat(index, counts.ravel()) for index in np.indices(counts.shape).reshape(2, -1)
    )
    lon, lat = healpy.pix2ang(NSIDE, pixel, lonlat=True)
    energy = np.exp(rng.uniform(np.log(EDGES[band]), np.log(EDGES[band + 1])))
    time = np.linspace(0, 100, pixel.size)
    columns = {"L": (lon, "deg"), "B": (lat, "deg"), "ENERGY": (energy, "GeV"), "TIME": (time, "s")}
    clock = {"MJDREFI": 51910, "MJDREFF": 7.428703703703703e-4, "TIMESYS": "TT"}
    gti = _table("GTI", {"START": ([0.0], "s"), "STOP": ([100.0], "s")}, clock)
    return [_table("EVENTS", columns, clock), gti]


def _wcs_cube(values: np.ndarray) -> list:
    """The counts of the HEALPix cube near its source, in the pixels of a projection."""
    lon, lat = healpy.pix2ang(NSIDE, 100, lonlat=True)
    header = fits.Header({"CTYPE1": "GLON-CAR", "CTYPE2": "GLAT-CAR"})
    header.update(CRVAL1=lon, CRVAL2=0.0, CDELT1=-5.0, CDELT2=5.0, CUNIT1="deg", CUNIT2="deg")
    header.update(CRPIX1=6.5, CRPIX2=5.5 - lat / 5)
    image = np.zeros((3, 10, 12))
    image[:] = values.mean(axis=0)[:, np.newaxis, np.newaxis] * 0.5
    image[:, 4, 6] = values[100]
    if np.issubdtype(values.dtype, np.integer):
        image = np.rint(image)
    primary = fits.ImageHDU(image, header, name="MAP")
    return [primary, _bounds()]


def _gaussian(sigma: float) -> np.ndarray:
    density = np.exp(-0.5 * ((_RAD[1:] + _RAD[:-1]) / 2 / sigma) ** 2)
    area = 2 * np.pi * -np.diff(np.cos(np.radians(_RAD))) * np.degrees(1) ** 2
    return density / np.sum(density * area)


_DISPERSION = np.array([[0.3, 0.0], [0.9, 0.1], [0.1, 0.9]])


def _map_dataset(rng: np.random.Generator) -> list:
    shape = (8, 10)
    background = np.full((2, *shape), 1.5)
    counts = rng.poisson(background).astype(np.float32)
    counts[:, 4, 5] += [30, 15]
    spread = np.array([_gaussian(sigma) for sigma in (0.3, 0.2)])
    maps = {
        "COUNTS": (counts, ["E"], ""),
        "BACKGROUND": (background, ["E"], ""),
        "EXPOSURE": (np.full((3, *shape), 1e9), ["ENERGY_TRUE"], "m2 s"),
        "PSF": (np.tile(spread[..., None, None], (3, 3)), ["E", "RAD"], "deg-2"),
        "EDISP": (np.tile(_DISPERSION[..., None, None], (3, 3)), ["ENERGY_TRUE", "E"], ""),
        "MASK_SAFE": (np.ones((2, *shape), int), ["E"], ""),
    }
    edges = {"E": _BANDS, "ENERGY_TRUE": _TRUE, "RAD": _RAD}
    hdus = []
    for name, (values, axes, unit) in maps.items():
        header = fits.Header({"RADESYS": "ICRS", "CTYPE1": "RA---CAR", "CTYPE2": "DEC--CAR"})
        step = 0.1 if values.shape[-1] == 10 else 0.5
        for axis, (value, sign) in enumerate(zip(PLACE, (-1, 1), strict=True), 1):
            header.update({f"CRVAL{axis}": value, f"CDELT{axis}": sign * step})
            header.update({f"CUNIT{axis}": "deg", f"CRPIX{axis}": (values.shape[-axis] + 1) / 2})
        header["BUNIT"] = unit
        hdus += [fits.ImageHDU(values, header, name), _axes_table(name, axes, edges)]
    return hdus


def _axes_table(name: str, axes: list[str], edges: Mapping[str, np.ndarray]) -> Any:
    low = np.meshgrid(*(edges[axis][:-1] for axis in axes), indexing="ij")
    high = np.meshgrid(*(edges[axis][1:] for axis in axes), indexing="ij")
    columns = {}
    for axis, *ends in zip(axes, low, high, strict=True):
        for end, values in zip(("MIN", "MAX"), ends, strict=True):
            columns[f"{axis}_{end}"] = (values.ravel(), "deg" if axis == "RAD" else "TeV")
    cards = {f"AXCOLS{n}": f"{axis}_MIN,{axis}_MAX" for n, axis in enumerate(reversed(axes), 1)}
    return _table(f"{name}_BANDS", columns, cards)


def _healpix_dataset(rng: np.random.Generator) -> list:
    nside = 256
    center = healpy.ang2vec(*PLACE, lonlat=True)
    ipix = healpy.query_disc(nside, center, np.radians(1.5), nest=True)
    columns: dict[str, tuple] = {"PIX": (ipix, None)}
    for band in (1, 2):
        counts = rng.poisson(1.5, ipix.size)
        counts[ipix.size // 2] += 30
        columns[f"COUNTS{band}"] = (counts, None)
        columns[f"BKG{band}"] = (np.full(ipix.size, 1.5), None)
    for true in (1, 2, 3):
        columns[f"EXPO{true}"] = (np.full(ipix.size, 1e9), "m2 s")
    cards = {"NSIDE": nside, "ORDERING": "NESTED", "COORDSYS": "C"}
    spread = np.array([_gaussian(s) for s in (0.4, 0.3, 0.2)]) * np.degrees(1) ** 2
    bands = {"E_MIN": (_BANDS[:-1], "TeV"), "E_MAX": (_BANDS[1:], "TeV")}
    true = {"E_MIN": (_TRUE[:-1], "TeV"), "E_MAX": (_TRUE[1:], "TeV")}
    true |= {"PSF": (spread, "sr-1"), "EDISP": (_DISPERSION, None)}
    theta = {"THETA_LO": (_RAD[:-1], "deg"), "THETA_HI": (_RAD[1:], "deg")}
    return [
        _table("SKYMAP", columns, cards),
        _table("EBOUNDS", bands),
        _table("IRF_CRAB", true),
        _table("THETA", theta),
    ]


def _write_catalogues(folder: Path) -> None:
    lon, lat = healpy.pix2ang(NSIDE, [100, 300, 500], lonlat=True)
    table = Table({"Name": ["one", "two", "three"], "GLON": lon, "GLAT": lat, "r95": [0.1] * 3})
    for name in ("GLON", "GLAT", "r95"):
        table[name].unit = "deg"
    for ending, form in (("fits", None), ("ecsv", None), ("csv", "ascii.csv"), ("vot", "votable")):
        table.write(folder / f"known.{ending}", overwrite=True, format=form)
