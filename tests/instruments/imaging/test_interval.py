"""Events of an interval, with exposure and background in proportion to the good time."""

from itertools import pairwise

import numpy as np
import pytest
from astropy.io import fits

from skyquilt.config import parse_config
from skyquilt.errors import ConfigError, InputError
from skyquilt.fit.pixels import fit_pixels
from skyquilt.instruments.imaging.prepare import make_problem
from skyquilt.problem.file import read_problem
from skyquilt.sky.frames import lonlat_to_vec
from skyquilt.steps.prepare import prepare_analysis
from skyquilt.testing.analyses import ask_one

GTI = [[0.0, 30.0], [50.0, 80.0], [90.0, 100.0]]
CLOCK = {"MJDREFI": 40587, "MJDREFF": 0.0, "TIMESYS": "UTC"}
TT = {"MJDREFI": 51910, "MJDREFF": 7.428703703703703e-4, "TIMESYS": "TT", "TIMEUNIT": "s"}
HERE = lonlat_to_vec(*np.array([[120.0, 35.0], [10.0, -60.0]]).T)


def analysis(sky, interval=None, **more):
    settings = sky.settings()
    settings["data"] |= {"interval": interval, "accept": ["totals"]} | more
    return ask_one(settings)


def add_gti(path, intervals, clock=CLOCK):
    start, stop = np.transpose(intervals)
    columns = [fits.Column("START", "D", "s", array=start), fits.Column("STOP", "D", array=stop)]
    with fits.open(path, mode="update") as file:
        file.append(fits.BinTableHDU.from_columns(columns, fits.Header(clock), name="GTI"))


@pytest.fixture
def gaps(sky):
    """Sky whose events have three good times of 30, 30 and 10 s."""
    sky.write().write_events(gti=GTI)
    return sky


@pytest.mark.parametrize(
    ("interval", "seconds"),
    [([-1, 101], 70), ([10, 60], 30), ([-1, 31], 30), ([25, 95], 40), ([95, 300], 5)],
)
def test_exposure_and_background_go_by_the_good_time(gaps, interval, seconds):
    whole = make_problem(analysis(gaps))
    part = make_problem(analysis(gaps, interval))

    assert part.background_total == pytest.approx(whole.background_total * seconds / 70, 1e-5)
    totals = (problem.expectation.block(HERE).total for problem in (part, whole))
    np.testing.assert_allclose(next(totals), next(totals) * seconds / 70, 1e-5)
    time = np.linspace(0, 100, len(gaps.photons()[0]))
    is_good = np.any([(time >= low) & (time <= high) for low, high in GTI], axis=0)
    wanted = is_good & (time >= interval[0]) & (time < interval[1])
    assert part.counts.size == np.count_nonzero(wanted)
    # seconds of UTC were not those of TAI in 1970
    assert part.description.time_span[0] >= interval[0] - 1e-4
    assert part.description.time_span[1] <= interval[1] + 1e-4


def test_intervals_one_after_the_other_hold_each_event_once(gaps):
    edges = [-1, 10, 25, 30, 55, 100.001]
    parts = [make_problem(analysis(gaps, list(pair))) for pair in pairwise(edges)]
    whole = make_problem(analysis(gaps))

    assert sum(part.counts.size for part in parts) == whole.counts.size
    total = sum(part.background_total for part in parts)
    assert total == pytest.approx(whole.background_total)


def test_intervals_as_data_sets_fit_as_the_whole(gaps):
    settings = gaps.settings()
    settings["data"]["accept"] = ["totals"]
    own = {"instrument": settings.pop("instrument"), "data": settings.pop("data")}
    edges = [-1, 20, 60, 101]
    settings["datasets"] = {
        f"bin-{low}": {**own, "data": own["data"] | {"interval": [low, high]}}
        for low, high in pairwise(edges)
    }
    config = parse_config({"cache": gaps.path("cache"), "analyses": {"a": settings}})
    prepare_analysis(config, "a", gaps.path("problem.h5"))
    joint = fit_pixels(read_problem(gaps.path("problem.h5")), HERE)
    whole = fit_pixels(make_problem(analysis(gaps)), HERE)
    np.testing.assert_allclose(joint.ts, whole.ts, rtol=1e-6)
    np.testing.assert_allclose(joint.flux, whole.flux, rtol=1e-6)


def test_interval_counts_from_the_clock_of_the_events(sky):
    sky.write().write_events(gti=None)
    add_gti(sky.path("events.fits"), np.array(GTI), TT)
    with fits.open(sky.path("events.fits"), mode="update") as file:
        file["EVENTS"].header.update(TT)
    # MET 0 is 2001-01-01 00:00:00 UTC
    begin = 978307200.0
    part = make_problem(analysis(sky, [begin + 10, begin + 60]))
    assert part.counts.size == make_counts(sky, 10, 60)


