"""Cubes of images: a source of known flux in them, against sums over small pixels; bad input."""

import numpy as np
import pytest
from astropy.io import fits

from skyquilt.errors import ConfigError, InputError
from skyquilt.fit.pixels import fit_pixels
from skyquilt.instruments.imaging.prepare import make_problem
from skyquilt.instruments.imaging.projection import read_projection
from skyquilt.instruments.imaging.wcs import pixel_vertices
from skyquilt.instruments.imaging.wcs_cube import read_wcs_bands
from skyquilt.sky.frames import lonlat_to_vec
from skyquilt.spectra import integrate
from skyquilt.status import NO_EXPOSURE
from skyquilt.testing.analyses import ask_one

EDGES = np.array([10.0, 30.0, 100.0])  # GeV
NODES = np.array([10.0, 30.0, 100.0])
THETA = np.linspace(0, 4, 400)  # deg
WIDTH = np.array([0.45, 0.3, 0.3])  # deg, at the nodes
SHAPE = (40, 50)
SIZE = 0.2
EXPOSURE = 3e11
SOURCE = (81.2, 40.7)


class WcsSky:
    """Counts that are just those expected of a source of unit flux, and the files of it."""

    def __init__(self, folder):
        self.folder = folder
        self.cards = {"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "RADESYS": "ICRS"}
        for index, (value, n, step) in enumerate(((82.0, 50, -SIZE), (41.0, 40, SIZE)), 1):
            self.cards |= {f"CRVAL{index}": value, f"CRPIX{index}": (n + 1) / 2}
            self.cards |= {f"CDELT{index}": step, f"CUNIT{index}": "deg"}
        self.background = np.full((2, *SHAPE), 0.7)
        self.exposure = np.full((3, *SHAPE), EXPOSURE)
        self.energy_unit, self.exposure_unit = "GeV", "cm2 s"

    def analysis(self, **data):
        settings = {
            "instrument": "imaging",
            "data": {
                section: {"path": str(self.folder / f"{section}.fits")} | data.get(section, {})
                for section in ("counts", "background", "exposure", "psf")
            },
            "spectrum": {
                "model": "power_law",
                "norm": "1e-9 cm-2 s-1 GeV-1",
                "pivot": "10 GeV",
                "index": -2,
            },
        }
        return ask_one(settings)

    def expected(self):
        """Counts of the source in each band, from 12 by 12 places in each pixel."""
        header = fits.Header(self.cards | {"NAXIS": 2, "NAXIS1": SHAPE[1], "NAXIS2": SHAPE[0]})
        vertices, _ = pixel_vertices(read_projection(header, "x"))
        fraction = (np.arange(12) + 0.5) / 12
        s, t = (values.ravel() for values in np.meshgrid(fraction, fraction))
        weights = np.stack([(1 - s) * (1 - t), s * (1 - t), s * t, (1 - s) * t])
        places = np.einsum("pvk,vq->pqk", vertices, weights)
        places /= np.linalg.norm(places, axis=-1, keepdims=True)
        across = np.cross(vertices[:, 2] - vertices[:, 0], vertices[:, 3] - vertices[:, 1])
        area = np.linalg.norm(across, axis=-1) / 2
        theta = 2 * np.arcsin(np.linalg.norm(places - lonlat_to_vec(*SOURCE), axis=-1) / 2)
        counts = []
        for band in range(2):
            energy = np.geomspace(EDGES[band], EDGES[band + 1], 41)
            photons = integrate(self.analysis().spectrum, energy * 1e6) * EXPOSURE
            middle = np.log(np.sqrt(energy[1:] * energy[:-1]))
            profiles = np.array([gaussian(theta, np.radians(width)) for width in WIDTH])
            mean = [photons @ interpolated(middle, k) for k in range(3)]
            counts.append(np.tensordot(mean, profiles, 1).mean(axis=1) * area)
        return np.reshape(counts, (2, *SHAPE))

    def write(self, *, with_source=True):
        bounds = {"E_MIN": (EDGES[:-1], self.energy_unit), "E_MAX": (EDGES[1:], self.energy_unit)}
        counts = self.background + (self.expected() if with_source else 1)
        self.write_cube("counts", counts, "", table("EBOUNDS", bounds))
        self.write_cube("background", self.background, "", table("EBOUNDS", bounds))
        nodes = {"Energy": (NODES, self.energy_unit)}
        self.write_cube("exposure", self.exposure, self.exposure_unit, table("ENERGIES", nodes))
        psf = np.array([gaussian(np.radians(THETA), np.radians(width)) for width in WIDTH])
        tables = [
            table("PSF", {"Energy": (NODES, "GeV"), "Psf": (psf, "sr-1")}),
            table("THETA", {"Theta": (THETA, "deg")}),
        ]
        fits.HDUList([fits.PrimaryHDU(), *tables]).writeto(self.folder / "psf.fits", overwrite=True)
        return self

    def write_cube(self, name, values, unit, energies, **cards):
        header = fits.Header(self.cards | {"BUNIT": unit} | cards)
        hdus = fits.HDUList([fits.PrimaryHDU(values, header), energies])
        hdus.writeto(self.folder / f"{name}.fits", overwrite=True)


def gaussian(theta, width):
    return np.exp(-((theta / width) ** 2) / 2) / (2 * np.pi * width**2)


def interpolated(log_energy, node):
    """Share of a node, linear in the logarithm of energy."""
    return np.interp(log_energy, np.log(NODES), np.eye(3)[node])


def table(name, columns):
    made = [
        fits.Column(key, f"{np.size(values[0])}D", unit, array=values)
        for key, (values, unit) in columns.items()
    ]
    return fits.BinTableHDU.from_columns(made, name=name)


@pytest.fixture
def wcs_sky(tmp_path):
    return WcsSky(tmp_path)


def test_source_of_known_flux_is_found_in_an_image(wcs_sky):
    problem = make_problem(wcs_sky.write().analysis())

    near = lonlat_to_vec(*np.array([SOURCE, (82.0, 41.0)]).T)
    fit = fit_pixels(problem, near)

    assert problem.frame == "icrs"
    assert problem.counts.size == 2 * 40 * 50
    # 12 by 12 places in pixels of half a width: 1e-4; photons beyond the reach, below 1e-3
    assert fit.flux[0] == pytest.approx(1, abs=1e-3)
    assert fit.npred[0] == pytest.approx(wcs_sky.expected().sum(), rel=1e-3)
    assert fit.ts[0] > fit.ts[1] + 100


def test_galactic_image_is_a_problem_in_galactic_coordinates(wcs_sky):
    wcs_sky.cards |= {"CTYPE1": "GLON-TAN", "CTYPE2": "GLAT-TAN"}

    problem = make_problem(wcs_sky.write().analysis())

    assert problem.frame == "galactic"
    assert fit_pixels(problem, lonlat_to_vec(*np.transpose([SOURCE]))).flux[0] == pytest.approx(
        1, abs=1e-3
    )


def test_units_that_are_in_no_header_are_those_of_the_analysis(wcs_sky):
    wcs_sky.energy_unit, wcs_sky.exposure_unit = None, ""
    wcs_sky.write()
    in_gev = {"energy_unit": "GeV"}

    found = make_problem(
        wcs_sky.analysis(counts=in_gev, background=in_gev, exposure=in_gev | {"unit": "cm2 s"})
    )

    assert found.description.energy_range_keV == pytest.approx((1e7, 1e8))
    with pytest.raises(ConfigError, match=r"counts\.fits: its header has no unit for the energies"):
        make_problem(wcs_sky.analysis())


def test_frame_that_contradicts_the_header_is_refused(wcs_sky):
    wcs_sky.write()

    with pytest.raises(InputError, match=r"counts\.fits: the header says icrs"):
        make_problem(wcs_sky.analysis(counts={"frame": "galactic"}))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"CRVAL2": 42.0}, "background.fits: the CRVAL2 is 41.0 in the first and 42.0"),
        ({"CDELT1": -0.3}, "background.fits: the CDELT1 is"),
        ({"CTYPE1": "GLON-TAN", "CTYPE2": "GLAT-TAN"}, "background.fits: the frame is icrs"),
    ],
)
def test_background_in_other_pixels_is_refused(wcs_sky, change, message):
    wcs_sky.write()
    bounds = table("EBOUNDS", {"E_MIN": (EDGES[:-1], "GeV"), "E_MAX": (EDGES[1:], "GeV")})
    wcs_sky.write_cube("background", wcs_sky.background, "", bounds, **change)

    with pytest.raises(InputError, match=message):
        make_problem(wcs_sky.analysis())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.background.__setitem__((0, 3, 4), -1), r"d\.fits: 1 values|s\.fits: 1 values"),
        (
            lambda s: s.exposure.__setitem__((0, 3, 4), np.nan),
            "1 values .* nan in column 4, row 3 of image 0",
        ),
        (lambda s: s.exposure.fill(0), r"exposure\.fits: the exposure is 0 everywhere"),
        (lambda s: setattr(s, "exposure", s.exposure[:2]), r"exposure\.fits: .* 3 images"),
        (lambda s: s.background.fill(0), r"background\.fits: \d+ bins with .* have no"),
    ],
)
def test_impossible_values_are_refused(wcs_sky, change, message):
    change(wcs_sky)

    with pytest.raises(InputError, match=message):
        make_problem(wcs_sky.write().analysis())


