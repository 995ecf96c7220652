"""Layouts of HEALPix tables: those of healpy, of GADF and of the Fermi tools give the same cube."""

import healpy
import numpy as np
import pytest
from astropy.io import fits

from skyquilt.errors import ConfigError, InputError
from skyquilt.instruments.imaging.cube import read_band_cube, read_exposure_cube

N = 768  # pixels of nside 8
VALUES = np.random.default_rng(1).uniform(1, 9, (N, 2))
EDGES = np.array([1.0, 3.0, 10.0])  # GeV
HEADER = {"PIXTYPE": "HEALPIX", "ORDERING": "RING", "NSIDE": 8, "COORDSYS": "GAL"}
PART = healpy.query_disc(8, healpy.ang2vec(30.0, 20.0, lonlat=True), np.radians(25))


def bounds(name="EBOUNDS", low="E_MIN", high="E_MAX"):
    columns = [
        fits.Column(key, "D", "GeV", array=v) for key, v in ((low, EDGES[:-1]), (high, EDGES[1:]))
    ]
    return fits.BinTableHDU.from_columns(columns, name=name)


def table(columns, name="SKYMAP", units=(), **cards):
    made = [
        fits.Column(key, kind, dict(units).get(key), array=array)
        for key, (kind, array) in columns.items()
    ]
    hdu = fits.BinTableHDU.from_columns(made, name=name)
    hdu.header.update({k: v for k, v in (HEADER | cards).items() if v is not None})
    return hdu


def channels(values, stem="CHANNEL", first=1):
    return {f"{stem}{k + first}": ("D", v) for k, v in enumerate(np.transpose(values))}


def sparse(values, pixels=slice(None)):
    kept = np.zeros_like(values)
    kept[pixels] = values[pixels]
    channel, pixel = np.nonzero(kept.T)
    return {"PIX": ("J", pixel), "CHANNEL": ("I", channel), "VALUE": ("D", kept[pixel, channel])}


@pytest.fixture
def read(sky):
    """`read(*hdus)`: cube of a file with these extensions."""

    def read(*hdus, kind="background", **section):
        fits.HDUList([fits.PrimaryHDU(), *hdus]).writeto(sky.path(f"{kind}.fits"), overwrite=True)
        data = sky.analysis(**{kind: section}).data
        if kind == "exposure":
            return read_exposure_cube(data.exposure)
        return read_band_cube(data.background, "data.background")

    return read


NEST = healpy.ring2nest(8, np.arange(N))
IN_NEST = VALUES[healpy.nest2ring(8, np.arange(N))]
GADF = {"BANDSHDU": "SKYMAP_BANDS", "HPX_CONV": "GADF"}


@pytest.mark.parametrize(
    "hdus",
    [
        (table(channels(VALUES)), bounds()),
        (table(channels(VALUES, first=0)), bounds()),
        (table(channels(VALUES, "ENERGY")), bounds()),
        (table(channels(VALUES), INDXSCHM="IMPLICIT", FIRSTPIX=0, LASTPIX=767), bounds()),
        (table(channels(IN_NEST), ORDERING="NESTED"), bounds()),
        (table({"PIX": ("K", NEST)} | channels(VALUES), ORDERING="NEST"), bounds()),
        (table({"TEMPERATURE": ("D", VALUES[:, 0]), "Q": ("D", VALUES[:, 1])}), bounds()),
        (table({k: ("256D", v[1].reshape(3, 256)) for k, v in channels(VALUES).items()}), bounds()),
        (table(channels(VALUES), **GADF), bounds("SKYMAP_BANDS")),
        (table(channels(VALUES), **GADF), bounds("SKYMAP_BANDS", "ENERGY_MIN", "ENERGY_MAX")),
        (table(sparse(VALUES), INDXSCHM="SPARSE", **GADF), bounds("SKYMAP_BANDS")),
        (table(channels(VALUES), BUNIT="counts"), bounds()),
    ],
)
def test_layouts_of_the_whole_sky_are_the_same_cube(read, hdus):
    cube = read(*hdus)

    np.testing.assert_allclose(cube.values, VALUES, rtol=1e-12)
    np.testing.assert_allclose(cube.energies, EDGES * 1e6, rtol=1e-12)
    assert cube.is_full


