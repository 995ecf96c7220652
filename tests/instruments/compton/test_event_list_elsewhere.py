"""An event list of MEGAlib where another file is wanted is called what it is."""

import gzip

import pytest

from skyquilt.errors import InputError
from skyquilt.instruments.compton.histograms import read_counts
from skyquilt.instruments.compton.orientation_files import read_orientation
from skyquilt.instruments.compton.response import open_response


def open_and_close(path):
    with open_response(path):
        pass


READERS = {
    "a histogram": lambda path: read_counts(path, None),
    "a response": open_and_close,
    "an orientation": read_orientation,
}
STARTS = [b"# by MEGAlib\n\nTYPE TRA\nVERSION 101\n", b"SE\nET CO\n", b"Type tra\r\n", b"\n SE\n"]


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzipped"])
@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("wanted", READERS)
def test_event_list_is_called_what_it_is(wanted, start, pack, tmp_path):
    path = tmp_path / "burst.dat"  # the content tells, not the name
    path.write_bytes(pack(start))
    with pytest.raises(InputError, match=f"an event list of MEGAlib .*not {wanted}.*binning"):
        READERS[wanted](str(path))


@pytest.mark.parametrize("content", [b"", b"SEE\n", b"\x1f\x8b damaged", b"Type Orientations\n"])
@pytest.mark.parametrize("wanted", READERS)
def test_other_files_are_told_of_as_before(wanted, content, tmp_path):
    path = tmp_path / "burst.tra"
    path.write_bytes(content)
    with pytest.raises(InputError) as error:
        READERS[wanted](str(path))
    assert "event list" not in str(error.value)
