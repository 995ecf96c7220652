"""Catalogues as surveys publish them: each layout by its own description, with two made-up rows."""

import gzip
import os
import subprocess
import sys
import warnings

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import Latitude, Longitude, SkyCoord
from astropy.io import fits
from astropy.io.votable import from_table
from astropy.io.votable.tree import Resource, VOTableFile
from astropy.table import MaskedColumn, Table
from astropy.time import Time

from skyquilt.config.sources import Catalogue
from skyquilt.errors import ConfigError, InputError
from skyquilt.sky.frames import lonlat_to_vec, rotate, rotation, vec_to_lonlat
from skyquilt.sources.catalogue.objects import read_catalogue

LON, LAT = np.array([83.633, 184.56]), np.array([22.0145, -0.79])
RA = ["05 34 31.92", "12 18 14.4"]
DEC = ["+22 00 52.2", "-00 47 24"]
HOURS = LON / 15
GLON, GLAT = vec_to_lonlat(rotate(rotation("icrs", "galactic"), lonlat_to_vec(LON, LAT)))
NAMES = ["one", "two"]
DEG, HOUR = u.deg, u.hourangle


def galactic_text(angles, sign=""):
    """Sexagesimal degrees."""
    total = np.round(np.abs(angles) * 360000).astype(int)
    return [
        f"{'-' if angle < 0 else sign}{t // 360000:02d} {t // 6000 % 60:02d} {t % 6000 / 100:05.2f}"
        for angle, t in zip(angles, total, strict=True)
    ]


LAYOUTS = {
    "1FGL": {"Source_Name": NAMES, "RA": LON * DEG, "DEC": LAT * DEG},
    "4FGL": {"Source_Name": NAMES, "DataRelease": [1, 2], "RAJ2000": LON * DEG}
    | {"DEJ2000": LAT * DEG, "GLON": GLON * DEG, "GLAT": GLAT * DEG, "ASSOC1": ["", "x"]},
    "4FGL of VizieR": {"recno": [1, 2], "_RAJ2000": LON * DEG, "_DEJ2000": LAT * DEG}
    | {"4FGL": NAMES, "RAJ2000": LON * DEG, "DEJ2000": LAT * DEG},
    "2PC": {"PSR_Name": NAMES, "RAJ2000": LON * DEG, "DEJ2000": LAT * DEG, "Period": [33, 1.0]},
    "3PC": {"PSRJ": NAMES, "PSRB": ["", ""], "RAJD": LON, "DECJD": LAT}
    | {"RAJ": RA, "DECJ": DEC, "GLON": GLON, "GLAT": GLAT},
    "psrcat": {"NAME": NAMES, "RAJ": RA, "DECJ": DEC},
    "gamma-cat": {"source_id": [1, 2], "common_name": NAMES, "ra": LON * DEG, "dec": LAT * DEG}
    | {"glon": GLON * DEG, "glat": GLAT * DEG, "pos_ra": [np.nan, np.nan] * DEG},
    "1LHAASO": {"Source_Name": NAMES, "Model_a": ["KM2A", "WCDA"], "RAJ2000": LON * DEG}
    | {"DECJ2000": LAT * DEG, "pos_err": [0.1, 0.2] * DEG, "RAJ2000_b": [np.nan, 1] * DEG},
    "1LHAASO of VizieR": {"1LHAASO": NAMES, "Comp": ["KM2A", "WCDA"], "RAJ2000": LON * DEG}
    | {"DEJ2000": LAT * DEG, "e_Pos": [0.1, 0.2] * DEG},
    "2HWC": {"source_name": NAMES, "ra": LON * DEG, "dec": LAT * DEG, "glon": GLON * DEG},
    "3HWC": {"source_name": NAMES, "ra": LON * DEG, "dec": LAT * DEG, "pos_err": [0.1, 0.2]},
    "VizieR, text beside numbers": {"RAJ2000": RA, "DEJ2000": DEC, "_RAJ2000": LON}
    | {"_DEJ2000": LAT, "Name": NAMES},
    "VizieR, text alone": {"RAJ2000": RA, "DEJ2000": DEC, "Name": NAMES},
    "SIMBAD": {"main_id": NAMES, "ra": LON * DEG, "dec": LAT * DEG, "coo_err_maj": [1.0, 2.0]},
    "HEASARC": {"name": NAMES, "lii": GLON * DEG, "bii": GLAT * DEG},
    "Gaia": {"designation": NAMES, "ra": LON * DEG, "dec": LAT * DEG, "l": GLON, "b": GLAT},
    "SExtractor": {"ID": NAMES, "ALPHA_J2000": LON, "DELTA_J2000": LAT},
    "galactic": {"Name": NAMES, "GLON": GLON, "GLAT": GLAT},
    "galactic text": {"Name": NAMES, "GLON": galactic_text(GLON)}
    | {"GLAT": galactic_text(GLAT, "+")},
    "hours with a unit": {"Name": NAMES, "RA": HOURS * HOUR, "DEC": LAT * DEG},
    "hours of time": {"Name": NAMES, "RA": HOURS * u.h, "DEC": LAT},
    "radians": {"Name": NAMES, "RA": np.radians(LON) * u.rad, "DEC": np.radians(LAT) * u.rad},
    "minutes of arc": {"Name": NAMES, "RA": 60 * LON * u.arcmin, "DEC": 60 * LAT * u.arcmin},
    "hours beside degrees": {"Name": NAMES, "RA": HOURS, "DEC": LAT, "_RA": LON, "_DE": LAT},
    "numbers as text": {"Name": NAMES, "RA": ["83.633", "184.56"], "DEC": ["22.0145", "-0.79"]},
    "colons": {
        "Name": NAMES,
        "RA": ["5:34:31.92", "12:18:14.4"],
        "DEC": ["22:00:52.2", "-0:47:24"],
    },
    "letters": {"Name": NAMES, "RA": ["5h34m31.92s", "12h18m14.4s"]}
    | {"DEC": ["+22d00m52.2s", "-00d47m24s"]},
    "degrees and letters": {"Name": NAMES, "RA": ["83d37m58.8s", "184d33m36s"]}
    | {"DEC": ["+22d 00m 52.2s", "-00d 47m 24s"]},
    "minutes with decimals": {"Name": NAMES, "RA": ["05 34.532", "12 18.24"]}
    | {"DEC": ["+22 00.87", "-00 47.4"]},
}
ENDINGS = {".fits": "fits", ".fit.gz": "fits", ".vot": "votable", ".ecsv": "ascii.ecsv"}


