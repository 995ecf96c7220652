import logging

from skyquilt.instruments.compton.simulator.progress import progress

logger = logging.getLogger(__name__)


def test_progress_of_a_long_loop_logs_rate_and_time_left(monkeypatch, caplog):
    clock = iter(range(0, 100, 3))
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    with caplog.at_level(logging.INFO):
        assert list(progress(4, "file: rows", logger)) == [0, 1, 2, 3]
    assert caplog.messages[0] == "file: rows 2/4, 0.333/s, 6 s left"


def test_progress_of_a_short_loop_is_silent(caplog):
    with caplog.at_level(logging.INFO):
        list(progress(10, "file: rows", logger))
    assert not caplog.messages
