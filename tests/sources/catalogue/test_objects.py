import numpy as np
import pytest
from astropy import units as u
from astropy.table import MaskedColumn, Table

from skyquilt.config.sources import Catalogue
from skyquilt.errors import InputError
from skyquilt.sky.frames import position_to_vec, vec_to_lonlat
from skyquilt.sources.catalogue.objects import read_catalogue

LON, LAT = np.array([83.63, 184.56]), np.array([22.01, -5.79])


@pytest.fixture
def write(tmp_path):
    """Write a table in the format of the ending; options of a catalogue that reads it."""

    def write(columns, ending=".ecsv", **options):
        path = tmp_path / f"catalogue{ending}"
        formats = {".ecsv": "ascii.ecsv", ".csv": "ascii.csv", ".xml": "votable"}
        Table(columns).write(path, format=formats.get(ending, "fits"))
        return Catalogue(path=str(path), **options)

    return write


@pytest.mark.parametrize("ending", [".fits", ".fit.gz", ".ecsv", ".xml", ".csv"])
def test_catalogue_is_read_in_every_format(write, ending):
    known = read_catalogue(
        write({"Source_Name": ["a", "b"], "RAJ2000": LON, "DEJ2000": LAT}, ending)
    )
    assert known.name.tolist() == ["a", "b"]
    lon, lat = vec_to_lonlat(known.direction)
    np.testing.assert_allclose(lon, LON, rtol=1e-12)
    np.testing.assert_allclose(lat, LAT, rtol=1e-12)
    assert known.r95.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("names", "frame"),
    [
        (("RA", "DEC"), "icrs"),
        (("ra", "dec"), "icrs"),
        (("_RAJ2000", "_DEJ2000"), "icrs"),
        (("GLON", "GLAT"), "galactic"),
    ],
)
def test_columns_of_positions_are_guessed(write, names, frame):
    known = read_catalogue(write(dict(zip(names, (LON, LAT), strict=True))))
    expected = [position_to_vec(*place, frame, "icrs") for place in zip(LON, LAT, strict=True)]
    np.testing.assert_allclose(known.direction, expected, atol=1e-14)
    assert known.name.tolist() == ["row 0", "row 1"]


def test_equatorial_columns_are_taken_before_galactic_ones(write):
    known = read_catalogue(write({"GLON": LAT, "GLAT": LAT, "RA": LON, "DEC": LAT}))
    np.testing.assert_allclose(vec_to_lonlat(known.direction)[0], LON, rtol=1e-12)


def test_given_columns_are_taken(write):
    columns = {"RA": LAT, "DEC": LAT, "x": LON, "y": LAT, "who": ["c", "d"], "err": [0.1, np.nan]}
    options = {"lon": "x", "lat": "y", "frame": "galactic", "name": "who", "error": "err"}
    known = read_catalogue(write(columns, **options))
    assert known.name.tolist() == ["c", "d"]
    assert known.r95.tolist() == [0.1, 0]
    expected = position_to_vec(LON[0], LAT[0], "galactic", "icrs")
    np.testing.assert_allclose(known.direction[0], expected, atol=1e-14)


def test_units_are_converted(write):
    columns = {
        "RA": (LON / 15) * u.hourangle,
        "DEC": np.radians(LAT) * u.rad,
        "r95": [30, 6] * u.arcmin,
    }
    known = read_catalogue(write(columns))
    lon, lat = vec_to_lonlat(known.direction)
    np.testing.assert_allclose(lon, LON, rtol=1e-12)
    np.testing.assert_allclose(lat, LAT, rtol=1e-12)
    np.testing.assert_allclose(known.r95, [0.5, 0.1])


def test_rows_without_a_position_are_left_out(write):
    masked = MaskedColumn([1.0, 2.0, 3.0], mask=[False, True, False])
    columns = {"RA": masked, "DEC": [1.0, 2.0, np.nan], "ID": [7, 8, 9]}
    known = read_catalogue(write(columns, lon_unit="deg"))
    assert known.name.tolist() == ["7"]


@pytest.mark.parametrize(
    ("columns", "options", "message"),
    [
        ({"x": LON, "y": LAT}, {}, r"no columns of positions .* among x, y; name them with `lon`"),
        ({"RA": LON, "DEC": LAT}, {"name": "Who"}, r"no column 'Who'; there are RA, DEC"),
        ({"RA": [np.nan], "DEC": [1.0]}, {}, r"no row has a position in RA and DEC"),
        ({"RA": LON, "DEC": LON}, {}, r"column DEC reaches 184.56 deg"),
        ({"RA": ["5h34m", "1h"], "DEC": LAT}, {}, r"column RA has no angles"),
        ({"RA": LON * u.m, "DEC": LAT}, {}, r"column RA has no angles"),
    ],
)
def test_unusable_catalogue_is_refused(write, columns, options, message):
    with pytest.raises(InputError, match=message):
        read_catalogue(write(columns, **options))


def test_missing_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_catalogue(Catalogue(path=str(tmp_path / "none.fits")))


@pytest.mark.parametrize("ending", [".fits", ".fit.gz", ".ecsv", ".xml", ".csv"])
def test_file_that_is_no_table_is_refused(tmp_path, ending):
    path = tmp_path / f"catalogue{ending}"
    path.write_bytes(b"\x00\x01 no table")
    with pytest.raises(InputError, match=r"cannot be read as a table|no columns of positions"):
        read_catalogue(Catalogue(path=str(path)))


def test_truncated_file_is_refused(write, truncate):
    options = write({"RA": np.arange(2000.0) % 90, "DEC": np.arange(2000.0) % 90}, ".fits")
    truncate(options.path)
    with pytest.raises(InputError, match="cannot be read as a table"):
        read_catalogue(options)


def test_table_that_does_not_exist_is_refused(write):
    with pytest.raises(InputError, match=r"table 'STARS': cannot be read as a table"):
        read_catalogue(write({"RA": LON, "DEC": LAT}, ".fits", table="STARS"))


@pytest.mark.parametrize(
    ("file", "n", "first"),
    [
        ("gll_psch_v09.fit.gz", 360, "2FHL J0008.1+4709"),
        ("gll_psch_v13.fit.gz", 1556, "3FHL J0001.2-0748"),
    ],
)
def test_fermi_catalogues_are_read_as_they_are(fermi_catalogues, file, n, first):
    known = read_catalogue(Catalogue(path=str(fermi_catalogues / file)))
    assert known.name.size == n
    assert known.name[0] == first
    assert np.all(np.isfinite(known.direction))
    assert 0.01 < np.median(known.r95) < 0.2  # [deg]


def test_fermi_catalogue_has_other_tables(fermi_catalogues):
    path = str(fermi_catalogues / "gll_psch_v13.fit.gz")
    assert read_catalogue(Catalogue(path=path, table="ExtendedSources")).name.size == 55
    assert read_catalogue(Catalogue(path=path, table=3)).name.size == 741