def test_intensity_in_place_of_expected_counts_is_refused(wcs_sky):
    wcs_sky.write()
    bounds = table("EBOUNDS", {"E_MIN": (EDGES[:-1], "GeV"), "E_MAX": (EDGES[1:], "GeV")})
    wcs_sky.write_cube("background", wcs_sky.background, "ph cm-2 s-1 sr-1 MeV-1", bounds)

    with pytest.raises(InputError, match=r"background\.fits: its values are in 'ph cm-2.*counts"):
        make_problem(wcs_sky.analysis())


def test_pixels_off_the_sky_are_refused(wcs_sky):
    wcs_sky.cards |= {"CTYPE1": "RA---AIT", "CTYPE2": "DEC--AIT", "CRVAL2": 0.0}
    wcs_sky.cards |= {"CDELT1": -8.0, "CDELT2": 8.0}

    with pytest.raises(InputError, match=r"counts\.fits: \d+ pixels lie off the sky; cut the cube"):
        make_problem(wcs_sky.write(with_source=False).analysis())


def image_in(kind, values, header):
    """The same image as a file of another kind has it."""
    if kind == "primary":
        return [fits.PrimaryHDU(values, header)]
    if kind == "extension":
        return [fits.PrimaryHDU(), fits.ImageHDU(values, header, "SKYMAP")]
    if kind == "compressed":
        made = fits.CompImageHDU(values.astype(np.float32), header, "SKYMAP", quantize_level=0)
        return [fits.PrimaryHDU(), made]
    n, n_rows, n_columns = values.shape
    channel, pixel = np.nonzero(values.reshape(n, -1))
    found = values.reshape(n, -1)[channel, pixel]
    columns = [
        fits.Column(name, kind, array=array)
        for name, kind, array in zip(
            ("PIX", "CHANNEL", "VALUE"), "JID", (pixel, channel, found), strict=True
        )
    ]
    made = fits.BinTableHDU.from_columns(columns, header, name="SKYMAP")
    made.header["WCSSHAPE"] = f"({n_columns},{n_rows},{n})"
    return [fits.PrimaryHDU(), made]


