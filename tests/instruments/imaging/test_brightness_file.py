"""Maps of brightness as shapes: images and HEALPix tables, their sum, frame and centre."""

import healpy
import numpy as np
import pytest
from astropy.io import fits

from skyquilt.config.shape import BrightnessMap
from skyquilt.errors import ConfigError, InputError
from skyquilt.instruments.imaging.brightness_file import read_brightness
from skyquilt.sky.frames import lonlat_to_vec, position_to_vec

SIDE = 0.1


def image(path, values, unit=None, frame="galactic", **cards):
    """Image around (30, 0), of pixels of 0.1 deg, its first column on the side of larger lon."""
    n = values.shape[-1]
    axes = {"galactic": ("GLON-CAR", "GLAT-CAR"), "icrs": ("RA---CAR", "DEC--CAR")}[frame]
    header = fits.Header()
    for axis, name in enumerate(axes, 1):
        header[f"CTYPE{axis}"], header[f"CUNIT{axis}"] = name, "deg"
        header[f"CRPIX{axis}"], header[f"CDELT{axis}"] = (n + 1) / 2, SIDE
    header["CRVAL1"], header["CRVAL2"], header["CDELT1"] = 30.0, 0.0, -SIDE
    header.update(({"BUNIT": unit} if unit else {}) | cards)
    fits.PrimaryHDU(values, header).writeto(path, overwrite=True)
    return str(path)


def table(path, values, nside=64, unit=None, ordering="RING", **cards):
    column = fits.Column("VALUE", "D", unit, array=values)
    hdu = fits.BinTableHDU.from_columns([column])
    hdu.header.update({"PIXTYPE": "HEALPIX", "NSIDE": nside, "ORDERING": ordering, **cards})
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(path, overwrite=True)
    return str(path)


def read(path, **keys):
    return read_brightness(BrightnessMap(model="map", path=path, **keys))


def blob(n=11):
    """A spot above the middle, brighter to the first column."""
    values = np.zeros((n, n))
    values[7, 3:6] = 3, 2, 1
    return values


AREA = np.radians(SIDE) ** 2


@pytest.mark.parametrize(
    ("unit", "factor"),
    [
        (None, 1 / 6 / AREA),
        (None, 1 / 6),
        ("sr-1", 1 / 6 / AREA),
        ("1/sr", 1 / 6 / AREA),
        ("deg-2", 1 / 6 / SIDE**2),
        ("", 1 / 6),
    ],
)
@pytest.mark.parametrize("shape", [(11, 11), (1, 11, 11)])
def test_image_whose_integral_is_one(tmp_path, unit, factor, shape):
    values = factor * blob().reshape(shape)
    # float32, as such files are
    found = read(image(tmp_path / "a.fits", values.astype(np.float32), unit))
    np.testing.assert_allclose(np.sort(found.weight), [1 / 6, 1 / 3, 1 / 2], rtol=1e-5)
    # columns 3, 4, 5 are 0.2, 0.1, 0 deg from the middle; row 7 is 0.2 deg above
    wanted = position_to_vec(30 + (0.2 * 3 + 0.1 * 2) / 6, 0.2, "galactic", "icrs")
    np.testing.assert_allclose(found.center(), wanted, atol=1e-6)


@pytest.mark.parametrize("frame", ["galactic", "icrs"])
def test_frame_of_an_image_is_read(tmp_path, frame):
    found = read(image(tmp_path / "a.fits", blob() / 6, frame=frame))
    wanted = position_to_vec(30 + 0.8 / 6, 0.2, frame, "icrs")
    np.testing.assert_allclose(found.center(), wanted, atol=1e-6)


