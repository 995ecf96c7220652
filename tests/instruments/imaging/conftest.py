"""Small files of imaging instruments, in the layouts that are read whole."""

import numpy as np
import pytest
from astropy.io import fits

BANDS = [1.0, 2.0, 4.0, 8.0]  # TeV
TRUE = [0.5, 1.0, 2.0, 4.0, 16.0]
RAD = np.linspace(0, 1.2, 25)  # deg
N_ROWS, N_COLUMNS, SIZE = 12, 16, 0.1


def gaussian(sigma, middle):
    """Density per square degree, made to have the integral 1 over the rings of RAD."""
    density = np.exp(-0.5 * (middle / sigma) ** 2)
    area = 2 * np.pi * -np.diff(np.cos(np.radians(RAD))) * np.degrees(1) ** 2
    return density / np.sum(density * area)


def dispersion():
    """Three quarters of the photons in the band of their energy, the rest one below."""
    matrix = np.zeros((4, 3))
    for true in range(4):
        for band, share in ((true - 1, 0.75), (true - 2, 0.25)):
            if 0 <= band < 3:
                matrix[true, band] = share
    return matrix


def sky_cards(n_rows, n_columns, size):
    cards = {"RADESYS": "ICRS", "CTYPE1": "RA---CAR", "CTYPE2": "DEC--CAR"}
    for index, (value, n, step) in enumerate(((83.6, n_columns, -size), (0, n_rows, size)), 1):
        cards |= {f"CRVAL{index}": value, f"CRPIX{index}": (n + 1) / 2, f"CDELT{index}": step}
        cards[f"CUNIT{index}"] = "deg"
    return cards


class MapDataset:
    """A MapDataset as gammapy writes it; tests change its maps and write it.

    `maps` has the values by name, `axes` the names of their axes from the last to the first.
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
            header = fits.Header(sky_cards(*values.shape[-2:], size))
            header["BUNIT"] = self.units.get(name, "")
            hdus += [fits.ImageHDU(values, header, name), self._bands(name)]
        fits.HDUList(hdus).writeto(path, overwrite=True)
        return str(path)

    def _bands(self, name):
        edges = {axis: np.asarray(self.edges[axis], float) for axis in self.axes[name]}
        low = np.meshgrid(*(values[:-1] for values in edges.values()), indexing="ij")
        high = np.meshgrid(*(values[1:] for values in edges.values()), indexing="ij")
        columns = [
            fits.Column(
                f"{axis}_{end}", "D", "deg" if axis == "RAD" else self.energy_unit, array=v.ravel()
            )
            for axis, *ends in zip(edges, low, high, strict=True)
            for end, v in zip(("MIN", "MAX"), ends, strict=True)
        ]
        table = fits.BinTableHDU.from_columns(columns, name=f"{name}_BANDS")
        for number, axis in enumerate(reversed(edges), 1):
            table.header[f"AXCOLS{number}"] = f"{axis}_MIN,{axis}_MAX"
        return table


class HealpixDataset:
    """The same kind of observation in the HEALPix layout; tests change it and write it."""

    bands, to_band = np.array(BANDS), dispersion()

    def __init__(self, nside=256, ordering="NESTED"):
        import healpy

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
        return self.units["EXPO"] if name.startswith("EXPO") else None

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