@pytest.mark.parametrize("kind", ["primary", "extension", "compressed", "sparse"])
def test_images_are_read_wherever_and_however_they_are_stored(wcs_sky, kind):
    wcs_sky.write()
    bounds = table("EBOUNDS", {"E_MIN": (EDGES[:-1], "GeV"), "E_MAX": (EDGES[1:], "GeV")})
    values = np.random.default_rng(2).poisson(2, (2, *SHAPE)).astype(np.float64)
    hdus = [*image_in(kind, values, fits.Header(wcs_sky.cards)), bounds]
    fits.HDUList(hdus).writeto(wcs_sky.folder / "counts.fits", overwrite=True)

    cube = read_wcs_bands(wcs_sky.analysis().data.counts, "data.counts")

    np.testing.assert_array_equal(cube.values, values.reshape(2, -1).T)


def test_scaled_image_and_its_blank_are_read(wcs_sky):
    wcs_sky.write()
    bounds = table("EBOUNDS", {"E_MIN": (EDGES[:-1], "GeV"), "E_MAX": (EDGES[1:], "GeV")})
    stored = np.full((2, *SHAPE), 40, np.int16)
    stored[:, 3, 4] = -1
    image = fits.PrimaryHDU(stored, fits.Header(wcs_sky.cards))
    image.header.update(BSCALE=0.5, BZERO=1.0, BLANK=-1)
    fits.HDUList([image, bounds]).writeto(wcs_sky.folder / "background.fits", overwrite=True)

    cube = read_wcs_bands(wcs_sky.analysis().data.background, "data.background")

    assert np.flatnonzero(~cube.is_known).tolist() == [3 * 50 + 4]
    assert np.all(cube.values[cube.is_known] == 21)


