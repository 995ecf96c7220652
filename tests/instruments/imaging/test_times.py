"""Times of the counts, from the good time intervals of their file."""

from datetime import UTC, datetime

import numpy as np
import pytest
from astropy.io import fits

from skyquilt.errors import InputError
from skyquilt.instruments.imaging.times import read_time_span

FERMI = {"MJDREFI": 51910, "MJDREFF": 7.428703703703703e-4, "TIMESYS": "TT"}


def write(path, start, stop, cards):
    columns = [
        fits.Column("START", "D", unit="s", array=np.array(start, dtype=float)),
        fits.Column("STOP", "D", unit="s", array=np.array(stop, dtype=float)),
    ]
    table = fits.BinTableHDU.from_columns(columns, fits.Header(cards), name="GTI")
    fits.HDUList([fits.PrimaryHDU(), table]).writeto(path)
    return str(path)


def test_mission_time_of_fermi_is_turned_into_utc(tmp_path):
    path = write(tmp_path / "a.fits", [239557417.0, 240000000.0], [239560000.0, 460250000.0], FERMI)
    found = [datetime.fromtimestamp(unix, UTC) for unix in read_time_span(path)]
    # DATE-OBS and DATE-END of the public 3FHL cubes, which are UTC, and these times of theirs
    wanted = [
        datetime(2008, 8, 4, 15, 43, 36, tzinfo=UTC),
        datetime(2015, 8, 2, 23, 13, 16, tzinfo=UTC),
    ]
    for one, other in zip(found, wanted, strict=True):
        assert abs((one - other).total_seconds()) < 0.001


def test_intervals_may_be_in_any_order(tmp_path):
    path = write(tmp_path / "a.fits", [50.0, 10.0], [60.0, 20.0], {"MJDREF": 40587.0})
    assert read_time_span(path) == pytest.approx((10.0, 60.0), abs=1e-5)


def test_clock_that_is_not_known_gives_no_times(tmp_path):
    assert read_time_span(write(tmp_path / "a.fits", [50.0], [60.0], {})) is None


def test_clock_of_no_known_kind_is_refused(tmp_path):
    path = write(tmp_path / "a.fits", [50.0], [60.0], FERMI | {"TIMESYS": "MET"})
    with pytest.raises(InputError, match=r"TIMESYS 'MET'; known are .*TT"):
        read_time_span(path)


def test_times_that_are_not_finite_are_refused(tmp_path):
    path = write(tmp_path / "a.fits", [np.nan], [60.0], FERMI)
    with pytest.raises(InputError, match="not finite"):
        read_time_span(path)
