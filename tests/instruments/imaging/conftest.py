"""Small files of imaging instruments: photons, cubes and responses in the layouts of Fermi-LAT, and
layouts that are read whole."""

from dataclasses import dataclass, field
from pathlib import Path

import healpy
import numpy as np
import pytest
from astropy.io import fits

from skyquilt.sky.frames import lonlat_to_vec, vec_to_lonlat
from skyquilt.sky.healpix import ring_to_vec
from skyquilt.testing.analyses import ask_one

BANDS = [1.0, 2.0, 4.0, 8.0]  # TeV
TRUE = [0.5, 1.0, 2.0, 4.0, 16.0]
RAD = np.linspace(0, 1.2, 25)  # deg
N_ROWS, N_COLUMNS, SIZE = 12, 16, 0.1


NSIDE = 16
EDGES = np.geomspace(10.0, 1000.0, 5)  # GeV
NODES = np.geomspace(10.0, 1000.0, 6)
INDEX = -2.0
EXPOSURE = 1e11  # cm2 s
THETA = np.linspace(0, 1, 600) ** 2 * 25.0  # deg
SOURCE = (120.0, 35.0)  # galactic


def gaussian(sigma, middle):
    """Density per square degree, made to have the integral 1 over the rings of RAD."""
    density = np.exp(-0.5 * (middle / sigma) ** 2)
    area = 2 * np.pi * -np.diff(np.cos(np.radians(RAD))) * np.degrees(1) ** 2
    return density / np.sum(density * area)


def dispersion():
    """Three quarters of the photons in the band of their energy, the rest one below."""
    matrix = np.zeros((4, 3))
    for true in range(4):
        for band, fraction in ((true - 1, 0.75), (true - 2, 0.25)):
            if 0 <= band < 3:
                matrix[true, band] = fraction
    return matrix


def sky_cards(n_rows, n_columns, size):
    cards = {"RADESYS": "ICRS", "CTYPE1": "RA---CAR", "CTYPE2": "DEC--CAR"}
    for index, (value, n, step) in enumerate(((83.6, n_columns, -size), (0, n_rows, size)), 1):
        cards |= {f"CRVAL{index}": value, f"CRPIX{index}": (n + 1) / 2, f"CDELT{index}": step}
        cards[f"CUNIT{index}"] = "deg"
    return cards


def middle(axis, low, high):
    return (low + high) / 2 if axis in ("RAD", "MIGRA") else np.sqrt(low * high)


class MapDataset:
    """A MapDataset as gammapy writes it; tests change its maps and write it.

    `maps` has the values by name, `axes` the names of their axes from the last to the first,
    `cards` what is else in the header of a map, `nodes` the pairs of map and axis that are given by
    nodes, and `regions` the maps that are tables of a region.
    """

    bands, to_band = np.array(BANDS), dispersion()
    edges = {"E": BANDS, "ENERGY_TRUE": TRUE, "RAD": RAD}

    def __init__(self, by="E"):
        shape = (N_ROWS, N_COLUMNS)
        rng = np.random.default_rng(3)
        background = rng.uniform(0.5, 2, (3, *shape))
        middle = (RAD[1:] + RAD[:-1]) / 2
        widths = (0.3, 0.2, 0.15) if by == "E" else (0.4, 0.3, 0.2, 0.15)
        spread = np.array([gaussian(sigma, middle) for sigma in widths])
        exposure = np.arange(1, 5)[:, None, None] * 1e8 * np.ones(shape)
        self.maps = {
            "COUNTS": rng.poisson(background).astype(np.float32),
            "BACKGROUND": background,
            "EXPOSURE": exposure,
            "PSF": np.broadcast_to(spread[..., None, None], (*spread.shape, 4, 4)).copy(),
            "EDISP": np.broadcast_to(dispersion()[..., None, None], (4, 3, 4, 4)).copy(),
            "MASK_SAFE": np.ones((3, *shape), int),
        }
        by_energy = {name: ["E"] for name in ("COUNTS", "BACKGROUND", "MASK_SAFE")}
        self.axes = by_energy | {
            "EXPOSURE": ["ENERGY_TRUE"],
            "PSF": [by, "RAD"],
            "EDISP": ["ENERGY_TRUE", "E"],
        }
        self.units = {"EXPOSURE": "m2 s", "PSF": "deg-2"}
        self.energy_unit = "TeV"
        self.cards, self.nodes, self.regions = {}, set(), set()

    def by_band(self):
        """Counts and background by pixel and band."""
        return (self.maps[name].reshape(3, -1).T for name in ("COUNTS", "BACKGROUND"))

    def set_pixel(self, **values):
        """Set all bands of one pixel: `counts=`, `background=`."""
        for what, value in values.items():
            self.maps[what.upper()][:, 2, 3] = value

    def scale_psf(self, factor):
        self.maps["PSF"] *= factor

    def write(self, path):
        hdus = [fits.PrimaryHDU()]
        for name, values in self.maps.items():
            size = SIZE if values.shape[-1] == N_COLUMNS else 1.0
            cards = sky_cards(*values.shape[-2:], size) | self.cards.get(name, {})
            header = fits.Header(cards | {"BUNIT": self.units.get(name, "")})
            image = fits.ImageHDU(values, header, name)
            hdus += [self._region(name) if name in self.regions else image, self._bands(name)]
        fits.HDUList(hdus).writeto(path, overwrite=True)
        return str(path)

    def _region(self, name):
        values = self.maps[name][..., 1, 1].ravel()
        unit = self.units.get(name)
        columns = [
            fits.Column("CHANNEL", "I", array=np.arange(values.size)),
            fits.Column("DATA", "D", unit, array=values),
        ]
        return fits.BinTableHDU.from_columns(columns, name=name)

    def _bands(self, name):
        edges = {axis: np.asarray(self.edges[axis], float) for axis in self.axes[name]}
        low = np.meshgrid(*(values[:-1] for values in edges.values()), indexing="ij")
        high = np.meshgrid(*(values[1:] for values in edges.values()), indexing="ij")
        units = {"RAD": "deg", "MIGRA": ""}
        columns = [
            fits.Column(f"{axis}{end}", "D", units.get(axis, self.energy_unit), array=v.ravel())
            for axis, *ends in zip(edges, low, high, strict=True)
            for end, v in zip(("_MIN", "_MAX", ""), (*ends, middle(axis, *ends)), strict=True)
        ]
        table = fits.BinTableHDU.from_columns(columns, name=f"{name}_BANDS")
        for number, axis in enumerate(reversed(edges), 1):
            is_node = (name, axis) in self.nodes
            table.header[f"AXCOLS{number}"] = axis if is_node else f"{axis}_MIN,{axis}_MAX"
        return table