@pytest.fixture
def write(tmp_path):
    """Write columns in the format of an ending; options of a catalogue that reads the file."""

    def write(columns, ending=".fits", **options):
        path = tmp_path / f"catalogue{ending}"
        kind = ENDINGS.get(ending) or {".csv": "ascii.csv", ".txt": "ascii"}[ending]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # names that are no XML ID
            Table(columns).write(path, format=kind)
        return Catalogue(path=str(path), **options)

    return write


def check_both(known, names=NAMES):
    assert known.name.tolist() == list(names)
    np.testing.assert_allclose(known.direction, lonlat_to_vec(LON, LAT), atol=2e-6)


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_layout_is_read(write, layout, ending):
    if "fit" in ending and any(getattr(column, "unit", None) == HOUR for column in layout.values()):
        pytest.skip("FITS has no such unit")
    check_both(read_catalogue(write(layout, ending)))


@pytest.mark.parametrize("ending", [".csv", ".txt"])
@pytest.mark.parametrize(
    "layout",
    [
        *("3PC", "psrcat", "VizieR, text beside numbers", "VizieR, text alone", "SExtractor"),
        *("galactic", "galactic text", "numbers as text", "colons", "letters"),
    ],
)
def test_layout_is_read_from_plain_text(write, layout, ending):
    check_both(read_catalogue(write(LAYOUTS[layout], ending)))


def test_more_digits_than_the_tolerance_of_these_tests_are_kept(write):
    known = read_catalogue(write({"RA": ["05 34 31.92"], "DEC": ["-00 00 00.36"]}))
    ra, dec = vec_to_lonlat(known.direction)
    np.testing.assert_allclose([ra[0], dec[0]], [83.633, -1e-4], atol=1e-10)


def _hdus(*tables):
    made = [fits.BinTableHDU(Table(columns), name=name) for name, columns in tables]
    return fits.HDUList([fits.PrimaryHDU(), *made])


