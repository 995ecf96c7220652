import healpy
import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from hypothesis import given, settings
from hypothesis import strategies as st

from skyquilt.errors import ProductError
from skyquilt.io.fits import SCHEMA, read_maps, write_maps
from skyquilt.io.fits_table import Column
from skyquilt.io.provenance import Provenance
from skyquilt.sky.regions import ranges_from_ipix

NSIDE = 2
FULL = np.arange(48)
PART = np.array([3, 7, 8, 20, 47])


def columns(ipix):
    """TS with one NaN, and one map of each other type."""
    ts = np.where(ipix == 7, np.nan, ipix + 0.5)
    return {
        "TS": Column(ts, "", "test statistic"),
        "FLUX": Column(1.0 * ipix, "cm-2 s-1", "photon flux"),
        "N_ITER": Column(ipix.astype(np.int32), "", "steps"),
        "STATUS": Column((ipix % 6).astype(np.uint8), "", "status"),
    }


@pytest.fixture
def write(tmp_path):
    def write(ipix=FULL, ordering="nested", frame="galactic", schema=SCHEMA, **record):
        path = tmp_path / "maps.fits"
        about = Provenance("merge").record() | record
        ranges, pieces = ranges_from_ipix(ipix), [(ipix, columns(ipix))]
        write_maps(path, NSIDE, ordering, frame, ranges, pieces, lambda: about, schema)
        return path

    return write


@pytest.mark.parametrize("frame", ["galactic", "icrs"])
@pytest.mark.parametrize("ordering", ["nested", "ring"])
@pytest.mark.parametrize("ipix", [FULL, PART], ids=["full", "part"])
def test_maps_survive_writing_and_reading(write, ipix, ordering, frame):
    nside, found_frame, found, maps, _ = read_maps(write(ipix, ordering, frame))

    assert (nside, found_frame) == (NSIDE, frame)
    np.testing.assert_array_equal(found, ipix)
    for name, column in columns(ipix).items():
        np.testing.assert_array_equal(maps[name], column.values)
        assert maps[name].dtype == column.values.dtype


def test_record_survives_writing_and_reading(write):
    record = read_maps(write(note={"chunks": [1, 2], "region": None}))[-1]

    assert record["stage"] == "merge"
    assert record["note"] == {"chunks": [1, 2], "region": None}
    assert record["stages"][0]["n_jobs"] == 1


@pytest.mark.parametrize("ordering", ["nested", "ring"])
def test_full_map_opens_in_healpy_unchanged(write, ordering):
    path = write(ordering=ordering)

    in_file = healpy.read_map(path, nest=None, dtype=None)
    nested = healpy.read_map(path, nest=True, dtype=None)

    np.testing.assert_array_equal(nested, columns(FULL)["TS"].values)
    order = FULL if ordering == "nested" else healpy.ring2nest(NSIDE, FULL)
    np.testing.assert_array_equal(in_file, columns(FULL)["TS"].values[order])


def test_every_column_opens_in_healpy(write):
    maps = healpy.read_map(write(), field=(0, 1, 2, 3), nest=True, dtype=None)

    for values, column in zip(maps, columns(FULL).values(), strict=True):
        np.testing.assert_array_equal(values, column.values)


@pytest.mark.parametrize("ordering", ["nested", "ring"])
def test_partial_map_opens_in_healpy_with_the_rest_unseen(write, ordering):
    seen = healpy.read_map(write(PART, ordering), nest=True, partial=True, dtype=np.float64)

    np.testing.assert_array_equal(seen[PART], columns(PART)["TS"].values)
    assert np.all(np.delete(seen, PART) == healpy.UNSEEN)


@pytest.mark.parametrize(
    ("frame", "ordering", "letter"), [("galactic", "nested", "G"), ("icrs", "ring", "C")]
)
def test_header_has_the_keys_of_healpix(write, frame, ordering, letter):
    header = fits.getheader(write(frame=frame, ordering=ordering), "SKYMAP")

    wanted = {"PIXTYPE": "HEALPIX", "NSIDE": NSIDE, "INDXSCHM": "IMPLICIT", "OBJECT": "FULLSKY"}
    wanted |= {"ORDERING": ordering.upper(), "COORDSYS": letter, "FIRSTPIX": 0, "LASTPIX": 47}
    wanted |= {"SCHEMA": "skyquilt/maps", "SCHEMAV": "1.0"}
    assert {key: header[key] for key in wanted} == wanted
    assert header["CREATOR"].startswith("skyquilt ")
    assert header["DATE"][:2] == "20"