def make_counts(sky, low, high):
    time = np.linspace(0, 100, len(sky.photons()[0]))
    is_good = np.any([(time >= first) & (time <= last) for first, last in GTI], axis=0)
    return np.count_nonzero(is_good & (time >= low) & (time < high))


@pytest.mark.parametrize(
    ("own", "factor"), [(GTI, 3 / 7), ([[10.0, 30.0], [50.0, 60.0]], 1.0), (None, 3 / 7)]
)
@pytest.mark.parametrize("name", ["exposure", "background"])
def test_files_of_the_interval_are_taken_as_they_are(gaps, name, own, factor, caplog):
    whole = make_problem(analysis(gaps))
    if own:
        add_gti(gaps.path(f"{name}.fits"), own)
    part = make_problem(analysis(gaps, [10, 60]))

    totals = {
        "exposure": [one.expectation.block(HERE).total[0] for one in (part, whole)],
        "background": [one.background_total for one in (part, whole)],
    }[name]
    assert totals[0] == pytest.approx(factor * totals[1])
    # what is assumed is said, for a file that does not say
    assert (f"{name}.fits: does not say of which time" in caplog.text) == (own is None)


def test_file_of_another_time_is_refused(gaps):
    add_gti(gaps.path("exposure.fits"), [[0.0, 30.0]])
    with pytest.raises(InputError, match=r"exposure is of 30 s .* 70 s .* 30 s of them"):
        make_problem(analysis(gaps, [10, 60]))
    make_problem(analysis(gaps, [10, 60], accept=["times", "totals"]))


def test_scale_of_the_background_stays_a_factor(gaps):
    scaled = {"path": gaps.path("background.fits"), "scale": 0.5}
    part = make_problem(analysis(gaps, [0, 30], background=scaled))
    whole = make_problem(analysis(gaps))
    assert part.background_total == pytest.approx(whole.background_total * 0.5 * 3 / 7)
    assert "interval" in part.description.background_scale_from


@pytest.mark.parametrize("interval", [[-20, 0], [30.5, 49], [80, 90], [100, 200], [1e9, 2e9]])
def test_interval_outside_the_good_times_is_one_error(gaps, interval):
    match = r"events\.fits: nothing .* 1970-01-01T00:01:(39|40)\), in 3 pieces"
    with pytest.raises(InputError, match=match):
        make_problem(analysis(gaps, interval))


def test_one_good_time_has_no_pieces(sky):
    sky.write().write_events(gti=GTI[:1])
    with pytest.raises(InputError, match=r":(29|30)\): choose an interval among them"):
        make_problem(analysis(sky, [40, 50]))


def test_interval_needs_good_times(sky):
    sky.write().write_events(gti=None)
    with pytest.raises(InputError, match="no table GTI"):
        make_problem(analysis(sky, [0, 10]))


def test_interval_needs_a_clock(gaps):
    with fits.open(gaps.path("events.fits"), mode="update") as file:
        for key in ("MJDREFI", "MJDREFF"):
            file["GTI"].header.remove(key)
    with pytest.raises(InputError, match=r"no MJDREF.* UNIX s"):
        make_problem(analysis(gaps, [0, 10]))


def test_interval_without_an_event_is_data(gaps):
    gaps.write_events(gti=GTI, time=np.full(len(gaps.photons()[0]), 60.0))
    problem = make_problem(analysis(gaps, [0, 30]))
    assert problem.counts.size == 0
    assert problem.background_total > 0


@pytest.mark.parametrize(
    ("interval", "message"),
    [
        ([5, 5], "start must lie before"),
        ([5, 1], "start must lie before"),
        ([5, float("inf")], "finite"),
        ([5], "interval"),
        ("soon", "interval"),
    ],
)
def test_interval_that_is_none_is_refused(sky, interval, message):
    with pytest.raises(ConfigError, match=message):
        analysis(sky, interval)


def test_cubes_have_no_interval(sky):
    settings = sky.settings("counts")
    settings["data"]["interval"] = [0, 1]
    with pytest.raises(ConfigError, match="do not say when their photons came"):
        parse_config({"analyses": {"a": settings}})


@pytest.mark.parametrize(
    ("kind", "message"), [("events", "intervals or energies"), ("counts", "them energies")]
)
def test_advice_for_one_file_in_two_data_sets_names_keys_that_exist(sky, kind, message):
    settings = sky.settings(kind)
    own = {"instrument": settings.pop("instrument"), "data": settings.pop("data")}
    settings["datasets"] = {"one": own, "two": own}
    with pytest.raises(ConfigError, match=f"give {message}|give them {message}"):
        parse_config({"analyses": {"a": settings}})
