import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skyquilt.errors import OutputError, ProductError
from skyquilt.io.hdf5 import get, map_rows, new_hdf5, open_hdf5, put, put_rows
from skyquilt.io.provenance import Provenance, read_provenance
from skyquilt.io.schema import Schema

SCHEMA = Schema("skyquilt/test", "1.2", "skyquilt test")
ROWS = np.arange(12, dtype=np.float32).reshape(3, 4)


@pytest.fixture
def path(tmp_path):
    """File with the datasets `values` and `rows`."""
    path = tmp_path / "product.h5"
    with new_hdf5(path, SCHEMA, Provenance("test")) as file:
        put(file, "values", np.arange(5.0), "s", "five values")
        put_rows(file, "rows", iter(ROWS), ROWS.shape, np.float32, "cm2", "three rows")
    return path


def read(path, name="values", schema=SCHEMA):
    with open_hdf5(path, schema) as file:
        return get(file, name)


def test_product_has_schema_and_each_dataset_unit_description_and_checksum(path):
    with h5py.File(path) as file:
        assert dict(file.attrs) == {"schema": "skyquilt/test", "schema_version": "1.2"}
        assert set(file["values"].attrs) == {"unit", "description", "sha256"}
        assert file["values"].attrs["unit"] == "s"
        assert file["rows"].attrs["description"] == "three rows"
        assert read_provenance(file)["stage"] == "test"


def test_new_hdf5_when_block_raises_leaves_nothing(tmp_path):
    with (
        pytest.raises(ZeroDivisionError),
        new_hdf5(tmp_path / "product.h5", SCHEMA, Provenance("test")),
    ):
        _ = 1 / 0

    assert not list(tmp_path.iterdir())


def test_new_hdf5_when_provenance_fails_leaves_nothing(tmp_path):
    missing = Provenance("test", inputs=(str(tmp_path / "missing"),))

    with pytest.raises(FileNotFoundError), new_hdf5(tmp_path / "product.h5", SCHEMA, missing):
        pass

    assert not list(tmp_path.iterdir())


def test_new_hdf5_when_a_write_fails_for_lack_of_space_is_an_output_error(tmp_path):
    text = "Unable to write (file write failed: errno = 28, error message = 'No space left')"

    with (
        pytest.raises(OutputError, match="No space left on device; free"),
        new_hdf5(tmp_path / "product.h5", SCHEMA, Provenance("test")),
    ):
        raise OSError(text)  # as HDF5 says it


@pytest.mark.parametrize("values", [np.arange(3.0), np.array([True, False]), np.empty((0, 2))])
def test_get_returns_what_put_wrote(tmp_path, values):
    with new_hdf5(tmp_path / "product.h5", SCHEMA, Provenance("test")) as file:
        put(file, "values", values, "", "")

    found = read(tmp_path / "product.h5")
    np.testing.assert_array_equal(found, values)
    assert found.dtype == values.dtype


@pytest.mark.parametrize("name", ["values", "rows"])
def test_get_after_one_inverted_byte_names_file_dataset_and_command(path, damage, name):
    damage(path, dataset=name)

    with pytest.raises(ProductError, match=rf"product\.h5: damaged: .*/{name} .*`skyquilt test`"):
        read(path, name)


def test_map_rows_equals_get(path):
    with open_hdf5(path, SCHEMA) as file:
        rows, values = map_rows(file, "rows"), get(file, "rows")

    np.testing.assert_array_equal(rows, values)
    assert not rows.flags.writeable


def test_map_rows_at_an_odd_address_gives_aligned_ones(tmp_path):
    with new_hdf5(tmp_path / "product.h5", SCHEMA, Provenance("test")) as file:
        for width in range(1, 9):  # one of them ends at an odd address
            file.create_dataset(f"odd{width}", data=np.zeros(width, np.uint8))
            file.create_dataset(f"rows{width}", data=np.arange(4.0))

    with open_hdf5(tmp_path / "product.h5", SCHEMA) as file:
        offsets = {file[f"rows{width}"].id.get_offset() % 8 for width in range(1, 9)}
        rows = [map_rows(file, f"rows{width}") for width in range(1, 9)]

    assert offsets != {0}
    assert all(one.flags.aligned for one in rows)
    np.testing.assert_array_equal(rows, np.tile(np.arange(4.0), (8, 1)))


