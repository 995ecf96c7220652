import h5py
import numpy as np
import pytest

from skyquilt.errors import ConfigError, InputError
from skyquilt.steps.check import check_files

START = 1.8e9
WHOLE, PART = (START, START + 40), (START + 10, START + 20)


@pytest.fixture
def timed(galactic):
    """Counts and background in four bins of 10 s; the response does not tell its time."""
    for name, counts in (("counts.h5", galactic.counts), ("background.h5", galactic.background)):
        galactic.write_counts(name, np.stack([counts] * 4), time=[0, 10, 20, 30, 40])
    return galactic


def tell(observation, span):
    """Let the response say its time."""
    with h5py.File(observation.path("response.h5"), "r+") as file:
        file["hist"].attrs["interval"] = span


def both(observation):
    """The problem, after `check` had nothing to say."""
    from skyquilt.instruments.analyses import prepare

    check_files(observation.config())
    return prepare(observation.asked(), observation.path("cache")).problem


def fails(observation, message):
    from skyquilt.instruments.analyses import prepare

    for do in (
        lambda: check_files(observation.config()),
        lambda: prepare(observation.asked(), observation.path("cache")),
    ):
        with pytest.raises(InputError, match=rf"response\.h5: {message}"):
            do()


def test_whole_counts_are_taken_for_those_of_the_response(timed, caplog):
    caplog.set_level("INFO")

    both(timed)

    assert "does not tell of which time its exposure is; taken as of 1800000000.0" in caplog.text


def test_interval_of_the_whole_time_is_no_cut(timed):
    timed.settings["data"]["interval"] = WHOLE

    both(timed)


def test_cut_counts_ask_for_the_time_of_the_response(timed):
    timed.settings["data"]["interval"] = PART

    fails(timed, r"a galactic response .* cut to 1800000010\.0+ to .*`data\.response_interval`")


@pytest.mark.parametrize("by", ["file", "configuration"])
@pytest.mark.parametrize("interval", [None, WHOLE, PART])
@pytest.mark.parametrize("known", [WHOLE, PART, (START, START + 39.9), (START + 1, START + 40)])
def test_known_time_of_the_response_must_be_that_of_the_counts(timed, known, interval, by):
    if interval is not None:
        timed.settings["data"]["interval"] = interval
    if by == "file":
        tell(timed, known)
    else:
        timed.settings["data"]["response_interval"] = known

    if np.allclose(known, interval or WHOLE, rtol=0, atol=0.4):
        both(timed)
    else:
        fails(timed, r"holds the exposure of .*, but the counts are of .*`data\.response_scale`")


def test_configuration_wins_over_the_file(timed):
    tell(timed, WHOLE)
    timed.settings["data"] |= {"interval": PART, "response_interval": PART}

    both(timed)


@pytest.mark.parametrize("is_known", [False, True])
def test_factor_scales_the_expected_counts(timed, is_known):
    if is_known:
        tell(timed, WHOLE)
    timed.settings["data"]["zero_background"] = "mask"
    whole = both(timed).expectation
    timed.settings["data"] |= {"interval": PART, "response_scale": 0.25}

    part = both(timed).expectation

    np.testing.assert_allclose(part.totals, whole.totals / 4, rtol=1e-12)
    np.testing.assert_allclose(list(part.rows), np.array(list(whole.rows)) / 4, rtol=1e-6)


def test_scaled_background_of_a_response_of_unknown_time_is_a_warning(galactic, caplog):
    galactic.write_counts("counts.h5", galactic.counts[None], time=[0, 10])
    galactic.write_counts("background.h5", 4 * galactic.background[None], time=[0, 40])

    both(galactic)

    warnings = [one.getMessage() for one in caplog.records if one.levelname == "WARNING"]
    assert any("does not tell of which time its exposure is" in text for text in warnings)


@pytest.mark.parametrize("span", [[1.0], [2.0, 1.0], [np.nan, 1.0], "long"])
def test_time_of_a_file_that_is_none_is_refused(timed, span):
    tell(timed, span)

    fails(timed, "(attribute `interval`|damaged response)")


@pytest.mark.parametrize("change", [{"response_interval": WHOLE}, {"response_scale": 2.0}])
def test_local_frame_has_no_time_of_a_response(local, change):
    local.settings["data"] |= change

    with pytest.raises(ConfigError, match=f"{next(iter(change))} has no effect with frame 'local'"):
        local.asked()
