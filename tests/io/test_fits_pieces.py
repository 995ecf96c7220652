"""FITS tables in pieces: the file is that which astropy would write of the whole table."""

import weakref

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skyquilt.errors import OutputError
from skyquilt.io.fits_pieces import Piece, write_pieces
from skyquilt.io.fits_table import Column, open_checked, write_table
from skyquilt.io.schema import Schema

SCHEMA = Schema("skyquilt/maps", "1.0", "skyquilt merge")
RECORD = {"skyquilt": "0.1", "ended_utc": "2026-11-25T08:00:00.000", "stages": [{"n": 1}]}
CARDS = {"NSIDE": (2, "resolution"), "PIXTYPE": "HEALPIX"}
N_ROWS = 1000  # rows of 21 bytes: neither they nor the table end at a block or at 4 bytes


def table(n_rows=N_ROWS):
    """A column of each kind of numbers."""
    rng = np.random.default_rng(5)
    return {
        "TS": Column(np.where(rng.random(n_rows) < 0.1, np.nan, rng.random(n_rows)), "", "ts"),
        "PIXEL": Column(rng.integers(0, 2**60, n_rows), "", ""),
        "N_ITER": Column(rng.integers(0, 99, n_rows).astype(np.int32), "s", "steps"),
        "STATUS": Column(rng.integers(0, 9, n_rows).astype(np.uint8), "", "status"),
    }


def pieces(columns, order, cuts):
    """The rows in some order, cut into pieces."""
    for rows in np.split(order, cuts):
        yield Piece(
            rows, {name: each._replace(values=each.values[rows]) for name, each in columns.items()}
        )


def content(path):
    """Keywords and data of each table; not the checksum of the time at which they were added up."""
    with open_checked(path) as file:
        file.verify("exception")
        return [
            (
                {key: value for key, value in hdu.header.items() if key != "CHECKSUM"},
                list(hdu.header)[-2:],
                None if hdu.data is None else hdu.data.tobytes(),
            )
            for hdu in file
        ]


def write(path, order, cuts=(), columns=None):
    columns = columns or table()
    parts = pieces(columns, order, cuts)
    write_pieces(path, SCHEMA, order.size, parts, CARDS, lambda: RECORD)
    return path


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """What astropy writes."""
    path = tmp_path_factory.mktemp("whole") / "whole.fits"
    write_table(path, SCHEMA, table(), CARDS, RECORD)
    return content(path)


@given(seed=st.integers(0, 2**32 - 1), cuts=st.lists(st.integers(0, N_ROWS), max_size=5))
@settings(max_examples=20)
def test_file_of_any_pieces_is_that_of_the_whole_table(tmp_path_factory, whole, seed, cuts):
    order = np.random.default_rng(seed).permutation(N_ROWS)

    path = write(tmp_path_factory.mktemp("pieces") / "t.fits", order, sorted(cuts))

    assert content(path) == whole


def test_file_of_blocks_of_rows_without_gaps_is_that_of_the_whole_table(tmp_path, whole):
    order = np.concatenate([np.arange(300, 700), np.arange(300), np.arange(700, N_ROWS)])

    assert content(write(tmp_path / "t.fits", order, [400])) == whole


def test_piece_larger_than_what_is_put_together_at_a_time_is_whole(tmp_path, monkeypatch, whole):
    monkeypatch.setattr("skyquilt.io.fits_pieces._ROWS", 64)

    path = write(tmp_path / "t.fits", np.random.default_rng(1).permutation(N_ROWS))

    assert content(path) == whole


@pytest.mark.slow
@given(st.integers(0, 2**32 - 1))
@settings(max_examples=200)
def test_checksums_of_any_content_pass_astropy(tmp_path_factory, seed):
    path = tmp_path_factory.mktemp("sums") / "t.fits"
    column = {"TS": Column(np.random.default_rng(seed).random(3), "", "ts")}

    write(path, np.arange(3), columns=column)

    with open_checked(path) as file:  # a checksum that differs is an error
        assert file["SKYMAP"].header["DATASUM"] != "0"


def test_no_more_than_two_pieces_are_held(tmp_path):
    alive, most = weakref.WeakSet(), []

    class Watched(dict):
        """Columns that can be counted."""

        __hash__ = object.__hash__

    def watched():
        for piece in pieces(table(), np.arange(N_ROWS), range(100, N_ROWS, 100)):
            columns = Watched(piece.columns)
            alive.add(columns)
            most.append(len(alive))
            yield Piece(piece.rows, columns)

    write_pieces(tmp_path / "t.fits", SCHEMA, N_ROWS, watched(), CARDS, lambda: RECORD)

    assert len(most) == 10
    assert max(most) <= 2


def test_nothing_is_left_when_a_piece_fails(tmp_path):
    def broken():
        yield from pieces(table(), np.arange(500), [])
        raise RuntimeError("the second piece is damaged")

    with pytest.raises(RuntimeError, match="the second piece"):
        write_pieces(tmp_path / "t.fits", SCHEMA, N_ROWS, broken(), CARDS, lambda: RECORD)

    assert not list(tmp_path.iterdir())


def test_folder_that_cannot_be_written_is_one_message(tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(OutputError, match="is a file; choose a folder"):
        write(tmp_path / "file" / "t.fits", np.arange(N_ROWS))
