"""Raw runs: whole, cut, damaged, and what is none."""

import gzip
import shutil
import struct
import zlib

import numpy as np
import pytest
import zstandard

from skyquilt.errors import InputError
from skyquilt.showers.container import Loss, read_objects
from skyquilt.showers.simtel import Reader

MARKER = b"\x37\x8a\x1f\xd4"
RUN = "gamma_run000007_za40deg_South_lsts_ab14a01.simtel.zst"


def objects(*contents):
    """Bytes of objects of type 9999, number 0, 1, 2, ..."""
    return b"".join(
        MARKER + struct.pack("<IiI", 9999, number, len(content)) + content
        for number, content in enumerate(contents)
    )


CONTENT = (b"first of all", b"", b"x" * 3000)
PACKERS = {
    "plain": lambda data: data,
    "gzip": gzip.compress,
    "two gzip streams": lambda data: gzip.compress(data[:40]) + gzip.compress(data[40:]),
    "zstd": zstandard.ZstdCompressor().compress,
}


def changed(data, position):
    """The same with one byte changed."""
    data = bytearray(data)
    data[position] ^= 0x10
    return bytes(data)


@pytest.mark.parametrize("packer", PACKERS)
def test_objects_come_whole(tmp_path, packer):
    path = tmp_path / "run"
    path.write_bytes(PACKERS[packer](objects(*CONTENT)))
    found = list(read_objects(path))
    assert [(one.header.type, one.header.id) for one in found] == [(9999, n) for n in range(3)]
    assert tuple(one.read() for one in found) == CONTENT


def test_a_file_cut_at_any_byte_is_known_as_cut(tmp_path):
    path, whole = tmp_path / "run", objects(*CONTENT[:2])
    ends = (0, 28, 44)
    for n_byte in range(len(whole) + 1):
        path.write_bytes(whole[:n_byte])
        loss = []
        n_object = len(list(read_objects(path, loss)))
        begin = max(end for end in ends if end <= n_byte)
        assert n_object == ends.index(begin)
        assert loss == ([] if n_byte in ends else [Loss(n_byte - begin, begin)])


@pytest.mark.parametrize("packer", ["gzip", "zstd"])
def test_a_packed_file_without_its_end_is_cut(tmp_path, packer):
    path = tmp_path / "run"
    packed = PACKERS[packer](objects(*CONTENT))
    path.write_bytes(packed[:-3])
    loss = []
    list(read_objects(path, loss))
    assert loss
    with pytest.raises(InputError, match=r"cut after byte .* `truncated: keep`"):
        list(read_objects(path))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"SIMPLE  =  T", "no file of sim_telarray"),
        (b"version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer"),
        (MARKER[::-1] + bytes(20), "big-endian"),
        (objects(b"abc") + b"garbage here", "no object begins at byte 19"),
        (changed(gzip.compress(objects(*CONTENT), mtime=0), -6), "damaged near byte"),
    ],
    ids=["FITS", "Git LFS", "big-endian", "garbage", "checksum"],
)
def test_what_is_no_run_is_one_message(tmp_path, data, words):
    path = tmp_path / "run.simtel"
    path.write_bytes(data)
    with pytest.raises(InputError, match=words) as found:
        list(read_objects(path))
    assert str(path) in str(found.value)


def test_a_file_that_is_not_there_is_one_message(tmp_path):
    with pytest.raises(InputError, match="No such file"):
        list(read_objects(tmp_path / "none"))


@pytest.mark.parametrize("data", [b"", objects(b"abc")])
def test_a_file_without_events_is_refused(tmp_path, data):
    path = tmp_path / "run.simtel"
    path.write_bytes(data)
    with pytest.raises(InputError, match="no events: a header only"):
        Reader(path)


def test_a_run_that_is_cut_in_its_fourth_event_keeps_three(simtel_data):
    path = simtel_data / "test_lasercal_v3.simtel.gz"
    with pytest.raises(InputError, match="cut after byte 2850452"):
        list(Reader(path).events())
    reader = Reader(path, keep_cut=True)
    assert [event.event_id for event in reader.events()] == [100, 101, 104]
    assert [loss.position for loss in reader.run.loss] == [2850452]


def test_what_a_run_says(simtel_data):
    reader = Reader(simtel_data / RUN)
    run = reader.run
    assert run.obs_id == 7
    assert run.array_pointing == pytest.approx(np.deg2rad([50, 180]), abs=1e-6)
    assert run.location == pytest.approx(
        {"latitude": -24.683429, "longitude": -70.316345, "altitude": 2147}
    )
    assert "LST" in run.telescopes[1].names
    (event,) = reader.events()
    assert event.shower["energy"] == pytest.approx(0.1)
    assert [image.tel_id for image in event.images] == [1, 2, 4]
    assert [int(image.true_image.sum()) for image in event.images] == [375, 173, 186]


def test_changed_bytes_are_one_message_or_change_numbers_only(simtel_data, tmp_path):
    """Nothing but an InputError leaves the reader, and no sample is outside its range."""
    whole = (
        zstandard.ZstdDecompressor().decompressobj().decompress((simtel_data / RUN).read_bytes())
    )
    rng = np.random.default_rng(6)
    path = tmp_path / "run.simtel"
    refused = 0
    for _ in range(25):
        path.write_bytes(changed(whole, int(rng.integers(len(whole)))))
        try:
            for event in Reader(path, keep_cut=True).events():
                assert all(image.samples.dtype == np.uint16 for image in event.images)
        except InputError:
            refused += 1
    assert refused < 25


def test_a_packed_run_with_changed_bytes_is_refused(simtel_data, tmp_path):
    path = tmp_path / "run.simtel.zst"
    shutil.copy(simtel_data / RUN, path)
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 16] = bytes(16)
    path.write_bytes(data)
    with pytest.raises(InputError):
        list(Reader(path).events())


def test_unpacking_needs_no_other_program(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")
    path = tmp_path / "run"
    path.write_bytes(zlib.compress(objects(*CONTENT), wbits=31))
    assert len(list(read_objects(path))) == 3
