import numpy as np
import pytest

from skyquilt.errors import InputError
from skyquilt.instruments.compton.orientation import cut_attitude
from skyquilt.instruments.compton.orientation_files import file, kept, read_orientation

START = 1835478000.0
INTERVAL = (START + 100.25, START + 130.0)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(kept, "LEAST_BYTES", 0)
    monkeypatch.setattr(kept, "TICK_S", -1.0)
    return tmp_path / "cache"


@pytest.fixture
def write(tmp_path):
    def write(times, livetime=" 0.9"):
        lines = [f"OG {t:.3f} 0 {t % 360:.4f} 90 0 550 10 20{livetime}" for t in times]
        path = tmp_path / "orientation.ori"
        path.write_text("\n".join(["Type OrientationsGalactic", *lines, "EN", ""]))
        return path

    return write


@pytest.fixture
def no_text(monkeypatch):
    """From now on, reading text is an error."""

    def refuse(*_):
        raise AssertionError("the text is read again")

    return lambda: monkeypatch.setattr(file, "read_text", refuse)


@pytest.mark.parametrize("livetime", [" 0.9", ""])
def test_kept_numbers_are_those_of_the_text(write, cache, no_text, livetime):
    path = write(START + np.arange(1000.0), livetime)
    whole = read_orientation(path, INTERVAL)
    read_orientation(path, INTERVAL, cache=cache)
    no_text()
    found = read_orientation(path, INTERVAL, cache=cache)
    assert len(found.time) == 31
    assert found.covers == whole.covers
    assert found.livetime_between(*INTERVAL) == whole.livetime_between(*INTERVAL)
    one, other = (cut_attitude(each, *INTERVAL, "elapsed") for each in (found, whole))
    for name, values in one._asdict().items():
        np.testing.assert_array_equal(values, getattr(other, name))


def test_another_interval_keeps_its_livetimes(write, cache):
    path = write(START + np.arange(1000.0))
    found = read_orientation(path, INTERVAL, (START + 500, START + 600), cache)
    assert found.livetime_between(START + 500, START + 600) == pytest.approx(90)
    assert len(found.x) == 31


def test_changed_file_is_read_again(write, cache):
    path = write(START + np.arange(1000.0))
    read_orientation(path, INTERVAL, cache=cache)
    write(START + 50 + np.arange(1000.0))
    assert read_orientation(path, INTERVAL, cache=cache).covers == (START + 50, START + 1049)


def cut(path):
    path.write_bytes(path.read_bytes()[:-8])


def flip(path):
    """Change one bit of a pointing that is read."""
    content = bytearray(path.read_bytes())
    at = content.index(np.float64(INTERVAL[0] // 1 + 10).tobytes())
    content[at + 16] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("damage", [cut, flip])
def test_damaged_numbers_are_made_again(write, cache, no_text, damage):
    path = write(START + np.arange(1000.0))
    want = read_orientation(path, INTERVAL, cache=cache)
    (stored,) = (cache / "orientations").iterdir()
    damage(stored)
    read_orientation(path, INTERVAL, cache=cache)
    no_text()
    np.testing.assert_array_equal(read_orientation(path, INTERVAL, cache=cache).x, want.x)


def test_stamps_out_of_order_are_refused_and_nothing_is_kept(write, cache):
    path = write(START + np.array([0.0, 200.0, 100.0, 300.0]))
    with pytest.raises(InputError, match="time stamps must increase; record 2 has"):
        read_orientation(path, (START, START + 50), cache=cache)
    assert not list(cache.rglob("*.h5"))


def test_cache_that_cannot_be_written_is_done_without(write, cache):
    cache.write_text("a file, not a folder")
    path = write(START + np.arange(1000.0))
    assert len(read_orientation(path, INTERVAL, cache=cache).time) == 1000


def test_small_or_new_files_are_not_kept(write, tmp_path):
    path = write(START + np.arange(1000.0))
    read_orientation(path, INTERVAL, cache=tmp_path / "cache")
    assert not (tmp_path / "cache").exists()
