import pytest

from skyquilt.config import parse_config
from skyquilt.errors import ConfigError


def data_of(settings, **changes):
    settings["analyses"]["a"]["data"] |= changes
    return parse_config(settings).analyses["a"].data


def test_defaults_are_those_of_the_documentation(settings):
    data = data_of(settings)

    assert (data.zero_background, data.time_weights, data.earth_occultation) == (
        "refuse",
        "livetime",
        False,
    )
    assert (data.background.scale, data.interpolation, data.interval) == ("auto", "bilinear", None)
    assert (data.counts[0].label, data.counts[0].scale) == ("counts", 1.0)


def test_paths_are_all_files_once(settings):
    counts = [{"path": "background.h5"}, {"path": "counts.h5"}]

    assert data_of(settings, counts=counts).paths() == (
        *("background.h5", "counts.h5"),
        *("response.h5", "orientation.ori"),
    )


def test_local_frame_without_orientation_is_refused(settings):
    with pytest.raises(ConfigError, match=r"analyses\.a\.data: frame 'local' needs `orientation`"):
        data_of(settings, orientation=None)


def test_time_weights_of_the_galactic_frame_need_an_orientation(settings):
    data = data_of(settings, frame="galactic", time_weights="elapsed")

    assert data.time_weights == "elapsed"
    with pytest.raises(ConfigError, match="time_weights has no effect with frame 'galactic'"):
        data_of(settings, frame="galactic", time_weights="elapsed", orientation=None)


def test_galactic_frame_may_have_an_orientation_for_its_livetimes(settings):
    assert data_of(settings, frame="galactic").orientation == "orientation.ori"


@pytest.mark.parametrize(
    ("frame", "change"),
    [
        ("local", {"interpolation": "nearest"}),
        ("galactic", {"earth_occultation": True}),
    ],
)
def test_option_that_has_no_effect_in_the_frame_is_refused(settings, frame, change):
    with pytest.raises(
        ConfigError, match=rf"{next(iter(change))} has no effect with frame '{frame}'"
    ):
        data_of(settings, frame=frame, **change)


@pytest.mark.parametrize("interval", [[2.0, 1.0], [1.0, 1.0]])
def test_empty_interval_is_refused(settings, interval):
    with pytest.raises(ConfigError, match=r"data\.interval: .* the start must lie before the end"):
        data_of(settings, interval=interval)


@pytest.mark.parametrize("interval", [[0, float("inf")], [float("nan"), 1], [1.0], ["today", 2]])
def test_interval_of_no_two_times_is_refused(settings, interval):
    with pytest.raises(ConfigError, match=r"data\.interval"):
        data_of(settings, interval=interval)


def test_empty_interval_of_the_background_is_refused(settings):
    with pytest.raises(ConfigError, match=r"data\.background\.interval: .* before the end"):
        data_of(settings, background={"path": "b.h5", "interval": [2, 1]})


@pytest.mark.parametrize("scale", [0, -1, float("nan"), "automatic"])
def test_scale_that_is_not_above_zero_is_refused(settings, scale):
    with pytest.raises(ConfigError, match=r"data\.background\.scale"):
        data_of(settings, background={"path": "b.h5", "scale": scale})


@pytest.mark.parametrize("label", ["a\nb", "a\tb", "", "  ", "a\x00", "\u202e", "x" * 65, 3, None])
def test_label_that_is_no_line_of_text_is_refused(settings, label):
    with pytest.raises(ConfigError, match=r"data\.counts\.0\.label: "):
        data_of(settings, counts=[{"path": "counts.h5", "label": label}])


@pytest.mark.parametrize("label", ["A$\\frac{1}{0$", "Größe 天", "'\"<b>&", "{x}", "~", "$HOME"])
def test_label_is_any_line_of_text(settings, label):
    assert data_of(settings, counts=[{"path": "c.h5", "label": label}]).counts[0].label == label


@pytest.mark.parametrize("label", ["data", "background model"])
def test_label_that_plots_use_is_refused(settings, label):
    with pytest.raises(ConfigError, match=rf"counts\.0\.label: '{label}' names .* another label"):
        data_of(settings, counts=[{"path": "counts.h5", "label": label}])


def test_counts_of_one_file_twice_are_refused(settings):
    with pytest.raises(ConfigError, match=r"data\.counts: 'x\.h5' is there twice: its counts"):
        data_of(settings, counts=[{"path": "x.h5"}, {"path": "y.h5"}, {"path": "./x.h5"}])


def test_no_counts_are_refused(settings):
    with pytest.raises(ConfigError, match=r"data\.counts: must have 1 or more"):
        data_of(settings, counts=[])
