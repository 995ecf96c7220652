"""Good times on the clock of the events; times of several files."""

import contextlib
from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits

from skyquilt.errors import InputError
from skyquilt.instruments.imaging.events import read_events
from skyquilt.instruments.imaging.good_times import GoodTimes, common_time
from skyquilt.instruments.imaging.prepare import make_problem

CLOCK = {"MJDREFI": 51910, "MJDREFF": 7.428703703703703e-4, "TIMESYS": "TT", "TIMEUNIT": "s"}
GTI = ((20.0, 40.0), (60.0, 80.0))


def write(sky, events=CLOCK, gti=CLOCK, intervals=GTI, factor=1.0, unit="s"):
    """Events at 0 to 100 s, and intervals, with the cards of their clocks."""
    sky.write_events(gti=np.array(intervals) * factor)
    with fits.open(sky.path("events.fits"), mode="update") as file:
        for table, cards in (("EVENTS", events), ("GTI", gti)):
            for key in ("MJDREFI", "MJDREFF", "TIMESYS"):
                file[table].header.remove(key, ignore_missing=True)
            file[table].header.update(cards)
        for column in ("START", "STOP"):
            file["GTI"].columns[column].unit = unit


def n_events(sky, *accepted):
    return len(read_events(sky.analysis().data.events, accepted).energy)


def expected(sky, intervals=GTI):
    time = np.linspace(0, 100, len(sky.photons()[0]))
    return sum(np.count_nonzero((time >= low) & (time <= high)) for low, high in intervals)


@pytest.mark.parametrize(
    ("gti", "shift"),
    [
        ({}, 0.0),  # no clock: that of the events
        (CLOCK, 0.0),
        (CLOCK | {"TIMEZERO": 10.0}, 10.0),
        (CLOCK | {"MJDREFI": 51911}, 86400.0),
        # 64.184 s from UTC of 2001 to TT
        (CLOCK | {"TIMESYS": "UTC"}, 64.184),
        (CLOCK | {"TIMESYS": "tai"}, 32.184),
        ({"MJDREF": 51910.00074287037, "TIMESYS": "TT"}, 0.0),
    ],
)
def test_good_times_are_turned_to_the_clock_of_the_events(sky, gti, shift):
    intervals = np.array(GTI) - shift
    write(sky, gti=gti, intervals=intervals)

    # 1e-5 s is the precision of a single MJDREF
    assert n_events(sky) == expected(sky)


@pytest.mark.parametrize(
    ("cards", "unit", "factor"),
    [
        ({"TIMEUNIT": "d"}, None, 1 / 86400),
        ({"TIMEUNIT": "d"}, "d", 1 / 86400),
        ({"TIMEUNIT": "s"}, None, 1),
        ({}, "min", 1 / 60),
        ({}, "ms", 1e3),
    ],
)
def test_units_of_good_times_are_read(sky, cards, unit, factor):
    gti = {key: value for key, value in CLOCK.items() if key != "TIMEUNIT"} | cards
    write(sky, gti=gti, factor=factor, unit=unit)

    # rounding of the days
    assert n_events(sky) == pytest.approx(expected(sky), abs=1)


@pytest.mark.parametrize(
    ("cards", "unit", "message"),
    [
        ({"TIMEUNIT": "d"}, "s", "table GTI has TIMEUNIT 'd', but a column of times in 's'"),
        ({"TIMEUNIT": "fortnight"}, None, "table GTI has times in 'fortnight', TIMEUNIT"),
        ({"TIMESYS": "MET"}, "s", "TIMESYS 'MET'; known are .*TT"),
        ({"MJDREFI": "x"}, "s", "MJDREF or TIMEZERO is no number"),
    ],
)
def test_clock_that_is_not_known_is_refused(sky, cards, unit, message):
    write(sky, gti=CLOCK | cards, unit=unit)

    with pytest.raises(InputError, match=rf"events\.fits: .*{message}"):
        n_events(sky)


def test_good_times_of_a_wrong_zero_are_accepted_by_name(sky):
    # as of a GTI whose TIMEZERO is in its times already
    write(sky, gti=CLOCK | {"TIMEZERO": 413176375.0})

    with pytest.raises(InputError, match=r"none of the \d+ events .*TIMEZERO.*accept: \[clock\]"):
        n_events(sky)
    assert n_events(sky, "clock") == expected(sky)


def test_zero_of_good_times_without_a_clock_is_refused(sky):
    write(sky, gti={"TIMEZERO": 10.0})

    with pytest.raises(InputError, match=r"TIMEZERO 0\.0, table GTI has 10\.0 and no MJDREF"):
        n_events(sky)
    assert n_events(sky, "clock") == expected(sky)


