import numpy as np
import pytest

from skyquilt.errors import InputError


@pytest.fixture(params=["hdf5", "fits", "fits.gz"])
def path(request, columns, write_hdf5, write_fits):
    if request.param == "hdf5":
        return write_hdf5(columns)
    return write_fits(columns, gzipped=request.param == "fits.gz")


def test_open_columns_of_each_format_gives_every_row(path, columns, read):
    values, sizes = read(path)
    assert sizes == [100]
    for stored, name in zip(columns, values, strict=True):
        np.testing.assert_array_equal(values[name], columns[stored])


def test_open_columns_in_small_blocks_gives_the_same_rows(path, read):
    whole, _ = read(path)
    values, sizes = read(path, block_bytes=32 * 30)  # a row has 32 bytes in each format
    assert sizes == [30, 30, 30, 10]
    for name in whole:
        np.testing.assert_array_equal(values[name], whole[name])


def test_open_columns_with_block_below_one_row_goes_row_by_row(path, read):
    _, sizes = read(path, block_bytes=1)
    assert sizes == [1] * 100


@pytest.mark.parametrize("name", ["Zpointings", "Zpointings (glon,glat)"])
def test_open_columns_of_pointing_finds_it_with_and_without_suffix(path, columns, read, name):
    values, _ = read(path, names=(name,))
    np.testing.assert_array_equal(values[name], columns["Zpointings (glon,glat)"])


def test_open_columns_with_missing_column_names_those_there_are(path, read):
    with pytest.raises(InputError, match=r"no column 'Phi'; there are: Energies, TimeTags"):
        read(path, names=("Energies", "Phi"))


def test_open_columns_of_other_suffix_looks_at_the_content(path, read):
    renamed = path.rename(path.with_name("events.dat"))
    assert read(renamed)[1] == [100]


def test_open_columns_of_no_file_is_refused(tmp_path, read):
    with pytest.raises(InputError, match=r"absent\.fits: cannot be read: No such file"):
        read(tmp_path / "absent.fits")


@pytest.mark.parametrize("content", [b"", b"ID 1\nET 511\n"])
def test_open_columns_of_another_format_is_refused(tmp_path, read, content):
    path = tmp_path / "events.tra"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"is neither HDF5 nor FITS"):
        read(path)