GOOD = {"Name": NAMES, "RA": LON, "DEC": LAT}


@pytest.mark.parametrize("name", ["c.fits", "c.fits.gz", "c.dat"])
def test_table_in_a_later_extension_is_found(tmp_path, caplog, name):
    file = _hdus(("GTI", {"START": [1.0]}), ("BANDS", {"E": [1.0]}), ("STARS", GOOD))
    file.insert(1, fits.ImageHDU(np.zeros((3, 3))))
    file.insert(1, fits.CompImageHDU(np.zeros((30, 30))))
    file.writeto(tmp_path / "c.fits")
    if name.endswith(".gz"):
        (tmp_path / name).write_bytes(gzip.compress((tmp_path / "c.fits").read_bytes()))
    (tmp_path / "c.fits").rename(tmp_path / name) if name == "c.dat" else None
    with caplog.at_level("INFO"):
        check_both(read_catalogue(Catalogue(path=str(tmp_path / name))))

    assert "table STARS: positions from RA and DEC (icrs)" in caplog.text


@pytest.mark.parametrize("table", [None, 1, "stars"])
def test_later_table_of_a_votable_is_found(tmp_path, table):
    file, resource = VOTableFile(), Resource()
    file.resources.append(resource)
    for name, columns in (("notes", {"text": ["a"]}), ("stars", GOOD)):
        one = from_table(Table(columns)).get_first_table()
        one.name, one.ID = name, name
        resource.tables.append(one)
    file.to_xml(str(tmp_path / "c.xml"))

    check_both(read_catalogue(Catalogue(path=str(tmp_path / "c.xml"), table=table)))


def test_given_columns_choose_the_table(tmp_path):
    other = {"Name": ["x"], "x": [1.0], "y": [2.0]}
    _hdus(("A", {"Name": ["a"], "RA": [50.0], "DEC": [2.0]}), ("B", other)).writeto(
        tmp_path / "c.fits"
    )
    options = {"lon": "x", "lat": "y", "frame": "icrs", "lon_unit": "deg"}

    assert read_catalogue(Catalogue(path=str(tmp_path / "c.fits"), **options)).name == ["x"]


def test_file_without_positions_lists_its_tables(tmp_path):
    _hdus(("A", {"x": [1.0]}), ("B", {"y": [2.0]})).writeto(tmp_path / "c.fits")

    with pytest.raises(InputError, match=r"among A: x; B: y; name them with `lon`, `lat`"):
        read_catalogue(Catalogue(path=str(tmp_path / "c.fits")))


@pytest.mark.parametrize("unit", [None, "---"])
@pytest.mark.parametrize("hours", [HOURS, [5.5], [0.0, 24.0], ["5.5756", "12.3"]])
def test_right_ascensions_that_may_be_hours_are_asked_for(write, hours, unit):
    columns = {"RA": MaskedColumn(hours), "DEC": LAT[: len(hours)]}
    options = write(columns, ".ecsv")
    with pytest.raises(ConfigError, match=r"RA has no unit and goes from .* `lon_unit: hourangle`"):
        read_catalogue(options)


@pytest.mark.parametrize(("unit", "factor"), [("hourangle", 15), ("deg", 1), ("rad", 57.29578)])
def test_unit_of_the_configuration_is_taken(write, unit, factor):
    known = read_catalogue(write({"RA": HOURS / 4, "DEC": LAT}, lon_unit=unit))

    np.testing.assert_allclose(vec_to_lonlat(known.direction)[0], HOURS / 4 * factor % 360)


def test_unit_of_latitudes_is_taken(write):
    known = read_catalogue(write({"RA": LON, "DEC": np.radians(LAT)}, lat_unit="rad"))

    np.testing.assert_allclose(vec_to_lonlat(known.direction)[1], LAT)


def test_unit_against_the_table_is_refused(write):
    with pytest.raises(ConfigError, match=r"RA is in 'deg', but the configuration says 'hourangle"):
        read_catalogue(write({"RA": LON * u.deg, "DEC": LAT}, lon_unit="hourangle"))


