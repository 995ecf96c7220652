"""Loading the kernels, and what is said when that fails."""

import _ctypes
import ctypes
import shutil

import numpy as np
import pytest

from skyquilt import native
from skyquilt.errors import RunError
from skyquilt.native.generate import generate

AGAIN = "install skyquilt again with `make install` or `pip install .`"


def test_load_when_library_is_missing_names_it(tmp_path):
    with pytest.raises(RunError, match=rf"{tmp_path}/kernels1.so: .*cannot be loaded.*{AGAIN}"):
        native.load(1, tmp_path)


def test_load_when_file_is_no_library_names_it(tmp_path):
    (tmp_path / "kernels1.so").write_text("no library")
    with pytest.raises(RunError, match=r"kernels1.so: the compiled kernels cannot be loaded"):
        native.load(1, tmp_path)


def test_load_when_library_is_another_names_what_is_missing(tmp_path):
    shutil.copy(_ctypes.__file__, tmp_path / "kernels1.so")
    with pytest.raises(RunError, match="interface_version"):
        native.load(1, tmp_path)


def test_load_when_library_is_of_another_version_names_both(monkeypatch):
    monkeypatch.setattr(native, "INTERFACE", 99)
    with pytest.raises(RunError, match=rf"version {native_interface()}, .* needs version 99"):
        native.load(1)


def native_interface():
    return ctypes.CDLL(str(native.library_path(1))).interface_version()


def test_arguments_of_the_loader_are_those_of_the_header():
    # made again by `python src/skyquilt/native/generate.py`
    header, made = (native.FOLDER / name for name in ("interface.h", "arguments.py"))
    assert made.read_text() == generate(header.read_text())


@pytest.mark.parametrize(
    ("parameter", "message"),
    [
        ("int n", "int: allowed are numbers of int64_t"),
        ("char *s", "allowed are arrays of int64_t"),
    ],
)
def test_types_that_python_does_not_know_are_refused(parameter, message):
    with pytest.raises(ValueError, match=message):
        generate(f"#define SKYQUILT_INTERFACE 1\nvoid f({parameter});\n")


def test_kernels_refuse_arrays_of_another_type():
    with pytest.raises(ctypes.ArgumentError, match="float32 array: a contiguous one of float64"):
        native.kernels.ring_thetas(1, np.zeros(5, np.float32))
    with pytest.raises(ctypes.ArgumentError, match="contiguous"):
        native.kernels.ring_thetas(1, np.zeros((5, 2))[:, 0])


def test_load_best_when_only_the_plain_library_is_there_loads_it(tmp_path):
    shutil.copy(native.library_path(1), tmp_path)
    assert native.load_best(tmp_path)._name == str(native.library_path(1, tmp_path))


def test_load_best_when_the_best_library_is_damaged_says_so(tmp_path):
    level = native.kernels.processor_level()
    if level == 1:
        pytest.skip("this processor has the plain level only")
    shutil.copy(native.library_path(1), tmp_path)
    native.library_path(level, tmp_path).write_text("damaged")
    with pytest.raises(RunError, match=f"kernels{level}.so"):
        native.load_best(tmp_path)


@pytest.mark.parametrize(
    ("pixels", "message"),
    [
        (np.zeros(4, np.int32), "int32 array: a contiguous one of int64 is needed"),
        (np.zeros(8, np.int64)[::2], "int64 array: a contiguous one of int64 is needed"),
    ],
)
def test_kernel_when_array_is_of_the_wrong_kind_refuses_it(pixels, message):
    with pytest.raises(ctypes.ArgumentError, match=message):
        native.kernels.nest_to_ring(1, 4, pixels, np.zeros(4, np.int64))


def test_structures_refuse_arrays_of_another_type_and_missing_fields():
    good = {"group": np.zeros(2, np.int64), "indptr": np.zeros(3, np.int64)}
    with pytest.raises(TypeError, match="float64 array: a contiguous one of int64 is needed"):
        native.NearbyItems.of(**good, ranges=np.zeros((2, 2)))
    with pytest.raises(TypeError, match="NearbyItems: ranges missing"):
        native.NearbyItems.of(**good)


def test_structures_keep_their_arrays():
    made = native.entry_lists(np.arange(3), np.arange(2), np.array([0.5, 1.5]))
    address = ctypes.cast(made.value, ctypes.POINTER(ctypes.c_double))
    assert address[:2] == [0.5, 1.5]