def test_good_times_that_overlap_count_once(sky, caplog):
    intervals = ((60.0, 80.0), (20.0, 40.0), (30.0, 35.0), (70.0, 90.0))
    write(sky, intervals=intervals)

    assert n_events(sky) == expected(sky, ((20, 40), (60, 90)))
    assert "15 s are there twice" in caplog.text


def test_table_that_the_selection_names_is_the_one(sky):
    write(sky)
    with fits.open(sky.path("events.fits"), mode="update") as file:
        other = file["GTI"].copy()
        other.name = "STDGTI"
        other.data["START"], other.data["STOP"] = [0.0, 0.0], [5.0, 10.0]
        file.append(other)
        cards = {"DSTYP1": "TIME", "DSVAL1": "TABLE", "DSREF1": ":STDGTI"}
        file["EVENTS"].header.update(cards)

    assert n_events(sky) == expected(sky, ((0, 10),))


@pytest.mark.parametrize("gti", [True, False])
def test_ranges_of_time_are_cut_out(sky, gti):
    write(sky)
    with fits.open(sky.path("events.fits"), mode="update") as file:
        if not gti:
            del file["GTI"]
        file["EVENTS"].header.update({"DSTYP1": "TIME", "DSVAL1": "30:70", "DSUNI1": "s"})

    assert n_events(sky) == expected(sky, ((30, 40), (60, 70)) if gti else ((30, 70),))


def test_times_that_are_not_finite_are_refused(sky):
    time = np.linspace(0, 100, len(sky.photons()[0]))
    time[3] = np.nan
    sky.write_events(time=time)

    with pytest.raises(InputError, match="1 times of table EVENTS are not finite"):
        n_events(sky)


@pytest.mark.parametrize(
    ("theirs", "is_same"),
    [
        (GTI, True),
        (((20.0, 30.0), (30.0, 40.0), (60.0, 80.1)), True),
        (((0.0, 100.0),), False),
        (((20.0, 40.0),), False),
        (((220.0, 240.0), (260.0, 280.0)), False),
    ],
)
@pytest.mark.parametrize("name", ["exposure", "background"])
def test_files_are_of_the_same_time(sky, name, theirs, is_same):
    sky.write()
    write(sky)
    with fits.open(sky.path(f"{name}.fits"), mode="update") as file:
        start, stop = np.transpose(theirs)
        columns = [
            fits.Column(key, "D", unit="s", array=values)
            for key, values in (("START", start), ("STOP", stop))
        ]
        file.append(fits.BinTableHDU.from_columns(columns, name="GTI"))
    analysis = sky.analysis()
    accept = {"accept": ("totals",)}
    analysis = replace(analysis, data=analysis.data.model_copy(update=accept))

    if is_same:
        assert make_problem(analysis).counts.size
        return
    with pytest.raises(InputError, match=rf"{name}\.fits: good time.* `accept: \[times\]`"):
        make_problem(analysis)
    if name == "background":  # of another time, as the analysis knows
        assert make_problem(rescaled(analysis)).counts.size


def rescaled(analysis):
    background = analysis.data.background.model_copy(update={"scale": 0.5})
    data = analysis.data.model_copy(update={"background": background})
    return replace(analysis, data=data)


@pytest.mark.parametrize(("livetime", "is_same"), [(35.0, True), (35.1, True), (70.0, False)])
@pytest.mark.parametrize("key", ["LIVETIME", "ONTIME"])
def test_times_that_headers_state_are_the_same(sky, key, livetime, is_same):
    sky.write()
    for name, value in (("events", 35.0), ("exposure", livetime)):
        with fits.open(sky.path(f"{name}.fits"), mode="update") as file:
            file[1].header[key] = value

    if is_same:
        assert make_problem(sky.analysis()).counts.size
        return
    with pytest.raises(InputError, match=rf"{key} is 35 s in the first and 70 s in the second"):
        make_problem(sky.analysis())


def test_common_time_is_that_of_both():
    one = GoodTimes(np.array([0.0, 10.0]), np.array([5.0, 20.0]), None)
    other = GoodTimes(np.array([4.0, 12.0, 30.0]), np.array([11.0, 13.0, 40.0]), None)

    assert common_time(one, other) == common_time(other, one) == 3.0


@pytest.mark.parametrize("key", ["MJDREFI", "MJDREFF", "TIMEZERO"])
@pytest.mark.parametrize("value", [1e308, -1e12, "x", "nan", True, 0, 40587])
@pytest.mark.parametrize("table", ["EVENTS", "GTI"])
def test_any_value_of_a_clock_is_read_or_refused(sky, key, value, table):
    sky.background_counts = 20.0
    write(sky)
    with fits.open(sky.path("events.fits"), mode="update") as file:
        file[table].header[key] = value

    with contextlib.suppress(InputError):
        read_events(sky.analysis().data.events)