def test_right_ascensions_below_zero_are_degrees(write):
    known = read_catalogue(write({"RA": [-5.0, 5.0], "DEC": LAT}))

    np.testing.assert_allclose(vec_to_lonlat(known.direction)[0], [355, 5])


def test_rows_without_a_position_are_counted(write, caplog):
    ra = MaskedColumn([83.0, 84.0, np.nan, 86.0], mask=[False, True, False, False])
    with caplog.at_level("INFO"):
        known = read_catalogue(write({"RA": ra, "DEC": [1.0, 2.0, 3.0, np.inf]}, ".ecsv"))

    assert known.name.tolist() == ["row 0"]
    assert "3 of 4 rows have no position and are left out" in caplog.text


@pytest.mark.parametrize("ending", [".fits", ".vot", ".ecsv", ".csv"])
def test_blank_texts_are_no_position(write, ending):
    columns = {"Name": ["a", "b", "c"], "RA": [*RA, ""], "DEC": ["", *DEC]}

    assert read_catalogue(write(columns, ending)).name.tolist() == ["b"]


def test_names_in_several_rows_are_told(write, caplog):
    columns = {"Name": ["a", "b", "a", "a"], "RA": [50.0, 51, 52, 53], "DEC": [1.0, 2, 3, 4]}

    assert read_catalogue(write(columns)).name.tolist() == ["a", "b", "a", "a"]
    assert "names that stand in several rows, each of which counts as an object: a (3)" in (
        caplog.text
    )


@pytest.mark.parametrize("ending", [".vot", ".ecsv"])
def test_names_are_one_line_of_text_each(write, ending):
    names = ["Größe <b>", "a\tb  c", "$x_1$ {y}", "'\"\\", ""]
    columns = {"Name": names, "RA": np.arange(50.0, 55), "DEC": np.arange(5.0)}
    known = read_catalogue(write(columns, ending))

    assert known.name.tolist() == ["Größe <b>", "a b c", "$x_1$ {y}", "'\"\\", "row 4"]


@pytest.mark.parametrize("ending", [".fits", ".vot", ".ecsv", ".csv"])
def test_table_without_rows_is_refused(write, ending):
    with pytest.raises(InputError, match=r"the table has no rows; name another with `table`"):
        read_catalogue(write({"RA": np.empty(0), "DEC": np.empty(0)}, ending))


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (Time([2000.0, 2001.0], format="jyear"), r"\(it holds Time\)"),
        (np.array([[1, 2], [3, 4, 5]], dtype=object), r"\(it has|\('\["),
        ([["a", "b"], ["c", "d"]], r"\(it has \(2,\) texts per row\)"),
    ],
)
def test_columns_of_other_things_are_refused(write, column, message):
    with pytest.raises(InputError, match=rf"column RA has no angles {message}"):
        read_catalogue(write({"RA": column, "DEC": LAT}, ".ecsv"))


def test_angles_of_astropy_are_read(write):
    columns = {"Name": NAMES, "RA": Longitude(LON * u.deg), "DEC": Latitude(LAT * u.deg)}

    check_both(read_catalogue(write(columns, ".ecsv")))


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"RA": ["05 34 61", "1 2 3"], "DEC": DEC}, r"RA has no angles \('05 34 61' in row 0\)"),
        ({"RA": ["25 00 00", "1 2 3"], "DEC": DEC}, r"RA has no angles \('25 00 00' in row 0\)"),
        ({"RA": RA, "DEC": ["91 00 00", "1 2 3"]}, r"DEC reaches 91 deg; allowed are -90 to 90"),
        ({"RA": RA, "DEC": ["J1234", "x"]}, r"DEC has no angles \('J1234' in row 0\)"),
        ({"RA": ["05 3431", "1 2 3"], "DEC": DEC}, r"RA has no angles \('05 3431' in row 0\)"),
        ({"RA": LON * 10, "DEC": LAT}, r"RA reaches 1845.6 deg; allowed are -360 to 360 deg: name"),
        ({"RA": LON * u.m, "DEC": LAT}, r"RA has no angles \('m' .* not convertible"),
        ({"RA": np.ones((2, 3)), "DEC": LAT}, r"RA has no angles \(it has \(3,\) numbers per row"),
        ({"RA": [True, False], "DEC": LAT}, r"RA has no angles \(it holds bool"),
        ({"RA": LON + 1j, "DEC": LAT}, r"RA has no angles \(it holds complex"),
    ],
)
def test_positions_that_are_none_are_refused(write, columns, message):
    with pytest.raises(InputError, match=message):
        read_catalogue(write(columns))