def test_header_of_a_part_says_explicit(write):
    header = fits.getheader(write(PART), "SKYMAP")

    assert (header["INDXSCHM"], header["OBJECT"]) == ("EXPLICIT", "PARTIAL")
    assert header["TTYPE1"] == "PIXEL"
    assert "LASTPIX" not in header


def test_table_opens_in_astropy_with_units_and_descriptions(write):
    path = write()

    table = Table.read(path, hdu="SKYMAP")
    assert str(table["FLUX"].unit) == "1 / (s cm2)"
    assert table["TS"].unit is None
    assert fits.getheader(path, "SKYMAP").comments["TTYPE2"] == "photon flux"


def test_file_passes_the_fits_standard_and_its_checksums(write):
    with fits.open(write(), checksum=True) as file:
        file.verify("exception")


def test_written_maps_are_the_same_whatever_the_order_of_writing(write):
    first = fits.getdata(write(), "SKYMAP").tobytes()

    assert fits.getdata(write(), "SKYMAP").tobytes() == first


def test_read_missing_file_names_the_command(tmp_path):
    with pytest.raises(ProductError, match=r"no\.fits: not a whole file .*`skyquilt merge`"):
        read_maps(tmp_path / "no.fits")


def test_read_maps_of_another_program_is_refused(tmp_path):
    path = tmp_path / "other.fits"
    healpy.write_map(path, np.arange(48.0), dtype=np.float64)

    with pytest.raises(ProductError, match=r"other\.fits: not a whole file of skyquilt"):
        read_maps(path)


def test_read_later_version_says_what_can_be_read(write):
    path = write(schema=SCHEMA._replace(version="2.0"))

    with pytest.raises(ProductError, match=r"version 2.0; this skyquilt reads version 1.0 to 1.0"):
        read_maps(path)


@pytest.mark.filterwarnings("ignore")  # the warnings of astropy must be raised by the reader
def test_read_after_one_inverted_byte_is_refused(write, damage):
    path = write()
    with fits.open(path) as file:
        offset = file["SKYMAP"].fileinfo()["datLoc"]
    damage(path, offset + 5)

    with pytest.raises(
        ProductError, match=r"maps\.fits: .*Checksum verification failed.*`skyquilt merge`"
    ):
        read_maps(path)


@pytest.mark.parametrize("fraction", [0, 0.05, 0.2, 0.35, 0.5, 0.65, 0.8, 0.95, 0.999])
def test_read_truncated_file_is_refused(write, truncate, fraction):
    path = write()
    truncate(path, fraction)

    with pytest.raises(ProductError, match=r"maps\.fits: "):
        read_maps(path)


@settings(max_examples=50)
@given(st.data())
def test_any_inverted_byte_is_found_or_harmless(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("fuzz") / "maps.fits"
    pieces = [(PART[:2], columns(PART[:2]))]
    about = {"skyquilt": "0", "ended_utc": ""}
    write_maps(path, 1, "ring", "icrs", ranges_from_ipix(PART[:2]), pieces, lambda: about)
    content = bytearray(path.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)

    try:
        nside, frame, ipix, maps, _ = read_maps(path)
    except ProductError:
        return
    assert (nside, frame, ipix.tolist()) == (1, "icrs", [3, 7])
    for name, column in columns(PART[:2]).items():
        np.testing.assert_array_equal(maps[name], column.values)


@pytest.mark.parametrize("ordering", ["nested", "ring"])
@pytest.mark.parametrize("ipix", [FULL, PART], ids=["full", "part"])
def test_some_columns_are_read_with_their_pixels(write, ipix, ordering):
    _, _, found, maps, _ = read_maps(write(ipix, ordering), ["STATUS", "NONE"])

    np.testing.assert_array_equal(found, ipix)
    assert list(maps) == ["STATUS"]
    np.testing.assert_array_equal(maps["STATUS"], columns(ipix)["STATUS"].values)
