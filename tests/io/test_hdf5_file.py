"""HDF5 files on disks that are full, and on file systems without locks."""

import subprocess
import sys

import h5py
import numpy as np
import pytest

from skyquilt.io import hdf5_file
from skyquilt.io.hdf5_file import check_written, new_file, open_to_read

WRITE = """
import resource, sys
import numpy as np
from skyquilt.errors import OutputError
from skyquilt.io.hdf5 import new_hdf5, put, put_rows
from skyquilt.io.schema import Schema
from skyquilt.io.provenance import Provenance
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
try:
    with new_hdf5(sys.argv[1], Schema("skyquilt/test", "2.0", "test"), Provenance("test")) as file:
        for index in range(20):
            put(file.create_group(f"g{index}"), "values", np.ones(5000), "", "x" * 200)
        put_rows(file, "rows", iter(np.ones((50, 500))), (50, 500), np.float64, "", "")
except OutputError as error:
    sys.exit(f"refused: {error}")
"""


@pytest.mark.parametrize("n_bytes", [100, 4096, 20_000, 65_536, 300_000, 800_000, 1_020_000])
def test_disk_that_is_full_at_any_moment_is_one_line_and_no_crash(tmp_path, n_bytes):
    command = [sys.executable, "-c", WRITE, tmp_path / "much.h5", str(n_bytes)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"refused: {tmp_path / 'much.h5'}: File too large; ")
    assert not list(tmp_path.iterdir())


def write_much(path, monkeypatch, error):
    def pwrite(*_):
        raise error

    with new_file(path) as file:
        monkeypatch.setattr(hdf5_file.os, "pwrite", pwrite)
        file["values"] = np.ones(100_000)
        check_written(file)
        pytest.fail("it was not told before more is made")


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_what_cannot_be_written_is_told_before_more_is_made(tmp_path, monkeypatch, error):
    with pytest.raises(type(error)):
        write_much(tmp_path / "x.h5", monkeypatch, error)


def test_written_file_is_that_of_h5py(tmp_path):
    values = np.random.default_rng(1).random((30, 1000))
    with new_file(tmp_path / "x.h5", libver="v110") as file:
        file["plain"] = values
        file.create_dataset("packed", data=values, chunks=(7, 100), compression="gzip")
        file["packed"].attrs["text"] = "é" * 100
    with open_to_read(tmp_path / "x.h5") as file:
        np.testing.assert_array_equal(file["plain"][()], values)
        np.testing.assert_array_equal(file["packed"][()], values)
        assert file["plain"].id.get_offset() is not None


@pytest.mark.parametrize("number", [37, 38, 95])
def test_file_is_read_where_there_are_no_locks(tmp_path, monkeypatch, number):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["values"] = np.arange(3)
    opened = h5py.File

    def without_locks(path, mode, locking=None):
        if locking is not False:
            raise OSError(f"unable to lock file, errno = {number}, error message = 'x'")
        return opened(path, mode, locking=False)

    monkeypatch.setattr(hdf5_file.h5py, "File", without_locks)
    open_to_read(tmp_path / "x.h5").close()