def test_line_of_megabytes_is_refused(tmp_path):
    (tmp_path / "c.csv").write_text("RA,DEC\n" + "1" * 2_000_000 + ",2\n")

    with pytest.raises(InputError, match=r"cannot be read as a table \(a line is longer than"):
        read_catalogue(Catalogue(path=str(tmp_path / "c.csv")))


def test_error_that_is_not_finite_is_none(write):
    columns = {"RA": LON, "DEC": LAT, "r95": [np.inf, -1.0]}

    assert read_catalogue(write(columns)).r95.tolist() == [0, 0]


@pytest.mark.parametrize("form", ["ascii.fixed_width", "ascii.ipac", "ascii.rst", "ascii.basic"])
def test_tables_of_text_are_known_by_their_lines(tmp_path, form):
    table = Table({"Name": ["one", "two"], "RA": LON, "DEC": LAT})
    table.write(tmp_path / "c.txt", format=form)

    known = read_catalogue(Catalogue(path=str(tmp_path / "c.txt")))

    assert known.name.tolist() == ["one", "two"]
    assert known.direction == pytest.approx(lonlat_to_vec(LON, LAT), abs=1e-9)


@pytest.mark.parametrize("separator", ["\t", ";", "|"])
@pytest.mark.parametrize("ending", [".tsv", ".txt", ".csv"])
def test_text_of_vizier_is_read(tmp_path, separator, ending):
    rows = [
        ["_RAJ2000", "_DEJ2000", "RAJ2000", "DEJ2000", "4FGL", "Conf_95_SemiMajor"],
        ["deg", "deg", '"h:m:s"', '"d:m:s"', " ", "arcmin"],
        ["-" * 9, "-" * 9, "-" * 11, "-" * 11, "-" * 12, "-" * 5],
        ["083.63300", "+22.01450", RA[0], DEC[0], "one", "6.0"],
        ["184.56000", "-00.79000", RA[1], DEC[1], "two", " "],
    ]
    head = "#\n#   VizieR Astronomical Server\n#Column\tRAJ2000\n\n"
    text = head + "".join(f"{separator.join(row)}\n" for row in rows) + "\n"
    (tmp_path / f"c{ending}").write_text(text)

    known = read_catalogue(Catalogue(path=str(tmp_path / f"c{ending}")))

    check_both(known)
    np.testing.assert_allclose(known.r95, [0.1, 0])
    texts = {"lon": "RAJ2000", "lat": "DEJ2000", "frame": "icrs"}
    check_both(read_catalogue(Catalogue(path=str(tmp_path / f"c{ending}"), **texts)))


@pytest.mark.parametrize("frame", ["icrs", "galactic"])
def test_column_of_positions_is_read(tmp_path, frame):
    position = SkyCoord(LON, LAT, unit="deg", frame="icrs").transform_to(frame)
    table = Table({"Name": ["one", "two"], "place": position})
    table.write(tmp_path / "c.ecsv")

    known = read_catalogue(Catalogue(path=str(tmp_path / "c.ecsv")))

    assert known.direction == pytest.approx(lonlat_to_vec(LON, LAT), abs=1e-9)


@pytest.mark.parametrize("ending", [".ecsv", ".vot", ".csv"])
def test_names_are_read_in_a_locale_without_their_letters(write, ending):
    options = write({"Name": ["Größe", "天"], "RA": LON, "DEC": LAT}, ending)
    program = (
        "import sys; from skyquilt.config.sources import Catalogue;"
        "from skyquilt.sources.catalogue.objects import read_catalogue;"
        "print(ascii(read_catalogue(Catalogue(path=sys.argv[1])).name.tolist()))"
    )
    locale = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    command = [sys.executable, "-c", program, options.path]
    found = subprocess.run(
        command, env=os.environ | locale, check=True, capture_output=True, text=True
    )

    assert found.stdout.strip() == ascii(["Größe", "天"])
