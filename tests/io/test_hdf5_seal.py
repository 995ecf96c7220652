"""Nothing in a product changes unnoticed, and no data of other files are taken for its own."""

import json
import shutil

import h5py
import numpy as np
import pytest

from skyquilt.errors import InputError, ProductError
from skyquilt.io.hdf5 import get, new_hdf5, open_hdf5, put
from skyquilt.io.hdf5_file import open_to_read
from skyquilt.io.inspect import inspect_file
from skyquilt.io.json_file import write_json
from skyquilt.io.provenance import Provenance
from skyquilt.io.schema import Schema

SCHEMA = Schema("skyquilt/test", "2.0", "skyquilt test")


@pytest.fixture
def path(tmp_path):
    """A product with a group, attributes of several types and two datasets."""
    path = tmp_path / "product.h5"
    with new_hdf5(path, SCHEMA, Provenance("test", {"index": -2})) as file:
        put(file, "values", np.arange(5.0), "s", "five values")
        put(file.create_group("group"), "more", np.arange(3), "", "three values")
        file.attrs.update({"pixel": 0.7, "names": ["a", "b"], "identity": "f" * 64})
    return path


def rename(file):
    file.move("group/more", "group/other")


def drop_checksum(file):
    del file["values"].attrs["sha256"]


def reseal_with_numbers(file):
    del file["seal"]
    file["seal"] = np.arange(3.0)


def rewrite(file):
    values = file["values"][()] + 1
    file["values"][...] = values


CHANGES = {
    "value of an attribute": lambda file: file.attrs.modify("pixel", 0.007),
    "type of an attribute": lambda file: file.attrs.create("pixel", np.float32(0.7)),
    "list of texts": lambda file: file.attrs.create("names", ["a", "c"]),
    "attribute gone": lambda file: file.attrs.__delitem__("identity"),
    "attribute added": lambda file: file.attrs.create("interpolation", "nearest"),
    "unit": lambda file: file["values"].attrs.modify("unit", "h"),
    "attribute of a group": lambda file: file["group"].attrs.create("kind", "local_table"),
    "provenance": lambda file: file["provenance"].attrs.modify("settings", '{"index":-3}'),
    "dataset gone": lambda file: file.__delitem__("group/more"),
    "dataset added": lambda file: file.create_dataset("later", data=1.0),
    "dataset under another name": rename,
    "checksum of values gone": drop_checksum,
    "link added": lambda file: file.__setitem__("also", h5py.SoftLink("/values")),
    "seal of numbers": reseal_with_numbers,
    "seal gone": lambda file: file.__delitem__("seal"),
    "seal of nothing": lambda file: file["seal"].write_direct(np.array(b"0" * 64)),
    "seal that is a group": lambda file: (file.__delitem__("seal"), file.create_group("seal")),
    "values": rewrite,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_any_change_of_a_product_is_found_when_it_is_read_and_checked(path, change):
    with h5py.File(path, "r+") as file:
        change(file)

    with pytest.raises(ProductError, match=r"product\.h5: (damaged|incomplete)"):
        inspect_file(path)
    with (
        pytest.raises(ProductError, match=r"product\.h5: (damaged|incomplete).*`skyquilt test`"),
        open_hdf5(path, SCHEMA) as file,
    ):
        get(file, "values")


def test_unchanged_product_is_whole_also_under_another_name(path, tmp_path):
    copy = shutil.copy(path, tmp_path / "copy.h5")
    assert inspect_file(copy).labels["pixel"] == 0.7
    with open_hdf5(copy, SCHEMA) as file:
        np.testing.assert_array_equal(get(file, "values"), np.arange(5.0))


def test_each_flipped_byte_of_a_product_is_found(path):
    content = path.read_bytes()
    rng = np.random.default_rng(5)
    for place in rng.integers(0, len(content), 60):
        flipped = bytearray(content)
        flipped[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(flipped)
        with pytest.raises(ProductError):
            inspect_file(path)


def external_link(file, folder):
    with h5py.File(folder / "elsewhere.h5", "w") as other:
        other["values"] = np.arange(5.0)
    file["linked"] = h5py.ExternalLink("elsewhere.h5", "/values")


def deep_link(file, folder):
    external_link(file.create_group("a/b"), folder)


def link_to_nowhere(file, _):
    file["linked"] = h5py.ExternalLink("nowhere.h5", "/values")


def soft_link_through_an_external_one(file, folder):
    external_link(file, folder)
    file["soft"] = h5py.SoftLink("/linked")


def virtual_dataset(file, folder):
    external_link(file, folder)
    del file["linked"]
    layout = h5py.VirtualLayout((5,), "f8")
    layout[:] = h5py.VirtualSource(str(folder / "elsewhere.h5"), "values", (5,))
    file.create_virtual_dataset("virtual", layout)


def external_storage(file, folder):
    np.arange(5.0).tofile(folder / "raw")
    file.create_dataset("stored", (5,), "f8", external=[(str(folder / "raw"), 0, 40)])


OUTSIDE = [
    external_link,
    deep_link,
    link_to_nowhere,
    soft_link_through_an_external_one,
    virtual_dataset,
    external_storage,
]


@pytest.mark.parametrize("add", OUTSIDE)
def test_file_that_shows_data_of_another_one_is_refused(tmp_path, add):
    with h5py.File(tmp_path / "input.h5", "w") as file:
        file["own"] = np.arange(3)
        add(file, tmp_path)

    with pytest.raises(InputError, match=r"input\.h5: /\S+ (is a link|keeps its values).*one file"):
        open_to_read(tmp_path / "input.h5")


def test_soft_link_within_a_file_is_read(tmp_path):
    with h5py.File(tmp_path / "input.h5", "w") as file:
        file["own"] = np.arange(3)
        file["soft"] = h5py.SoftLink("/own")

    with open_to_read(tmp_path / "input.h5") as file:
        assert file["soft"].shape == (3,)


@pytest.mark.parametrize("libver", ["earliest", "v108", "v110", "latest"])
@pytest.mark.parametrize("userblock", [0, 512])
def test_file_longer_than_it_says_is_refused(tmp_path, libver, userblock):
    path = tmp_path / "input.h5"
    with h5py.File(path, "w", libver=libver, userblock_size=userblock) as file:
        file["own"] = np.arange(1000)
    open_to_read(path).close()
    with path.open("ab") as raw:
        raw.write(b"x" * 7)

    with pytest.raises(InputError, match="7 bytes lie behind the end of the HDF5 file"):
        open_to_read(path)


def test_json_product_without_its_checksum_is_not_whole(tmp_path):
    path = tmp_path / "summary.json"
    write_json(path, SCHEMA, {"ts": 1.0})
    inspect_file(path)
    content = json.loads(path.read_text())
    del content["sha256"]
    path.write_text(json.dumps(content))

    with pytest.raises(ProductError, match=r"summary\.json: damaged: .*or it has none"):
        inspect_file(path)