@pytest.mark.parametrize(
    "hdu",
    [
        table({"PIX": ("K", PART)} | channels(VALUES[PART]), INDXSCHM="EXPLICIT"),
        table({"PIXEL": ("J", PART[::-1])} | channels(VALUES[PART[::-1]]), OBJECT="PARTIAL"),
        table(sparse(VALUES, PART), INDXSCHM="SPARSE", HPX_REG="DISK(30,20,25)"),
        table(channels(np.where(np.isin(np.arange(N), PART)[:, None], VALUES, healpy.UNSEEN))),
        table(channels(np.where(np.isin(np.arange(N), PART)[:, None], VALUES, np.nan))),
    ],
)
def test_layouts_of_a_part_of_the_sky_are_the_same_cube(read, hdu):
    cube = read(hdu, bounds())

    assert not cube.is_full
    np.testing.assert_array_equal(cube.ipix[cube.is_known], PART)
    np.testing.assert_allclose(cube.values[cube.is_known], VALUES[PART], rtol=1e-12)


def test_pixels_from_first_to_last_are_those(read):
    part = np.arange(200, 500)

    cube = read(table(channels(VALUES[part]), FIRSTPIX=200, LASTPIX=499), bounds())

    np.testing.assert_array_equal(cube.ipix, part)


@pytest.mark.parametrize("nest", [False, True])
@pytest.mark.parametrize("partial", [False, True])
def test_maps_of_healpy_with_its_defaults_are_read(read, sky, nest, partial):
    maps = [v.copy() for v in (IN_NEST if nest else VALUES).T]
    if partial:
        for one in maps:
            one[healpy.ring2nest(8, PART) if nest else PART] = healpy.UNSEEN
    path = sky.path("healpy.fits")
    options = {"nest": nest, "partial": partial, "coord": "G", "dtype": np.float64}
    healpy.write_map(path, maps, column_names=["A", "B"], overwrite=True, **options)
    with fits.open(path) as file:
        cube = read(file[1].copy(), bounds())

    is_known = ~np.isin(cube.ipix, PART) if partial else np.ones(N, bool)
    np.testing.assert_array_equal(cube.is_known, is_known[: len(cube.ipix)])
    known = cube.ipix[cube.is_known]
    assert len(known) == (N - len(PART) if partial else N)
    np.testing.assert_allclose(cube.values[cube.is_known], VALUES[known], rtol=1e-12)


def test_column_scaled_and_with_null_is_read(sky):
    stored = {"PIX": ("K", [0, 1, 2]), "CHANNEL1": ("I", [1, 2, -99])}
    hdu = table(stored | {"CHANNEL2": ("D", [1, 1, np.nan])})
    path = sky.path("background.fits")
    fits.HDUList([fits.PrimaryHDU(), hdu, bounds()]).writeto(path)
    for key, value in {"TNULL2": -99, "TSCAL2": 0.5, "TZERO2": 3.0}.items():
        fits.setval(path, key, value=value, ext=1)

    cube = read_band_cube(sky.analysis().data.background, "data.background")

    np.testing.assert_allclose(cube.values[:2, 0], [3.5, 4.0])
    assert cube.is_known.tolist() == [True, True, False]