@pytest.mark.parametrize(
    ("hdus", "message"),
    [
        ([fits.PrimaryHDU()], "no image and no table with PIXTYPE HEALPIX; there are: PRIMARY"),
        ([fits.PrimaryHDU(), *(fits.ImageHDU(np.ones((2, 9, 9))) for _ in "AB")], "2 images"),
        ([fits.PrimaryHDU(np.ones((3, 40, 50)))], "has the shape|no CTYPE1"),
        ([fits.PrimaryHDU(np.ones(50))], "1 axes"),
    ],
)  # fmt: skip
def test_files_without_the_images_are_refused(wcs_sky, hdus, message):
    wcs_sky.write()
    bounds = table("EBOUNDS", {"E_MIN": (EDGES[:-1], "GeV"), "E_MAX": (EDGES[1:], "GeV")})
    fits.HDUList([*hdus, bounds]).writeto(wcs_sky.folder / "counts.fits", overwrite=True)

    with pytest.raises(InputError, match=rf"counts\.fits: .*({message})"):
        make_problem(wcs_sky.analysis())


@pytest.mark.parametrize("who", ["counts", "background"])
def test_pixels_without_counts_or_background_that_is_known_are_left_out(wcs_sky, who, caplog):
    caplog.set_level("INFO")
    wcs_sky.write()
    whole = make_problem(wcs_sky.analysis())
    bounds = table("EBOUNDS", {"E_MIN": (EDGES[:-1], "GeV"), "E_MAX": (EDGES[1:], "GeV")})
    values = wcs_sky.background + (wcs_sky.expected() if who == "counts" else 0)
    values[:, :, 30:] = np.nan
    wcs_sky.write_cube(who, values, "", bounds)

    part = make_problem(wcs_sky.analysis())

    assert f"{who}.fits: 800 of 2000 pixels have no value" in caplog.text
    assert "800 of 2000 pixels have no counts or no background that is known" in caplog.text
    assert part.counts.size == whole.counts.size - 2 * 800
    assert part.description.n_masked_bins == 1600
    near = lonlat_to_vec(*np.transpose([SOURCE]))
    # the total of a source is that inside what is left
    assert fit_pixels(part, near).flux[0] == pytest.approx(1, abs=2e-3)


def test_exposure_that_is_not_known_is_a_status(wcs_sky, caplog):
    caplog.set_level("INFO")
    wcs_sky.exposure[:, :, 30:] = np.nan
    problem = make_problem(wcs_sky.write().analysis())

    directions = lonlat_to_vec(*np.array([SOURCE, (85.5, 41.0), (80.0, 41.0)]).T)
    found = fit_pixels(problem, directions)

    assert "exposure.fits: 800 of 2000 pixels have no value (NaN or UNSEEN)" in caplog.text
    assert (found.status == NO_EXPOSURE).tolist() == [False, False, True]


def test_exposure_beside_pixels_that_are_not_known_is_not_less(wcs_sky):
    wcs_sky.exposure[:, :, 32:] = np.nan  # the source is in column 28

    problem = make_problem(wcs_sky.write().analysis())

    assert fit_pixels(problem, lonlat_to_vec(*np.transpose([SOURCE]))).flux[0] == pytest.approx(
        1, abs=1e-3
    )