@pytest.mark.parametrize("ordering", ["RING", "NESTED"])
@pytest.mark.parametrize(("stated", "given"), [("G", None), (None, "galactic"), ("C", None)])
@pytest.mark.parametrize("unit", [None, "sr-1", "deg-2"])
def test_healpix_table(tmp_path, ordering, stated, given, unit):
    values, nest = np.zeros(12 * 64**2), ordering == "NESTED"
    chosen = healpy.query_disc(64, lonlat_to_vec(30, 0), np.radians(3), nest=nest)
    values[chosen] = 1 / chosen.size
    area = np.pi / 3 / 64**2
    values *= {None: 1, "sr-1": 1 / area, "deg-2": np.radians(1) ** 2 / area}[unit]
    cards = {"COORDSYS": stated} if stated else {}
    found = read(
        table(tmp_path / "a.fits", values, unit=unit, ordering=ordering, **cards), frame=given
    )
    assert found.weight.size == chosen.size
    frame = given or {"G": "galactic", "C": "icrs"}[stated]
    wanted = position_to_vec(30, 0, frame, "icrs")
    assert found.center() @ wanted > np.cos(np.radians(0.2))


def test_table_that_names_no_frame_is_asked_for(tmp_path):
    path = table(tmp_path / "a.fits", np.full(12 * 64**2, 1 / 12 / 64**2))
    with pytest.raises(ConfigError, match=r"COORDSYS.*`frame: galactic`.*under shape"):
        read(path)


@pytest.mark.parametrize("factor", [0.5, 0.998, 1.002, 7.0, 1e-20])
def test_integral_that_is_not_one_is_an_error_that_states_it(tmp_path, factor):
    path = image(tmp_path / "a.fits", factor * blob() / 6, "")
    with pytest.raises(InputError, match=rf"sum of the values is {factor:.6g}; .*normalise: true"):
        read(path)
    np.testing.assert_allclose(np.sort(read(path, normalise=True).weight), [1 / 6, 1 / 3, 1 / 2])


def test_integral_of_a_density_is_stated(tmp_path):
    path = image(tmp_path / "a.fits", 2 * blob() / 6 / AREA, "sr-1")
    with pytest.raises(InputError, match=r"integral \(sr-1\) is (2|1\.9999\d*)"):
        read(path)


def test_unit_of_something_else_needs_to_be_normalised(tmp_path):
    path = image(tmp_path / "a.fits", blob(), "MeV cm-2 s-1 sr-1")
    with pytest.raises(InputError, match=r"'MeV cm-2 s-1 sr-1'.*normalise: true"):
        read(path)
    assert read(path, normalise=True).weight.sum() == pytest.approx(1)


@pytest.mark.parametrize("value", [np.nan, np.inf, -1e-6])
@pytest.mark.parametrize("normalise", [True, False])
def test_values_that_are_no_brightness_are_refused(tmp_path, value, normalise):
    values = blob() / 6
    values[0, 2] = value
    with pytest.raises(InputError, match=rf"1 of 121 values .* as {value:g} in pixel 2: write 0"):
        read(image(tmp_path / "a.fits", values), normalise=normalise)


@pytest.mark.parametrize("value", [np.nan, -1.6375e30, -0.1])
def test_values_of_a_table_that_are_no_brightness_are_refused(tmp_path, value):
    values = np.zeros(12 * 64**2)
    values[:2] = 1, value
    with pytest.raises(InputError, match="1 of 49152 values"):
        read(table(tmp_path / "a.fits", values, COORDSYS="G"))


def test_map_without_brightness_is_refused(tmp_path):
    with pytest.raises(InputError, match="0 everywhere"):
        read(image(tmp_path / "a.fits", np.zeros((5, 5))), normalise=True)


def test_cube_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"shape \(2, 11, 11\); one map"):
        read(image(tmp_path / "a.fits", np.stack([blob(), blob()])))


def test_file_that_is_no_map_is_refused(tmp_path):
    fits.PrimaryHDU().writeto(tmp_path / "a.fits")
    with pytest.raises(InputError, match="no image"):
        read(str(tmp_path / "a.fits"))
    with pytest.raises(InputError, match=r"b\.fits"):
        read(str(tmp_path / "b.fits"))


def test_unknown_projection_is_refused(tmp_path):
    path = image(tmp_path / "a.fits", blob() / 6, CTYPE1="X", CTYPE2="Y")
    with pytest.raises(InputError, match=r"a\.fits"):
        read(path)
