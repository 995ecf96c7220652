"""Files of which some bytes are others: they are read, or refused in one message."""

import random
import warnings

import h5py
import numpy as np
import pytest
from astropy.table import Table

from skyquilt.errors import InputError
from skyquilt.instruments.compton.events import open_events
from skyquilt.instruments.compton.histograms import read_counts
from skyquilt.instruments.compton.orientation_files import read_orientation
from skyquilt.instruments.compton.response import open_response

N_CHANGES = 40
HEAD = 6000  # bytes at the beginning, which say what the rest is


def read_events(path):
    with open_events(path, "galactic") as events:
        return list(events.blocks)


def read_response(path):
    with open_response(str(path)) as response:
        return [block.sum() for _, block in response.blocks(slice(0, response.space.shape[0]))]


def event_columns():
    names = ("Energies", "TimeTags", "Phi", "Chi galactic", "Psi galactic")
    return {name: np.linspace(0.1, 9 if "gal" in name else 1, 30) for name in names}


def write_event_fits(folder, _):
    Table(event_columns()).write(folder / "e.fits")
    return folder / "e.fits"


def write_event_hdf5(folder, _):
    with h5py.File(folder / "e.h5", "w") as file:
        file.update(event_columns())
    return folder / "e.h5"


def write_tra(folder, _):
    event = (
        "SE\nET CO\nID 3\nTI 5.5\nGX 90 0\nGZ 0 0\nSQ 2\nCE 300 1 200 1\nCH 0 1 2 3\nCH 1 4 4 4\n"
    )
    (folder / "e.tra").write_text(20 * event + "EN\n")
    return folder / "e.tra"


def write_orientation_fits(folder, _):
    n = np.arange(9.0)
    columns = {"TimeStamp": n, "LiveTime": 1 + 0 * n, "Altitude": 500 + n}
    for name, lon in (("XPointings", 90), ("ZPointings", 0), ("EarthZenith", 5)):
        columns[name] = np.stack([lon + 0 * n, 0 * n], axis=1)
    Table(columns, meta={"VERSION": "20260130"}).write(folder / "o.fits")
    return folder / "o.fits"


def write_layout(layout):
    def write(folder, local):
        local.write_response(layout=layout)
        return folder / "response.h5"

    return write


def write_counts(*, sparse):
    def write(folder, local):
        local.write_counts("h.h5", np.stack([local.counts] * 2), time=[0, 5, 10], sparse=sparse)
        return folder / "h.h5"

    return write


KINDS = {
    "events, FITS": (write_event_fits, read_events),
    "events, HDF5": (write_event_hdf5, read_events),
    "events, tra": (write_tra, read_events),
    "orientation, FITS": (write_orientation_fits, lambda p: read_orientation(p, (2.0, 5.0))),
    "orientation, text": (lambda f, _: f / "orientation.ori", read_orientation),
    "counts, dense": (write_counts(sparse=False), lambda p: read_counts(str(p), None)),
    "counts, sparse": (write_counts(sparse=True), lambda p: read_counts(str(p), None)),
    "response, dense": (write_layout("dense"), read_response),
    "response, sparse": (write_layout("sparse"), read_response),
    "response, version 2": (write_layout("version2"), read_response),
}


def change(content, chance):
    """The same bytes but for one place; only beginnings are cut."""
    content, at = bytearray(content), chance.randrange(min(len(content), HEAD))
    kind = chance.choice(["bit", "byte", "word", "zeros", "cut", "copy"])
    if kind == "bit":
        content[at] ^= 1 << chance.randrange(8)
    elif kind == "byte":
        content[at] = chance.randrange(256)
    elif kind == "word":
        content[at : at + 8] = chance.choice([b"\xff" * 8, bytes(8), b"\x7f\xf8" + bytes(6)])
    elif kind == "zeros":
        content[at : at + 64] = bytes(len(content[at : at + 64]))
    elif kind == "cut":
        del content[max(at, 1) :]
    else:
        start = chance.randrange(len(content))
        content[at : at + 16] = content[start : start + 16]
    return bytes(content)


@pytest.mark.parametrize("name", KINDS)
def test_changed_files_are_read_or_refused(name, tmp_path, local):
    write, read = KINDS[name]
    path = write(tmp_path, local)
    content = path.read_bytes()
    read(path)

    chance, messages = random.Random(name), []
    for _ in range(N_CHANGES):
        path.write_bytes(change(content, chance))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of what astropy and numpy make of the values
                read(path)
        except InputError as error:
            messages.append(str(error))

    assert messages
    assert all(str(path) in message for message in messages)