class HealpixDataset:
    """The same kind of observation in the HEALPix layout; tests change it and write it."""

    bands, to_band = np.array(BANDS), dispersion()

    def __init__(self, nside=256, ordering="NESTED"):
        center = healpy.ang2vec(83.6, 0.0, lonlat=True)
        nest = ordering == "NESTED"
        ipix = healpy.query_disc(nside, center, np.radians(1.5), nest=nest)
        rng = np.random.default_rng(4)
        self.background = rng.uniform(0.5, 2, (ipix.size, 3))
        self.columns = {"PIX": ipix}
        for band in range(3):
            self.columns[f"COUNTS{band + 1}"] = rng.poisson(self.background[:, band])
            self.columns[f"BKG{band + 1}"] = self.background[:, band]
        for true in range(4):
            self.columns[f"EXPO{true + 1}"] = np.full(ipix.size, 1e8 * (true + 1))
        self.cards = {"NSIDE": nside, "ORDERING": ordering, "COORDSYS": "C"}
        middle = (RAD[1:] + RAD[:-1]) / 2
        per_sr = np.degrees(1) ** 2
        self.psf = np.array([gaussian(s, middle) for s in (0.4, 0.3, 0.2, 0.15)]) * per_sr
        self.edisp = dispersion()
        self.units = {"EXPO": "m2 s", "E": "TeV", "PSF": "sr-1", "THETA": "deg"}

    def by_band(self):
        """Counts and background by pixel and band."""
        names = ("COUNTS", "BKG")
        return (np.stack([self.columns[f"{n}{b}"] for b in (1, 2, 3)], 1) for n in names)

    def set_pixel(self, **values):
        """Set all bands of one pixel: `counts=`, `background=`."""
        for what, value in values.items():
            for band in (1, 2, 3):
                name = {"counts": "COUNTS", "background": "BKG"}[what] + str(band)
                column = np.array(self.columns[name], float)
                column[5] = value
                self.columns[name] = column

    def scale_psf(self, factor):
        self.psf *= factor

    def write(self, path):
        table = fits.BinTableHDU.from_columns(
            [
                fits.Column(n, "K" if n == "PIX" else "D", self._unit(n), array=v)
                for n, v in self.columns.items()
            ],
            name="SKYMAP",
        )
        table.header.update(self.cards)
        hdus = [fits.PrimaryHDU(), table, self._energies("EBOUNDS", BANDS)]
        spread = [
            fits.Column("PSF", f"{self.psf.shape[1]}D", self.units["PSF"], array=self.psf),
            fits.Column("EDISP", f"{self.edisp.shape[1]}D", array=self.edisp),
        ]
        hdus.append(self._energies("IRF_CRAB", TRUE, spread))
        theta = [
            fits.Column(f"THETA_{end}", "D", self.units["THETA"], array=values)
            for end, values in (("LO", RAD[:-1]), ("HI", RAD[1:]))
        ]
        hdus.append(fits.BinTableHDU.from_columns(theta, name="THETA"))
        fits.HDUList(hdus).writeto(path, overwrite=True)
        return str(path)

    def _unit(self, name):
        return self.units.get(name.rstrip("0123456789"))

    def _energies(self, name, edges, more=()):
        ends = (("E_MIN", edges[:-1]), ("E_MAX", edges[1:]))
        columns = [fits.Column(n, "D", self.units["E"], array=v) for n, v in ends]
        return fits.BinTableHDU.from_columns([*columns, *more], name=name)


