import errno
import os
import shutil
import subprocess
import sys
import threading

import h5py
import numpy as np
import pytest

from skyquilt.errors import OutputError
from skyquilt.io.products import locked, new_product, write_text


def test_new_product_when_block_ends_well_has_only_its_final_name(tmp_path):
    with new_product(tmp_path / "deep" / "map.txt") as partial:
        partial.write_text("whole")
        assert not (tmp_path / "deep" / "map.txt").exists()

    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["map.txt"]
    assert (tmp_path / "deep" / "map.txt").read_text() == "whole"


def test_new_product_keeps_suffixes_while_writing(tmp_path):
    with new_product(tmp_path / "map.fits.gz") as partial:
        assert partial.name == "map.fits.gz"
        partial.write_text("")


def _write_half(path, error):
    path.write_text("half")
    raise error


def test_new_product_when_block_raises_keeps_the_earlier_file(tmp_path, untouched):
    write_text(tmp_path / "map.txt", "earlier")

    with (
        untouched(tmp_path),
        pytest.raises(ZeroDivisionError),
        new_product(tmp_path / "map.txt") as partial,
    ):
        _write_half(partial, ZeroDivisionError)

    assert [path.name for path in tmp_path.iterdir()] == ["map.txt"]


def test_new_product_when_interrupted_leaves_nothing(tmp_path):
    with pytest.raises(KeyboardInterrupt), new_product(tmp_path / "map.txt") as partial:
        _write_half(partial, KeyboardInterrupt)

    assert not list(tmp_path.iterdir())


def test_new_product_is_readable_as_the_umask_says(tmp_path):
    write_text(tmp_path / "map.txt", "shared")
    umask = os.umask(0)
    os.umask(umask)

    assert (tmp_path / "map.txt").stat().st_mode & 0o777 == 0o666 & ~umask


def test_new_product_below_a_file_says_which_folder_is_needed(tmp_path):
    (tmp_path / "results").write_text("a file")

    with pytest.raises(OutputError, match=r"results/map\.txt: .*results is a file; choose"):
        write_text(tmp_path / "results" / "map.txt", "x")


def test_new_product_deep_below_a_file_is_an_output_error(tmp_path):
    (tmp_path / "results").write_text("a file")

    with pytest.raises(OutputError, match="Not a directory; choose a folder"):
        write_text(tmp_path / "results" / "deep" / "map.txt", "x")


def test_new_product_when_name_is_a_folder_is_an_error(tmp_path):
    (tmp_path / "map.txt").mkdir()

    with pytest.raises(OutputError, match="Is a directory; choose a folder"):
        write_text(tmp_path / "map.txt", "x")


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.ENOSPC, "No space left on device; free some space"),
        (errno.EDQUOT, "Disk quota exceeded; free some space"),
        (errno.EFBIG, "File too large; the file system does not take"),
        (errno.EROFS, "Read-only file system; choose a folder"),
    ],
)
def test_new_product_when_sync_fails_tells_what_to_do(
    number, advice, tmp_path, monkeypatch, untouched
):
    def fail(descriptor):
        raise OSError(number, os.strerror(number))

    write_text(tmp_path / "map.txt", "earlier")
    monkeypatch.setattr(os, "fsync", fail)

    with untouched(tmp_path), pytest.raises(OutputError, match=rf"map\.txt: {advice}") as caught:
        write_text(tmp_path / "map.txt", "new")
    assert caught.value.exit_code == 1


def test_new_product_passes_other_system_errors_on(tmp_path):
    with pytest.raises(FileNotFoundError), new_product(tmp_path / "map.txt"):
        (tmp_path / "no such file").read_text()

    assert not list(tmp_path.iterdir())


_WRITE_MUCH = """
import resource, sys
import numpy as np
from skyquilt.errors import OutputError
from skyquilt.io.hdf5 import new_hdf5, put
from skyquilt.io.schema import Schema
from skyquilt.io.provenance import Provenance
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
try:
    with new_hdf5(sys.argv[1], Schema("skyquilt/test", "1.0", "test"), Provenance("test")) as file:
        put(file, "values", np.zeros(100_000), "", "more than the limit")
except OutputError as error:
    sys.exit(f"refused: {error}")
"""


def test_hdf5_beyond_the_file_size_limit_is_an_output_error(tmp_path):
    path = tmp_path / "much.h5"

    run = subprocess.run(
        [sys.executable, "-c", _WRITE_MUCH, path], capture_output=True, text=True, check=False
    )

    assert "refused: " in run.stderr
    assert "much.h5: File too large" in run.stderr
    assert not list(tmp_path.iterdir())


@pytest.fixture
def small_disk(tmp_path):
    """File system of 64 kB in memory."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("mounting a small file system needs root")
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("this system does not let root mount a file system")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_text_on_a_full_disk_is_an_output_error(small_disk):
    with pytest.raises(OutputError, match="No space left on device; free some space"):
        write_text(small_disk / "map.txt", "x" * 100_000)

    assert not list(small_disk.iterdir())


def test_hdf5_on_a_full_disk_is_an_output_error(small_disk):
    with (
        pytest.raises(OutputError, match="No space left on device"),
        new_product(small_disk / "map.h5") as partial,
        h5py.File(partial, "w") as file,
    ):
        file["values"] = np.ones(100_000)

    assert not list(small_disk.iterdir())


def test_fits_on_a_full_disk_is_an_output_error(small_disk):
    from astropy.io import fits

    with (
        pytest.raises(OutputError, match="No space left on device"),
        new_product(small_disk / "map.fits") as partial,
    ):
        fits.PrimaryHDU(np.ones(100_000)).writeto(partial)

    assert not list(small_disk.iterdir())


def test_locked_block_waits_for_the_one_before(tmp_path):
    order, is_inside = [], threading.Event()

    def second():
        is_inside.wait()
        with locked(tmp_path / "cache" / "table.h5"):
            order.append("second")

    thread = threading.Thread(target=second)
    thread.start()
    with locked(tmp_path / "cache" / "table.h5"):
        is_inside.set()
        thread.join(0.05)
        order.append("first")
    thread.join()

    assert order == ["first", "second"]


def test_lock_below_a_file_is_an_output_error(tmp_path):
    (tmp_path / "cache").write_text("a file")

    with (
        pytest.raises(OutputError, match=r"table\.lock: .*; choose a folder"),
        locked(tmp_path / "cache" / "table.h5"),
    ):
        pass