def test_map_rows_of_rows_without_columns_is_empty(tmp_path):
    with new_hdf5(tmp_path / "product.h5", SCHEMA, Provenance("test")) as file:
        put_rows(file, "rows", iter(np.empty((3, 0))), (3, 0), np.float32, "", "")

    with open_hdf5(tmp_path / "product.h5", SCHEMA) as file:
        assert map_rows(file, "rows").shape == (3, 0)


def test_map_rows_of_chunked_dataset_is_refused(tmp_path):
    with new_hdf5(tmp_path / "product.h5", SCHEMA, Provenance("test")) as file:
        file.create_dataset("rows", data=ROWS, chunks=(1, 4))

    with (
        pytest.raises(ProductError, match=r"/rows is not stored in one piece"),
        open_hdf5(tmp_path / "product.h5", SCHEMA) as file,
    ):
        map_rows(file, "rows")


def test_put_rows_holds_one_row_at_a_time(tmp_path):
    held = []

    def rows():
        for row in ROWS:
            yield row
            with h5py.File(tmp_path / "other.h5", "w"):
                held.append(file["rows"][len(held), 0])

    with new_hdf5(tmp_path / "product.h5", SCHEMA, Provenance("test")) as file:
        put_rows(file, "rows", rows(), ROWS.shape, np.float32, "", "")

    assert held == [0, 4, 8]


def test_open_folder_says_that_it_is_one(tmp_path):
    with pytest.raises(ProductError, match="a folder; name the file in it that `skyquilt test`"):
        read(tmp_path)


def test_open_missing_file_names_the_command(tmp_path):
    with pytest.raises(ProductError, match=r"no\.h5: no such file; make it .*`skyquilt test`"):
        read(tmp_path / "no.h5")


@pytest.mark.parametrize("fraction", [0, 0.1, 0.5, 0.9, 0.999])
def test_open_truncated_file_is_refused(path, truncate, fraction):
    truncate(path, fraction)

    with pytest.raises(ProductError, match=r"not a whole HDF5 file .*`skyquilt test`"):
        read(path)


def test_open_other_kind_of_file_names_both_kinds(path):
    with pytest.raises(ProductError, match="schema is 'skyquilt/test', not 'skyquilt/map'"):
        read(path, schema=Schema("skyquilt/map", "1.0", "skyquilt merge"))


def test_open_file_without_schema_is_refused(tmp_path):
    with h5py.File(tmp_path / "any.h5", "w"):
        pass

    with pytest.raises(ProductError, match="schema is 'none'"):
        read(tmp_path / "any.h5")


@pytest.mark.parametrize("version", ["1.2", "1.3", "1.10"])
def test_open_file_of_same_or_earlier_minor_version_reads_it(path, version):
    np.testing.assert_array_equal(
        read(path, schema=SCHEMA._replace(version=version)), np.arange(5.0)
    )


@pytest.mark.parametrize("version", ["1.1", "2.0", "2.2", "0.9"])
def test_open_file_of_other_version_says_what_can_be_read(path, version):
    wanted = f"version 1.2; this skyquilt reads version {version[0]}.0 to {version}"

    with pytest.raises(ProductError, match=wanted):
        read(path, schema=SCHEMA._replace(version=version))


def test_open_when_dataset_is_missing_names_it(path):
    with pytest.raises(ProductError, match=r"incomplete: .*'other'.*`skyquilt test`"):
        read(path, "other")


@settings(max_examples=50)
@given(st.data())
def test_any_inverted_byte_is_found_or_harmless(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("fuzz") / "product.h5"
    with new_hdf5(path, SCHEMA, Provenance("test")) as file:
        put(file, "values", np.arange(5.0), "s", "five values")
    content = bytearray(path.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)

    try:
        values = read(path)
    except ProductError:
        return
    np.testing.assert_array_equal(values, np.arange(5.0))