@pytest.mark.parametrize(
    ("hdu", "message"),
    [
        (table(channels(VALUES), INDXSCHM="EXPLICIT_EDEP"), "INDXSCHM 'EXPLICIT_EDEP'.*allowed"),
        (table(channels(VALUES), INDXSCHM="EXPLICIT"), "EXPLICIT needs a column PIX"),
        (table({"A": ("D", VALUES[:, 0])}), "no columns CHANNEL1.*not one for each of 2"),
        (table({f"CHANNEL{k}": ("D", VALUES[:, 0]) for k in (1, 3)}), r"\[1, 3\]; some miss"),
        (table({"PIX": ("D", np.arange(N) + 0.5)} | channels(VALUES)), "must hold whole numbers"),
        (table({"PIX": ("K", np.arange(N) + 1)} | channels(VALUES)), "pixel 768"),
        (table(channels(VALUES), FIRSTPIX="a"), "FIRSTPIX 'a'"),
        (table(channels(VALUES[:100])), "100 rows for 768 pixels"),
        (table(channels(VALUES[:0])), "0 rows for 768"),
        (table(channels(VALUES), NSIDE="x"), "not a HEALPix table"),
        (table(channels(VALUES), NSIDE=8.5), "nside 8.5"),
        (table(channels(VALUES) | {"CHANNEL1": ("1A", ["x"] * N)}), "CHANNEL1 holds no numbers"),
        (table(sparse(VALUES), INDXSCHM="SPARSE", HPX_REG="HPX_PIXEL(NESTED,1,3)"), "only DISK"),
        (table(sparse(VALUES), INDXSCHM="SPARSE", HPX_REG="DISK(30,20,25)"), "outside the region"),
        (table(sparse(VALUES) | {"PIX": ("J", np.full(2 * N, 3))}, INDXSCHM="SPARSE"), "than once"),
        (table(sparse(np.ones((N, 3))), INDXSCHM="SPARSE"), "CHANNEL is 0 to 2; allowed is 0 to 1"),
        (table(channels(VALUES), AXCOLS1="E_MIN,E_MAX", AXCOLS2="T_MIN,T_MAX"), "one of energies"),
        (table(channels(VALUES), COORDSYS="E"), "COORDSYS 'E'"),
        (table(channels(VALUES), BUNIT="ph cm-2 s-1 sr-1 MeV-1"), "values are in 'ph cm-2.*counts"),
        (table(channels(VALUES), units={"CHANNEL2": "s-1"}.items()), "values are in 's-1'"),
        (table(channels(VALUES * np.nan)), "no pixel has a value"),
    ],
)  # fmt: skip
def test_what_is_not_understood_is_refused(read, hdu, message):
    with pytest.raises(InputError, match=rf"background\.fits: .*{message}"):
        read(hdu, bounds())


@pytest.mark.parametrize("value", [np.nan, healpy.UNSEEN])
def test_value_that_is_missing_at_one_energy_is_refused(read, value):
    values = VALUES.copy()
    values[7, 1] = value

    with pytest.raises(InputError, match=r"1 values are negative or not finite.*row 7 of CHANNEL2"):
        read(table(channels(values)), bounds())


def test_exposure_at_nodes_and_at_the_middle_of_bands_is_read(read):
    nodes = fits.Column("ENERGY_TRUE", "D", "GeV", array=[1.0, 10.0])
    at_nodes = fits.BinTableHDU.from_columns([nodes], name="SKYMAP_BANDS")
    hdu = table(channels(VALUES), BUNIT="m2 s", **GADF)

    exposure = read(hdu, at_nodes, kind="exposure")

    np.testing.assert_allclose(exposure.values, VALUES * 1e4, rtol=1e-12)
    np.testing.assert_allclose(exposure.energies, [1e6, 1e7], rtol=1e-12)
    in_bands = read(hdu, bounds(), kind="exposure")
    np.testing.assert_allclose(in_bands.energies, np.sqrt(EDGES[1:] * EDGES[:-1]) * 1e6)


def test_every_column_of_an_exposure_has_its_unit(read):
    units = {"CHANNEL1": "m2 s", "CHANNEL2": "cm2 s"}

    exposure = read(table(channels(VALUES), units=units.items()), bounds(), kind="exposure")

    np.testing.assert_allclose(exposure.values, VALUES * [1e4, 1], rtol=1e-12)
    with pytest.raises(ConfigError, match="no unit for the exposures"):
        read(table(channels(VALUES), units=[("CHANNEL1", "m2 s")]), bounds(), kind="exposure")


def test_map_at_energies_is_no_cube_of_counts(read):
    nodes = fits.Column("ENERGY", "D", "MeV", array=[1e3, 1e4])
    energies = fits.BinTableHDU.from_columns([nodes], name="ENERGIES")

    with pytest.raises(InputError, match="no table EBOUNDS, but ENERGIES: its values are at energ"):
        read(table(channels(VALUES, "ENERGY")), energies)
