import hashlib
import os

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from skyquilt.io.digest import (
    array_digest,
    blocks_digest,
    canonical_json,
    file_digest,
    settings_digest,
)


def test_file_digest_equals_sha256sum(tmp_path):
    (tmp_path / "file").write_bytes(b"abc")

    # FIPS 180-2, appendix B.1
    wanted = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert file_digest(tmp_path / "file") == wanted


def test_file_digest_with_memo_reads_a_file_once(tmp_path, monkeypatch):
    (tmp_path / "file").write_bytes(b"abc")
    first = file_digest(tmp_path / "file", tmp_path / "memo")
    monkeypatch.setattr(hashlib, "file_digest", None)

    assert file_digest(tmp_path / "file", tmp_path / "memo") == first


def test_file_digest_with_memo_sees_a_changed_file(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"abc")
    first = file_digest(path, tmp_path / "memo")
    path.write_bytes(b"abd")
    os.utime(path, ns=(1, 1))  # a clock with coarse ticks may stamp both alike

    assert file_digest(path, tmp_path / "memo") == hashlib.sha256(b"abd").hexdigest() != first


def test_array_digest_depends_on_type_shape_and_values():
    array = np.arange(6.0)
    others = [array.astype(np.float32), array.reshape(2, 3), array + 1, array.astype(">i8")]

    assert len({array_digest(item) for item in [array, *others]}) == 5


def test_array_digest_does_not_depend_on_byte_order_or_layout():
    array = np.arange(6.0).reshape(2, 3)

    assert array_digest(array.astype(">f8")) == array_digest(array)
    assert array_digest(np.asfortranarray(array)) == array_digest(array)


@given(
    npst.arrays(np.float32, st.tuples(st.integers(1, 5), st.integers(0, 4))),
    st.integers(1, 5),
)
def test_blocks_digest_does_not_depend_on_the_blocks(array, size):
    blocks = [array[start : start + size] for start in range(0, len(array), size)]

    assert blocks_digest(array.dtype, array.shape, blocks) == array_digest(array)


def test_settings_digest_does_not_depend_on_the_order_of_keys():
    assert settings_digest({"a": 1, "b": [2]}) == settings_digest({"b": [2], "a": 1})
    assert settings_digest({"a": 1}) != settings_digest({"a": 2})


def test_canonical_json_has_no_blanks_and_sorted_keys():
    assert canonical_json({"b": (1, 2), "a": None}) == '{"a":null,"b":[1,2]}'
