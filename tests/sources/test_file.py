import warnings

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import QTable, Table

from skyquilt.errors import OutputError, ProductError
from skyquilt.io.fits_table import Column
from skyquilt.sources.file import read_positions, read_sources, write_sources
from skyquilt.sources.table import source_columns

RECORD = {"skyquilt": "0.1.0", "ended_utc": "2026-01-01T00:00:00.000+00:00", "inputs": [{"a": 1}]}


@pytest.fixture(scope="module")
def columns(search):
    problem, _, found = search((10.0, 20.0, 3.0), (100.0, -30.0, 1.0))
    return source_columns(found, problem, "SQ", 0.0)


@pytest.fixture(scope="module")
def no_columns(search):
    problem, _, found = search()
    return source_columns(found, problem, "SQ", 0.0)


def test_both_files_hold_the_same(columns, tmp_path):
    write_sources(tmp_path / "sources.ecsv", columns, None, RECORD)
    text = Table.read(tmp_path / "sources.ecsv")
    table = Table.read(tmp_path / "sources.fits", hdu="SOURCES")
    assert text.colnames == table.colnames == list(columns)
    for name, column in columns.items():
        np.testing.assert_array_equal(np.asarray(text[name]), column.values)
        np.testing.assert_array_equal(
            np.asarray(table[name]).astype(column.values.dtype), column.values
        )
        assert text[name].description == column.description


def test_names_of_others_are_kept_as_text_and_spelt_in_ascii_in_fits(columns, tmp_path):
    names = ["Größe <b> ∆", "ﬁ Ⅷ 天"][: columns["ts"].values.size]
    columns = columns | {"assoc": Column(np.array(names), "", "nearest")}
    write_sources(tmp_path / "sources.ecsv", columns, None, RECORD)

    assert Table.read(tmp_path / "sources.ecsv")["assoc"].tolist() == names
    spelt = Table.read(tmp_path / "sources.fits", hdu="SOURCES")["assoc"].tolist()
    assert spelt == ["Gro?e <b> ?", "fi VIII ?"][: len(names)]


def test_units_are_known_to_astropy_in_both(columns, tmp_path):
    write_sources(tmp_path / "sources.ecsv", columns, None, RECORD)
    for table in (
        QTable.read(tmp_path / "sources.ecsv"),
        QTable.read(tmp_path / "sources.fits", hdu="SOURCES"),
    ):
        assert table["ra"].to_value("rad")[0] < 7
        assert table["photon_flux"].to("m-2 s-1")[0] > table["photon_flux"][0] * 0.999


def test_read_sources_gives_what_was_written(columns, tmp_path):
    write_sources(tmp_path / "sources.ecsv", columns, None, RECORD)
    found, record = read_sources(tmp_path / "sources.fits")
    assert record == RECORD
    for name, column in columns.items():
        np.testing.assert_array_equal(found[name], column.values)
        assert found[name].dtype == column.values.dtype


def test_no_sources_are_an_empty_table_with_all_columns(columns, no_columns, tmp_path):
    write_sources(tmp_path / "sources.ecsv", no_columns, None, RECORD)
    text = Table.read(tmp_path / "sources.ecsv")
    found, _ = read_sources(tmp_path / "sources.fits")
    assert text.colnames == list(found) == list(columns)
    assert len(text) == found["ra"].size == 0
    for name, column in columns.items():
        assert text[name].dtype.kind == found[name].dtype.kind == column.values.dtype.kind


def test_catalogue_is_a_second_table(columns, tmp_path):
    catalogue = {
        "name": Column(np.array(["x", "yy"]), "", "object"),
        "ts": Column(np.array([1.0, np.nan]), "", "ts"),
    }
    write_sources(tmp_path / "sources.ecsv", columns, catalogue, RECORD)
    table = Table.read(tmp_path / "sources.fits", hdu="CATALOGUE")
    assert table["name"].tolist() == ["x", "yy"]
    with fits.open(tmp_path / "sources.fits") as file:
        assert [hdu.name for hdu in file[1:]] == ["SOURCES", "CATALOGUE", "PROVENANCE"]
        assert file.verify("exception") is None


def test_fits_file_keeps_to_the_standard(columns, tmp_path):
    write_sources(tmp_path / "sources.ecsv", columns, None, RECORD)
    with warnings.catch_warnings(), fits.open(tmp_path / "sources.fits", checksum=True) as file:
        warnings.simplefilter("error")
        file.verify("exception")
        assert file["SOURCES"].header["SCHEMA"] == "skyquilt/sources"
        assert file["SOURCES"].header.comments["TTYPE1"] == columns["name"].description


def test_provenance_is_in_the_header_of_the_text(columns, tmp_path):
    write_sources(tmp_path / "sources.ecsv", columns, None, RECORD)
    meta = Table.read(tmp_path / "sources.ecsv").meta
    assert meta["schema"] == "skyquilt/sources"
    assert meta["provenance"]["inputs"] == RECORD["inputs"]


def test_folder_that_cannot_be_written_is_refused(columns, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        write_sources(tmp_path / "file" / "sources.ecsv", columns, None, RECORD)


def test_damaged_file_names_the_command(columns, tmp_path, truncate):
    write_sources(tmp_path / "sources.ecsv", columns, None, RECORD)
    truncate(tmp_path / "sources.fits")
    with pytest.raises(ProductError, match="`skyquilt sources`"):
        read_sources(tmp_path / "sources.fits")


def test_read_positions_are_those_of_the_list_in_either_frame(columns, tmp_path):
    write_sources(tmp_path / "sources.ecsv", columns, None, RECORD)
    found = read_positions(tmp_path / "sources.fits")
    for frame, names in (("icrs", ("ra", "dec")), ("galactic", ("glon", "glat"))):
        np.testing.assert_array_equal(
            found.in_frame(frame), [columns[name].values for name in names]
        )
