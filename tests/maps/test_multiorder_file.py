import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from skyquilt.errors import ProductError
from skyquilt.io.provenance import Provenance
from skyquilt.maps.multiorder import MultiOrderMap
from skyquilt.maps.multiorder_file import REFINED, read_multiorder, write_multiorder

UNIQ = np.array([16, 17, 18, 64 + 12, 64 + 13, 64 + 14, 64 + 15, 4 + 5])


@pytest.fixture
def cells():
    ts = np.where(UNIQ == 17, np.nan, UNIQ / 2)
    columns = {"ts": ts, "flux": ts + 1, "photon_flux": ts + 2, "status": np.ones(8, np.uint8)}
    return MultiOrderMap("icrs", UNIQ.copy(), columns)


@pytest.fixture
def path(tmp_path, cells):
    write_multiorder(tmp_path / "refined.fits", cells, Provenance("refine").record())
    return tmp_path / "refined.fits"


def test_cells_survive_writing_and_reading(path, cells):
    found, record = read_multiorder(path)

    assert (found.frame, record["stage"]) == ("icrs", "refine")
    np.testing.assert_array_equal(found.uniq, UNIQ)
    assert list(found.columns) == list(cells.columns)
    for name, values in cells.columns.items():
        np.testing.assert_array_equal(found.columns[name], values)
        assert found.columns[name].dtype == values.dtype


def test_header_is_that_of_a_multi_order_sky_map(path):
    header = fits.getheader(path, 1)

    wanted = {"PIXTYPE": "HEALPIX", "ORDERING": "NUNIQ", "COORDSYS": "C", "MOCORDER": 2}
    wanted |= {"INDXSCHM": "EXPLICIT", "TTYPE1": "UNIQ", "TFORM1": "K", "TTYPE2": "TS"}
    wanted |= {"SCHEMA": "skyquilt/refined", "SCHEMAV": "1.0"}
    assert {key: header[key] for key in wanted} == wanted
    assert "TZERO1" not in header


def test_table_opens_in_astropy_with_units(path):
    table = Table.read(path, hdu=1)

    np.testing.assert_array_equal(table["UNIQ"], UNIQ)
    assert str(table["PHOTON_FLUX"].unit) == "1 / (s cm2)"


def test_file_passes_the_fits_standard_and_its_checksums(path):
    with fits.open(path, checksum=True) as file:
        file.verify("exception")


def test_map_in_another_frame_is_refused(tmp_path):
    cells = MultiOrderMap("galactic", UNIQ, {})

    with pytest.raises(ValueError, match="frame 'galactic': a multi-order file holds icrs only"):
        write_multiorder(tmp_path / "refined.fits", cells, Provenance("refine").record())

    assert not list(tmp_path.iterdir())


def test_read_missing_file_names_the_command(tmp_path):
    with pytest.raises(ProductError, match=r"no\.fits: not a whole file .*`skyquilt refine`"):
        read_multiorder(tmp_path / "no.fits")


def test_read_as_another_kind_of_file_is_refused(path):
    other = REFINED._replace(name="skyquilt/localisation", made_by="skyquilt localise")

    with pytest.raises(ProductError, match=r"'skyquilt/refined', not 'skyquilt/localisation'"):
        read_multiorder(path, other)


def test_read_cells_that_overlap_is_refused(path, cells):
    cells.uniq[0] = 4  # the whole base pixel; the check of the map was before
    write_multiorder(path, cells, Provenance("refine").record())

    with pytest.raises(ProductError, match=r"refined\.fits: not a possible map \(cells 4 and 17"):
        read_multiorder(path)


@pytest.mark.filterwarnings("ignore")  # the warnings of astropy must be raised by the reader
def test_read_after_one_inverted_byte_is_refused(path, damage):
    with fits.open(path) as file:
        offset = file[1].fileinfo()["datLoc"]
    damage(path, offset + 5)

    with pytest.raises(ProductError, match=r"Checksum verification failed.*`skyquilt refine`"):
        read_multiorder(path)


@pytest.mark.parametrize("fraction", [0, 0.2, 0.5, 0.8, 0.999])
def test_read_truncated_file_is_refused(path, truncate, fraction):
    truncate(path, fraction)

    with pytest.raises(ProductError, match=r"refined\.fits: "):
        read_multiorder(path)
