"""Progress lines."""

import logging

import pytest

from skyquilt.fit.progress import Progress


@pytest.fixture
def lines(caplog):
    """Lines logged for calls (time, done, all), first call at time 0."""

    def run(*calls):
        times = iter([0.0, *(time for time, *_ in calls)])
        progress = Progress("chunk 3 of 12", interval_s=5.0, clock=lambda: next(times))
        with caplog.at_level(logging.INFO):
            for _, n_done, n_all in calls:
                progress(n_done, n_all)
        return [record.getMessage() for record in caplog.records]

    return run


def test_progress_says_how_many_how_fast_and_how_long(lines):
    assert lines((6.0, 1200, 3000)) == ["chunk 3 of 12: 1200/3000 pixels, 200 pixels/s, 9 s left"]


@pytest.mark.parametrize(("time", "n_lines"), [(4.99, 0), (5.0, 1)])
def test_progress_before_and_at_the_interval(lines, time, n_lines):
    assert len(lines((time, 1, 100))) == n_lines


def test_progress_counts_the_interval_from_the_last_line(lines):
    logged = lines((5.0, 1, 100), (9.0, 2, 100), (10.0, 3, 100), (14.9, 4, 100))
    assert [line.split()[4] for line in logged] == ["1/100", "3/100"]


def test_progress_when_all_is_done_logs_at_once(lines):
    assert lines((0.5, 100, 100)) == ["chunk 3 of 12: 100/100 pixels, 200 pixels/s, 0 s left"]


def test_progress_when_nothing_is_done_yet_knows_no_end(lines):
    assert lines((6.0, 0, 100)) == ["chunk 3 of 12: 0/100 pixels, 0 pixels/s, time left unknown"]


def test_progress_when_clock_stands_still_has_a_rate(lines):
    assert lines((0.0, 10, 10)) == ["chunk 3 of 12: 10/10 pixels, 10000 pixels/s, 0 s left"]
