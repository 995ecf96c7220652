import h5py
import numpy as np
import pytest

from skyquilt.errors import InputError


def test_hdf5_of_integers_and_single_precision_gives_double(columns, write_hdf5, read):
    columns["Energies"] = columns["Energies"].astype(np.float32)
    columns["TimeTags"] = columns["TimeTags"].astype(np.int64)
    values, _ = read(write_hdf5(columns))
    assert {value.dtype for value in values.values()} == {np.dtype(float)}


def test_hdf5_without_rows_gives_no_block(columns, write_hdf5, read, tmp_path):
    from skyquilt.instruments.compton.event_files import open_columns

    path = write_hdf5({name: values[:0] for name, values in columns.items()})
    with open_columns(path, {"Energies": "keV"}) as opened:
        assert opened.n_rows == 0
        assert list(opened.blocks) == []


def test_hdf5_cut_short_is_refused(columns, write_hdf5, read):
    path = write_hdf5(columns)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match=r"events\.hdf5: damaged or cut short: .*truncated"):
        read(path)


def test_hdf5_with_damaged_chunk_names_the_rows(columns, write_hdf5, read):
    path = write_hdf5(columns, chunks=True, compression="gzip")
    with h5py.File(path) as file:
        chunk = file["TimeTags"].id.get_chunk_info(0)
    content = bytearray(path.read_bytes())
    content[chunk.byte_offset : chunk.byte_offset + chunk.size] = bytes(chunk.size)
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"rows from 0 are damaged"):
        read(path)


def test_hdf5_with_columns_of_unequal_length_names_them(columns, write_hdf5, read):
    columns["TimeTags"] = columns["TimeTags"][:99]
    with pytest.raises(InputError, match=r"differ in length: 'Energies' 100, 'TimeTags' 99"):
        read(write_hdf5(columns))


def test_hdf5_with_text_for_numbers_is_refused(columns, write_hdf5, read):
    columns["Energies"] = np.full(100, b"511 keV")
    with pytest.raises(InputError, match=r"'Energies' is no dataset of numbers"):
        read(write_hdf5(columns))


def test_hdf5_with_group_for_column_is_refused(columns, write_hdf5, read):
    path = write_hdf5(columns)
    with h5py.File(path, "a") as file:
        del file["Energies"]
        file.create_group("Energies")
    with pytest.raises(InputError, match=r"'Energies' is no dataset of numbers"):
        read(path)


def test_hdf5_with_single_number_for_column_is_refused(columns, write_hdf5, read):
    columns["Energies"] = np.float64(511)
    with pytest.raises(InputError, match=r"'Energies' is a single number"):
        read(write_hdf5(columns))