@pytest.fixture
def map_dataset():
    """`map_dataset(by="E")`: dataset whose point spread goes by measured or true energy."""
    return MapDataset


@pytest.fixture
def healpix_dataset():
    """`healpix_dataset(nside, ordering)`: dataset in the HEALPix layout."""
    return HealpixDataset


@pytest.fixture(params=[MapDataset, HealpixDataset], ids=["map", "healpix"])
def dataset(request):
    """Dataset in each of the layouts; `to_band` is its energy dispersion, `bands` its energies."""
    return request.param()


def sigma(energy):
    """Width of the point spread function [deg]."""
    return 0.8 * (energy / 10.0) ** -0.2


def exposure_at(directions):
    """Exposure relative to its mean, in the galactic frame."""
    return 1 + 0.3 * directions[:, 2]


UNIX_CLOCK = {"MJDREFI": 40587, "MJDREFF": 0.0, "TIMESYS": "UTC"}


@dataclass
class ImagingSky:
    """Files of a telescope in a folder, and the analysis that names them.

    Frames are galactic, energies GeV; background is isotropic with dN/dE ~ E^-2.
    """

    folder: Path
    background_counts: float = 4000.0
    source_counts: float = 0.0
    seed: int = 1
    headers: dict = field(default_factory=dict)

    def path(self, name):
        return str(self.folder / name)

    def settings(self, kind="events"):
        return {
            "instrument": "imaging",
            "data": {
                kind: {"path": self.path(f"{kind}.fits")},
                "background": {"path": self.path("background.fits")},
                "exposure": {"path": self.path("exposure.fits")},
                "psf": {"path": self.path("psf.fits")},
            },
            "spectrum": {
                "model": "power_law",
                "norm": "1e-14 cm-2 s-1 keV-1",
                "pivot": "10 GeV",
                "index": INDEX,
            },
            "map": {"nside": 4},
        }

    def analysis(self, kind="events", **data):
        settings = self.settings(kind)
        for section, change in data.items():
            if section == "energy":
                settings["energy"] = change
            else:
                settings["data"][section] = {**settings["data"].get(section, {}), **change}
        return ask_one(settings)

    # --- the measurement ---

    def photons(self):
        """Directions and energies [GeV] of background and source."""
        rng = np.random.default_rng(self.seed)
        n = rng.poisson(self.background_counts)
        direction = rng.normal(size=(2 * n, 3))
        direction /= np.linalg.norm(direction, axis=1)[:, np.newaxis]
        kept = rng.uniform(0, 1.3, 2 * n) < exposure_at(direction)
        direction = direction[kept][:n]
        source, energy = self.source_photons(rng)
        directions = np.concatenate([direction, source])
        return directions, np.concatenate([self.energies(rng, len(direction)), energy])

    def source_photons(self, rng):
        center = lonlat_to_vec(*SOURCE)
        seen = self.source_counts * exposure_at(center[np.newaxis])[0]
        energy = self.energies(rng, rng.poisson(seen))
        theta = np.radians(sigma(energy) * np.sqrt(-2 * np.log(rng.uniform(size=len(energy)))))
        phi = rng.uniform(0, 2 * np.pi, len(energy))
        east = np.cross([0.0, 0.0, 1.0], center)
        east /= np.linalg.norm(east)
        north = np.cross(center, east)
        around = np.cos(phi)[:, np.newaxis] * east + np.sin(phi)[:, np.newaxis] * north
        return np.cos(theta)[:, None] * center + np.sin(theta)[:, None] * around, energy

    def energies(self, rng, n):
        low, high = 1 / EDGES[0], 1 / EDGES[-1]
        return 1 / rng.uniform(high, low, n)

    def expected(self):
        """Expected background per pixel and band."""
        fraction = -np.diff(1 / EDGES) / (1 / EDGES[0] - 1 / EDGES[-1])
        shape = exposure_at(ring_to_vec(NSIDE, np.arange(12 * NSIDE**2)))
        return self.background_counts * np.outer(shape / shape.sum(), fraction)

    def counts(self):
        direction, energy = self.photons()
        band = np.searchsorted(EDGES, energy, side="right") - 1
        ipix = healpy.vec2pix(NSIDE, *direction.T)
        return np.bincount(ipix * 4 + band, minlength=12 * NSIDE**2 * 4).reshape(-1, 4)

    # --- the files ---

    def write(self, kind="events"):
        self.write_cube("background.fits", self.expected())
        self.write_exposure()
        self.write_psf()
        if kind == "events":
            self.write_events()
        else:
            self.write_cube("counts.fits", self.counts())
        return self

    def write_events(self, time=None, gti=((0.0, 100.0),), energy_unit="GeV", **replaced):
        direction, energy = self.photons()
        lon, lat = vec_to_lonlat(direction)
        time = np.linspace(0, 100, len(lon)) if time is None else time
        columns = {"L": (lon, "deg"), "B": (lat, "deg"), "ENERGY": (energy, energy_unit)}
        columns |= {"TIME": (time, "s"), **replaced}
        tables = [("EVENTS", columns, {})]
        if gti is not None:
            start, stop = np.transpose(gti)
            tables.append(("GTI", {"START": (start, "s"), "STOP": (stop, "s")}, UNIX_CLOCK))
        self.write_tables("events.fits", *tables)

    def write_cube(self, name, values, ordering="RING", edges=EDGES, unit="GeV", ipix=None, **keys):
        header = {"PIXTYPE": "HEALPIX", "ORDERING": ordering, "NSIDE": NSIDE, "COORDSYS": "GAL"}
        columns = {} if ipix is None else {"PIX": (ipix, None)}
        columns |= {f"CHANNEL{k + 1}": (v, None) for k, v in enumerate(np.transpose(values))}
        bounds = {"E_MIN": (edges[:-1], unit), "E_MAX": (edges[1:], unit)}
        kept = {key: value for key, value in {**header, **keys}.items() if value is not None}
        self.write_tables(name, ("SKYMAP", columns, kept), ("EBOUNDS", bounds, {}))

    def write_exposure(self, values=None, nodes=NODES, unit="cm2 s", energy_unit="GeV", **keys):
        if values is None:
            shape = exposure_at(ring_to_vec(8, np.arange(768)))
            values = EXPOSURE * np.outer(shape, np.ones(len(nodes)))
        header = {"PIXTYPE": "HEALPIX", "ORDERING": "RING", "NSIDE": 8, "COORDSYS": "GAL", **keys}
        columns = {f"ENERGY{k + 1}": (v, unit) for k, v in enumerate(np.transpose(values))}
        kept = {key: value for key, value in header.items() if value is not None}
        energies = ("ENERGIES", {"Energy": (nodes, energy_unit)}, {})
        self.write_tables("exposure.fits", ("HPXEXPOSURES", columns, kept), energies)

    def write_psf(self, factor=1.0, energy_unit="GeV", angle_unit="deg"):
        width = np.radians(sigma(NODES))[:, np.newaxis]
        psf = factor * np.exp(-((np.radians(THETA) / width) ** 2) / 2) / (2 * np.pi * width**2)
        table = {"Energy": (NODES, energy_unit), "Psf": (psf, "sr-1")}
        angles = {"Theta": (THETA, angle_unit)}
        self.write_tables("psf.fits", ("PSF", table, {}), ("THETA", angles, {}))

    def write_tables(self, name, *tables):
        hdus = [fits.PrimaryHDU()]
        for title, columns, header in tables:
            made = [
                fits.Column(
                    key,
                    f"{np.prod(np.shape(values)[1:], dtype=int)}D",
                    unit=unit,
                    array=np.asarray(values),
                )
                for key, (values, unit) in columns.items()
            ]
            hdu = fits.BinTableHDU.from_columns(made, name=title)
            hdu.header.update(header)
            hdus.append(hdu)
        fits.HDUList(hdus).writeto(self.path(name), overwrite=True)


@pytest.fixture
def sky(tmp_path):
    """Files of a small telescope, not written yet."""
    return ImagingSky(tmp_path)


@pytest.fixture
def make_sky(tmp_path):
    """Make one with other numbers."""
    return lambda **options: ImagingSky(tmp_path, **options)
